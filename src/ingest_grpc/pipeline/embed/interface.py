"""What turns texts into vectors, and how it says that it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Vector = bytes
"""`dimension` little-endian 32-bit floats, of length 1 (L2), so that the dot product is the cosine."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """The answer to one call, in the order of the texts: None where a text failed, and by its place why.

    A failure's text is for operators and users alike; it holds nothing of the document.
    """

    vectors: Sequence[Vector | None]
    failures: Mapping[int, str] = field(default_factory=dict)


class EmbedderUnavailable(Exception):
    """No vectors now, perhaps later: the endpoint is down, too slow, or turns us away for a while.

    `retry_after_seconds` is what it asked for, if anything. The step fails with SERVICE_UNAVAILABLE, which
    is retried; the document and what is cached stay.
    """

    def __init__(self, detail: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class EmbedderRefused(Exception):
    """No vectors, and trying again does not change it: a wrong key, model, dimension or model folder."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Embedder(Protocol):
    """One model. Everything but `name` may be used only after `load`."""

    @property
    def name(self) -> str:
        """By which a knowledge base and the settings choose it: "wordllama", "onnx" or "endpoint"."""
        ...

    async def load(self) -> None:
        """Loads the model off the event loop, or asks the endpoint for what must be known. Idempotent.

        Callers at the same time share one loading. Raises EmbedderUnavailable and EmbedderRefused; the next
        call tries again.
        """
        ...

    @property
    def identity(self) -> str:
        """Model, version and dimension: vectors of one identity can be compared, others never."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest text it embeds whole, in tokens: the limit of a chunk."""
        ...

    @property
    def text_weight(self) -> float:
        """The weight of the text score in hybrid search, 0 to 1; the vector score has the rest (measured)."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. Synchronous, for use off the event loop, safe in several threads."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """Vectors of passages, off the event loop; it cuts the texts into batches itself.

        One text that cannot be embedded is a failure of that text alone. Raises EmbedderUnavailable and
        EmbedderRefused. Cancelling the caller stops the work within one batch.
        """
        ...

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question (some models want another prefix than for passages). Raises as `embed`."""
        ...

    async def close(self) -> None:
        """Frees connections and threads. Idempotent."""
        ...


class EmbeddingCache(Protocol):
    """Vectors by embedder identity and text, so that a repeated attempt pays only for what is missing.

    Bounded: the longest unused go first. Keyed by a SHA-256 of identity and text; a lost entry costs time only.
    """

    async def cached(self, identity: str, texts: Sequence[str]) -> list[Vector | None]:
        """The vector of each text, None where there is none."""
        ...

    async def keep(self, identity: str, vectors: Mapping[str, Vector]) -> None:
        """Stores vectors by text."""
        ...
