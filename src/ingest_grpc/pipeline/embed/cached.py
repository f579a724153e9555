"""An embedder that asks its cache first: a repeated attempt pays only for what is missing."""

from collections.abc import Sequence

from ingest_grpc.pipeline.embed.interface import Embedder, Embedding, EmbeddingCache, Vector

SLICE_TEXTS = 256
"""Texts whose vectors are kept together: what a crash or an endpoint that goes away costs at most."""


class CachedEmbedder:
    """See `interface.Embedder`: the same embedder, with `cache` in front of `embed`. Questions are not kept."""

    def __init__(self, embedder: Embedder, cache: EmbeddingCache) -> None:
        self._embedder = embedder
        self._cache = cache

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def identity(self) -> str:
        return self._embedder.identity

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        return self._embedder.max_tokens

    @property
    def text_weight(self) -> float:
        return self._embedder.text_weight

    async def load(self) -> None:
        """See `interface.Embedder.load`."""
        await self._embedder.load()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """See `interface.Embedder.embed`."""
        vectors: list[Vector | None] = []
        failures: dict[int, str] = {}
        for start in range(0, len(texts), SLICE_TEXTS):
            part = await self._embed_slice(texts[start : start + SLICE_TEXTS])
            vectors += part.vectors
            failures.update({start + place: why for place, why in part.failures.items()})
        return Embedding(vectors, failures)

    async def embed_query(self, text: str) -> Vector:
        return await self._embedder.embed_query(text)

    async def close(self) -> None:
        await self._embedder.close()

    async def _embed_slice(self, texts: Sequence[str]) -> Embedding:
        vectors = await self._cache.cached(self.identity, texts)
        missing = [place for place, vector in enumerate(vectors) if vector is None]
        if not missing:
            return Embedding(vectors)
        fresh = await self._embedder.embed([texts[place] for place in missing])
        new: dict[str, Vector] = {}
        for place, vector in zip(missing, fresh.vectors, strict=True):
            if vector is not None:
                vectors[place] = new[texts[place]] = vector
        if new:
            await self._cache.keep(self.identity, new)
        return Embedding(vectors, {missing[place]: why for place, why in fresh.failures.items()})
