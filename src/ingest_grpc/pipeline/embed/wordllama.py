"""The embedder that needs no model: averaged token embeddings, whose 16 MB come with the package wordllama.

A tenth of the quality of a transformer's vectors at a hundredth of their price; good next to BM25.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest_grpc.pipeline.embed.identities import digest
from ingest_grpc.pipeline.embed.interface import EmbedderRefused, Embedding, Vector
from ingest_grpc.pipeline.embed.threads import ModelThread

DIMENSION = 256
MAX_TOKENS = 8_192
"""It has no limit of its own; an average over more says nothing."""

TEXT_WEIGHT = 0.7
BATCH_TEXTS = 64


class WordLlamaEmbedder:
    """See `interface.Embedder`."""

    name = "wordllama"
    dimension = DIMENSION
    max_tokens = MAX_TOKENS
    text_weight = TEXT_WEIGHT

    def __init__(self) -> None:
        self._thread = ModelThread("wordllama")
        self._loading = asyncio.Lock()
        self._model: Any = None
        self._digest = ""

    @property
    def identity(self) -> str:
        if not self._digest:
            raise RuntimeError("the embedder is not loaded")
        return f"wordllama-{self._digest}/{DIMENSION}"

    async def load(self) -> None:
        """See `interface.Embedder.load`: about 0.5 s and 80 MB."""
        async with self._loading:
            if self._model is None:
                self._model, self._digest = await self._thread.run(_load)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(each) for each in self._model.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """See `interface.Embedder.embed`; no text can fail."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = texts[start : start + BATCH_TEXTS]
            vectors += await self._thread.run(lambda batch=batch: self._vectors(batch))  # type: ignore[misc]
        return Embedding(vectors)

    async def embed_query(self, text: str) -> Vector:
        return (await self._thread.run(lambda: self._vectors([text])))[0]

    async def close(self) -> None:
        await self._thread.close()

    def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        """What `WordLlama.embed(texts, norm=True)` gives, without padding short texts to the longest."""
        import numpy as np  # noqa: PLC0415

        encoded = self._model.tokenizer.encode_batch_fast([text or " " for text in texts], add_special_tokens=False)
        ids = [np.asarray(each.ids[:MAX_TOKENS], dtype=np.int32) for each in encoded]
        starts = np.cumsum([0, *(len(each) for each in ids[:-1])])
        sums = np.add.reduceat(self._model.embedding[np.concatenate(ids)], starts, axis=0)
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return [row.astype("<f4").tobytes() for row in sums]


def _load() -> tuple[Any, str]:
    """The model, and what names its weights and tokenizer."""
    try:
        import wordllama  # noqa: PLC0415

        # Without the folder it looks for its tokenizer where it is not, and then asks a model hub.
        folder = Path(wordllama.__file__).parent
        model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
        made_of = digest(sorted([*folder.glob("weights/*.safetensors"), *folder.glob("tokenizers/*.json")]))
    except (ImportError, OSError, ValueError) as error:
        raise EmbedderRefused(f"wordllama cannot be loaded: {error}") from error
    model.tokenizer.no_padding()
    return model, made_of
