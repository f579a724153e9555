"""Which embedders there are, and what a knowledge base is cut and embedded by."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest_grpc.errors import IngestError, Reason, Violation, invalid
from ingest_grpc.model import Indexing
from ingest_grpc.pipeline.embed.interface import Embedder, EmbedderRefused, EmbedderUnavailable

MIN_MAX_TOKENS = 64
MAX_MAX_TOKENS = 8_192


@dataclass(frozen=True, slots=True)
class ChunkingDefaults:
    """What is in force where a knowledge base does not say."""

    embedder: str
    max_tokens: int
    overlap_tokens: int


class Embedders:
    """The embedders of this server by name."""

    def __init__(self, embedders: Mapping[str, Embedder], defaults: ChunkingDefaults) -> None:
        self._embedders = embedders
        self._defaults = defaults

    @property
    def names(self) -> list[str]:
        """All of them, the default first."""
        return sorted(self._embedders, key=lambda name: (name != self._defaults.embedder, name))

    async def close(self) -> None:
        """Frees what they hold."""
        for embedder in self._embedders.values():
            await embedder.close()

    async def chosen(
        self, name: str | None, max_tokens: int | None, overlap_tokens: int | None, generation: int
    ) -> Indexing:
        """What a knowledge base is to be cut and embedded by. A limit above the embedder's own counts as that.

        Raises EMBEDDER_UNAVAILABLE, INVALID_FIELD, and SERVICE_UNAVAILABLE where the embedder does not answer now.
        """
        embedder = await self.loaded(name or self._defaults.embedder)
        most = min(max_tokens or self._defaults.max_tokens, embedder.max_tokens)
        overlap = min(self._defaults.overlap_tokens, most // 2) if overlap_tokens is None else overlap_tokens
        if overlap > most // 2:
            raise invalid("chunking.overlap_tokens", f"must be at most {most // 2}, half of max_tokens")
        return Indexing(
            generation=generation,
            embedder=embedder.name,
            identity=embedder.identity,
            dimension=embedder.dimension,
            max_tokens=most,
            overlap_tokens=overlap,
        )

    async def loaded(self, name: str) -> Embedder:
        """An embedder that can be asked. Raises EMBEDDER_UNAVAILABLE and SERVICE_UNAVAILABLE."""
        embedder = self._embedders.get(name)
        if embedder is None:
            raise _unavailable(name, f"is none of {', '.join(sorted(self._embedders))}")
        try:
            await embedder.load()
        except EmbedderUnavailable as error:
            raise IngestError(
                Reason.SERVICE_UNAVAILABLE, {"embedder": name}, retry_after_seconds=error.retry_after_seconds
            ) from error
        except EmbedderRefused as error:
            raise _unavailable(name, error.detail) from error
        return embedder

    async def of(self, indexing: Indexing) -> Embedder:
        """The embedder whose vectors a set of chunks holds. Raises EMBEDDER_UNAVAILABLE where it is another by now."""
        embedder = await self.loaded(indexing.embedder)
        if embedder.identity != indexing.identity:
            raise _unavailable(
                indexing.embedder, f"is {embedder.identity} now, the knowledge base was made with {indexing.identity}"
            )
        return embedder


def _unavailable(name: str, description: str) -> IngestError:
    return IngestError(Reason.EMBEDDER_UNAVAILABLE, {"embedder": name}, violations=[Violation("embedder", description)])
