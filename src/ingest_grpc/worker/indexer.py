"""One document on its way into a knowledge base, from Markdown to searchable: chunk, embed, index."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.model import Indexing, UnitProgress
from ingest_grpc.pipeline.chunk.chunker import MarkdownChunker
from ingest_grpc.pipeline.chunk.interface import Chunk, ChunkLimits
from ingest_grpc.pipeline.embed.interface import Embedder, EmbedderRefused, EmbedderUnavailable, Vector
from ingest_grpc.pipeline.index.interface import EmbeddedChunk, Index, IndexUnavailable, OtherEmbedder
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.knowledge_bases.documents import Indexed
from ingest_grpc.service.knowledge_bases.embedding import Embedders
from ingest_grpc.service.knowledge_bases.index_work import IndexWork, Target, swap_fence
from ingest_grpc.service.knowledge_bases.services import KnowledgeServices
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.executors.interface import Converted
from ingest_grpc.worker.ready import ready_markdown

OnStep = Callable[[Step, UnitProgress | None], None]
"""Called with the step that begins, or with how far it has come."""

EMBED_AT_ONCE = 64
"""Chunks between two signs of life."""

MAX_LOSSES = 20


@dataclass
class IndexingFailed(Exception):
    """The document cannot be made searchable now, or not at all: the catalogue says which."""

    reason: Reason
    step: Step
    detail: str


@dataclass(frozen=True, slots=True)
class Searchable:
    """The document is found from now on, without the chunks that `losses` names."""

    indexed: Indexed
    losses: tuple[str, ...]


class Indexer:
    """Makes documents searchable. What is bound by the CPU runs in threads."""

    def __init__(
        self, work: IndexWork, blobs: Blobs, index: Index, embedders: Embedders, suspect: Callable[[int], None]
    ) -> None:
        self._work = work
        self._blobs = blobs
        self._index = index
        self._embedders = embedders
        self._suspect = suspect
        self._finisher = Finisher()

    @classmethod
    def build(cls, knowledge: KnowledgeServices, blobs: Blobs) -> Self:
        """Over the index and the embedders of the services."""
        return cls(knowledge.work, blobs, knowledge.index, knowledge.embedders, knowledge.keeper.suspect)

    async def drain(self) -> None:
        """Waits for what cancelled workers left unfinished."""
        await self._finisher.drain()

    async def ready(self, claim: RecordRow, source: int, output: int) -> tuple[Converted, str | None] | None:
        """Markdown that there is already, and the record that made it; see `ready_markdown`."""
        return await ready_markdown(self._work, self._blobs, claim, source, output)

    async def run(self, claim: RecordRow, output: int, on_step: OnStep) -> Searchable:
        """Makes the Markdown in a descriptor searchable; until the last moment the version before is found.

        Raises IndexingFailed.
        """
        on_step(Step.CHUNK, None)
        target = await self._work.target(claim)
        markdown = await asyncio.to_thread(_text, output)
        embedder = await self._embedder(target.indexing)
        chunks = await self._chunk(target.indexing, embedder, markdown)
        on_step(Step.EMBED, _progress(0, chunks))
        vectors, losses = await self._embed(embedder, chunks, on_step)
        on_step(Step.INDEX, _progress(0, chunks))
        await self._finisher.run(self._swap(claim, target, chunks, vectors))
        on_step(Step.INDEX, _progress(len(chunks), chunks))
        return Searchable(Indexed(len(chunks), target.indexing.generation), losses)

    async def _embedder(self, indexing: Indexing) -> Embedder:
        try:
            return await self._embedders.of(indexing)
        except IngestError as error:
            raise IndexingFailed(error.reason, Step.EMBED, str(error)) from error

    async def _chunk(self, indexing: Indexing, embedder: Embedder, markdown: str) -> list[Chunk]:
        limits = ChunkLimits(max_tokens=indexing.max_tokens, overlap_tokens=indexing.overlap_tokens)
        chunker = MarkdownChunker(embedder.count_tokens, limits)
        chunks = await asyncio.to_thread(chunker.chunk, markdown)
        if not chunks:
            raise IndexingFailed(Reason.NOTHING_TO_INDEX, Step.CHUNK, "no chunk came of the Markdown")
        return chunks

    async def _embed(
        self, embedder: Embedder, chunks: Sequence[Chunk], on_step: OnStep
    ) -> tuple[list[Vector | None], tuple[str, ...]]:
        vectors: list[Vector | None] = []
        losses: list[str] = []
        for start in range(0, len(chunks), EMBED_AT_ONCE):
            part = chunks[start : start + EMBED_AT_ONCE]
            try:
                answer = await embedder.embed([chunk.passage for chunk in part])
            except EmbedderUnavailable as error:
                raise IndexingFailed(Reason.SERVICE_UNAVAILABLE, Step.EMBED, error.detail) from error
            except EmbedderRefused as error:
                raise IndexingFailed(Reason.EMBEDDING_REFUSED, Step.EMBED, error.detail) from error
            vectors += answer.vectors
            losses += [
                f"Chunk {start + place + 1} of {len(chunks)} is found by its words alone: {why}"
                for place, why in sorted(answer.failures.items())
            ]
            on_step(Step.EMBED, _progress(len(vectors), chunks))
        if len(losses) == len(chunks):
            raise IndexingFailed(Reason.EMBEDDING_REFUSED, Step.EMBED, losses[0])
        return vectors, _bounded(losses)

    async def _swap(
        self, claim: RecordRow, target: Target, chunks: Sequence[Chunk], vectors: Sequence[Vector | None]
    ) -> None:
        """To its end, even if the worker is cancelled: then the keeper has to look at what came of it."""
        embedded = [EmbeddedChunk(chunk, vector) for chunk, vector in zip(chunks, vectors, strict=True)]
        fence = swap_fence(claim.record.row_id, claim.record.attempt)
        indexing = target.indexing
        try:
            await self._index.create(target.key, indexing.identity, indexing.dimension)
            swapped = await self._index.swap(target.key, target.document, fence, embedded)
        except OtherEmbedder as error:
            raise IndexingFailed(Reason.EMBEDDER_UNAVAILABLE, Step.INDEX, str(error)) from error
        except (IndexUnavailable, LookupError) as error:
            raise IndexingFailed(Reason.SERVICE_UNAVAILABLE, Step.INDEX, str(error)) from error
        finally:
            self._suspect(target.document_row)
        if not swapped:
            raise IndexingFailed(Reason.SERVICE_UNAVAILABLE, Step.INDEX, "a newer version or a removal came first")


def _text(fd: int) -> str:
    """What a descriptor holds, wherever its offset is."""
    size = os.fstat(fd).st_size
    data = bytearray()
    while part := os.pread(fd, size - len(data), len(data)):
        data += part
    return data.decode()


def _progress(done: int, chunks: Sequence[Chunk]) -> UnitProgress:
    return UnitProgress(units_done=done, units_total=len(chunks), unit="chunks")


def _bounded(losses: list[str]) -> tuple[str, ...]:
    more = len(losses) - MAX_LOSSES
    return tuple(losses if more <= 0 else [*losses[:MAX_LOSSES], f"and {more} more chunks"])
