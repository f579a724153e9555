"""The index in one SQLite file: what `interface.Index` asks, off the event loop."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from ingest_grpc.pipeline.index.interface import (
    Counts,
    Document,
    DocumentState,
    EmbeddedChunk,
    Fence,
    Hit,
    Query,
    StoredChunk,
)
from ingest_grpc.pipeline.index.sqlite import reading, searching, writing
from ingest_grpc.pipeline.index.sqlite.cache import SqliteEmbeddingCache
from ingest_grpc.pipeline.index.sqlite.threads import Threads
from ingest_grpc.units import MIB

READERS = 2
CACHE_BYTES = 256 * MIB

_KEY = re.compile(r"[A-Za-z0-9._/-]{1,128}")


class SqliteIndex:
    """See `interface.Index`. `cache` keeps embeddings in the same file, within `cache_bytes`."""

    def __init__(self, path: Path, *, readers: int = READERS, cache_bytes: int = CACHE_BYTES) -> None:
        self._threads = Threads(path, readers)
        self._sweeping: asyncio.Task[None] | None = None
        self.cache = SqliteEmbeddingCache(self._threads, cache_bytes)

    async def open(self) -> None:
        """See `interface.Index.open`. What a crash left of dropped knowledge bases goes in the background."""
        await self._threads.open()
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep(), name="index-sweep")

    async def close(self) -> None:
        """See `interface.Index.close`."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None
        await self._threads.close()

    async def create(self, key: str, embedder_identity: str, dimension: int) -> None:
        """See `interface.Index.create`."""
        if not _KEY.fullmatch(key) or dimension < 1:
            raise ValueError(f"not a key of a knowledge base, or no dimension: {key!r}, {dimension}")
        await self._threads.write(lambda db: writing.create(db, key, embedder_identity, dimension))

    async def swap(self, key: str, document: Document, fence: Fence, chunks: Sequence[EmbeddedChunk]) -> bool:
        """See `interface.Index.swap`."""
        return await self._threads.write(lambda db: writing.swap(db, key, document, fence, chunks))

    async def remove(self, key: str, document_id: str, fence: Fence) -> bool:
        """See `interface.Index.remove`."""
        return await self._threads.write(lambda db: writing.remove(db, key, document_id, fence))

    async def update(self, key: str, document: Document) -> bool:
        """See `interface.Index.update`."""
        return await self._threads.write(lambda db: writing.update(db, key, document))

    async def drop(self, key: str) -> None:
        """See `interface.Index.drop`. It is gone for all at once, its rows go slice by slice."""
        await self._threads.write(lambda db: writing.mark_dropped(db, key))
        await self._sweep()

    async def search(self, key: str, query: Query) -> list[Hit]:
        """See `interface.Index.search`."""
        return await self._threads.read(lambda db: searching.search(db, key, query))

    async def chunks(self, key: str, document_id: str, after: int = -1, limit: int = 100) -> list[StoredChunk]:
        """See `interface.Index.chunks`."""
        return await self._threads.read(lambda db: reading.chunks(db, key, document_id, after, limit))

    async def document(self, key: str, document_id: str) -> DocumentState | None:
        """See `interface.Index.document`."""
        return await self._threads.read(lambda db: reading.document(db, key, document_id))

    async def documents(self, key: str, after: str = "", limit: int = 1_000) -> list[DocumentState]:
        """See `interface.Index.documents`."""
        return await self._threads.read(lambda db: reading.documents(db, key, after, limit))

    async def counts(self, key: str) -> Counts:
        """See `interface.Index.counts`."""
        return await self._threads.read(lambda db: reading.counts(db, key))

    async def keys(self) -> list[str]:
        """See `interface.Index.keys`."""
        return await self._threads.read(reading.keys)

    async def _sweep(self) -> None:
        while await self._threads.write(writing.sweep):
            pass
