"""A pool of read-only connections, each with its own thread.

A read is one function on one thread, from BEGIN to ROLLBACK: a caller that is cancelled cannot leave a
transaction open, so no reader ever serves a stale snapshot to the next caller.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import aiosqlite

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.store.interface import ReadUnit
from ingest_grpc.store.sqlite.failures import explain, is_of_database
from ingest_grpc.store.sqlite.hop import drive, hop
from ingest_grpc.store.sqlite.rows import SqliteRows

T = TypeVar("T")


class Readers:
    """Exclusive check-out; the most recently used connection first, for its warm cache."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: asyncio.LifoQueue[aiosqlite.Connection | None] = asyncio.LifoQueue()
        self._open = 0

    async def start(self) -> None:
        for _ in range(self._size):
            connection = await aiosqlite.Connection(self._connect, iter_chunk_size=64)
            self._idle.put_nowait(connection)
            self._open += 1

    async def stop(self) -> None:
        """Lets the reads that run or wait end, then closes the connections."""
        self._open, closing = 0, self._open
        for _ in range(closing):
            connection = await self._idle.get()
            assert connection is not None, "the end is marked below, once"
            await connection.close()
        if closing:
            self._idle.put_nowait(None)  # who waits still, because we overtook him, hears of the end

    async def read(self, unit: ReadUnit[T]) -> T:
        """See Store.read."""
        if not self._open:
            raise _stopped()
        connection = await self._idle.get()
        try:
            if connection is None:
                raise _stopped()
            return await hop(connection, lambda raw: snapshot(raw, unit))
        except sqlite3.Error as error:
            if is_of_database(error):
                raise explain(error) from error
            raise
        finally:
            # After a cancellation the function may still run; the next one queues behind it on its thread.
            self._idle.put_nowait(connection)


def _stopped() -> IngestError:
    return IngestError(Reason.STORAGE_UNAVAILABLE, retry_after_seconds=1.0)


def snapshot(connection: sqlite3.Connection, unit: ReadUnit[T]) -> T:
    """Runs a unit on one snapshot of a connection."""
    connection.execute("BEGIN")
    try:
        return drive(unit(SqliteRows(connection)))
    finally:
        if connection.in_transaction:  # SQLite ends it by itself where the disk fails
            connection.execute("ROLLBACK")
