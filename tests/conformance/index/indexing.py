"""What the tests of the index put into it, and how they ask."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

from ingest_grpc.pipeline.chunk.interface import Chunk
from ingest_grpc.pipeline.embed.interface import Vector
from ingest_grpc.pipeline.index.interface import (
    Document,
    EmbeddedChunk,
    Fence,
    Filter,
    Hit,
    Index,
    Query,
    Scalar,
    SearchMode,
)

KEY = "kb-1"
EMBEDDER = "test/12"
DIMENSION = 12
"""Not a multiple of 8: signatures have to be padded."""

Reopen = Callable[[], Index]


def vector(*leading: float) -> Vector:
    """A vector of length 1 that begins with these numbers."""
    values = [*leading, *[0.0] * (DIMENSION - len(leading))]
    length = sum(value * value for value in values) ** 0.5
    return struct.pack(f"<{DIMENSION}f", *(value / length for value in values))


def embedded(texts: Sequence[str], vectors: Sequence[Vector | None] = ()) -> list[EmbeddedChunk]:
    """A chunk per text, one after the other, and its vector, by default the same for all."""
    chunks: list[EmbeddedChunk] = []
    at = 0
    for ordinal, text in enumerate(texts):
        chunk = Chunk(ordinal, text, ("Guide", "Part"), at, at + len(text), len(text.split()), text)
        chunks.append(EmbeddedChunk(chunk, vectors[ordinal] if vectors else vector(1.0)))
        at += len(text) + 1
    return chunks


def document(name: str, metadata: dict[str, Scalar] | None = None, data_source_id: str = "") -> Document:
    return Document(name, f"file-{name}", f"ijf-{name}", data_source_id, metadata or {})


async def put(
    index: Index,
    name: str,
    *texts: str,
    fence: Fence = (1, 1),
    vectors: Sequence[Vector | None] = (),
    metadata: dict[str, Scalar] | None = None,
    data_source_id: str = "",
    key: str = KEY,
) -> bool:
    return await index.swap(key, document(name, metadata, data_source_id), fence, embedded(texts, vectors))


async def found(index: Index, query: Query, key: str = KEY) -> list[str]:
    """The ids of the chunks that a search finds, best first."""
    return [hit.chunk.chunk_id for hit in await index.search(key, query)]


def words(text: str, top_k: int = 10, **wanted: object) -> Query:
    return Query(SearchMode.TEXT, text, top_k, filter=replace(Filter(), **wanted))  # type: ignore[arg-type]


def near(target: Vector, top_k: int = 10, **wanted: object) -> Query:
    return Query(SearchMode.VECTOR, "", top_k, target, filter=replace(Filter(), **wanted))  # type: ignore[arg-type]


def scores(hits: Sequence[Hit]) -> list[float]:
    return [hit.score for hit in hits]
