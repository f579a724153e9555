"""Embeddings that were paid for, kept in the index file within a bound."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.embed.interface import Vector
from ingest_grpc.pipeline.index.sqlite.connection import immediate
from ingest_grpc.pipeline.index.sqlite.threads import Threads

if TYPE_CHECKING:
    import apsw

ROW_BYTES = 64
"""What an entry takes beside its vector."""

EVICTED_SHARE = 10
"""A full cache gives up this part of its bound at once, the longest unused first."""


class SqliteEmbeddingCache:
    """See `embed.interface.EmbeddingCache`."""

    def __init__(self, threads: Threads, max_bytes: int) -> None:
        self._threads = threads
        self._max_bytes = max_bytes
        self._bytes: int | None = None
        self._uses: int | None = None

    async def cached(self, identity: str, texts: Sequence[str]) -> list[Vector | None]:
        """See `embed.interface.EmbeddingCache.cached`."""
        keys = [cache_key(identity, text) for text in texts]
        found = await self._threads.read(lambda db: _lookup(db, keys))
        if found:
            await self._threads.write(lambda db: self._touch(db, list(found)))
        return [found.get(key) for key in keys]

    async def keep(self, identity: str, vectors: Mapping[str, Vector]) -> None:
        """See `embed.interface.EmbeddingCache.keep`."""
        entries = {cache_key(identity, text): vector for text, vector in vectors.items()}
        await self._threads.write(lambda db: self._store(db, entries))

    def _touch(self, db: "apsw.Connection", keys: list[bytes]) -> None:
        with _relaxed(db), immediate(db):
            use = self._next_use(db)
            db.executemany("UPDATE cached_vectors SET used = ? WHERE key = ?", ((use, key) for key in keys))

    def _store(self, db: "apsw.Connection", entries: Mapping[bytes, Vector]) -> None:
        with _relaxed(db), immediate(db):
            use = self._next_use(db)
            size = self._size(db)
            for key, vector in entries.items():
                db.execute("INSERT OR IGNORE INTO cached_vectors VALUES (?, ?, ?)", (key, vector, use))
                size += db.changes() * (len(vector) + ROW_BYTES)
            if size > self._max_bytes:
                size -= _evict(db, size - self._max_bytes + self._max_bytes // EVICTED_SHARE)
        self._bytes = size

    def _next_use(self, db: "apsw.Connection") -> int:
        """A number that grows with every use: an order that no clock can turn back."""
        if self._uses is None:
            self._uses = db.execute("SELECT coalesce(max(used), 0) FROM cached_vectors").get
        self._uses += 1
        return self._uses

    def _size(self, db: "apsw.Connection") -> int:
        if self._bytes is None:
            self._bytes = db.execute(f"SELECT coalesce(sum(length(vector) + {ROW_BYTES}), 0) FROM cached_vectors").get
        return self._bytes


def cache_key(identity: str, text: str) -> bytes:
    """SHA-256 of both; the length keeps (ab, c) and (a, bc) apart."""
    return hashlib.sha256(f"{len(identity)}:{identity}{text}".encode()).digest()


def _lookup(db: "apsw.Connection", keys: Sequence[bytes]) -> dict[bytes, Vector]:
    found: dict[bytes, Vector] = {}
    for key in keys:
        for (vector,) in db.execute("SELECT vector FROM cached_vectors WHERE key = ?", (key,)):
            found[key] = vector
    return found


def _evict(db: "apsw.Connection", wanted: int) -> int:
    """Removes the longest unused entries; returns the bytes that they took."""
    freed, last = 0, -1
    for used, size in db.execute(
        f"SELECT used, sum(length(vector) + {ROW_BYTES}) FROM cached_vectors GROUP BY used ORDER BY used"
    ):
        freed, last = freed + size, used
        if freed >= wanted:
            break
    db.execute("DELETE FROM cached_vectors WHERE used <= ?", (last,))
    return freed


@contextmanager
def _relaxed(db: "apsw.Connection") -> Iterator[None]:
    """Commits inside need not be durable: what is lost is paid for again."""
    db.pragma("synchronous", "normal")
    try:
        yield
    finally:
        db.pragma("synchronous", "full")
