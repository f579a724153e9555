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
from ingest_grpc.party import Party, current_party
from ingest_grpc.store.interface import ReadUnit
from ingest_grpc.store.sqlite.failures import explain, is_of_database
from ingest_grpc.store.sqlite.hop import drive, hop
from ingest_grpc.store.sqlite.lines import Lines
from ingest_grpc.store.sqlite.rows import SqliteRows

T = TypeVar("T")


class Readers:
    """Exclusive check-out; the most recently used connection first, for its warm cache.

    Whoever asks, one party has at most half of them at once: however slow its reads are, the others' go on.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], size: int) -> None:
        self._connect = connect
        self._size = size
        self._share = max(1, size // 2)
        self._idle: list[aiosqlite.Connection] = []
        self._held: dict[Party, int] = {}
        """How many each party has now, none with 0."""
        self._waiting: Lines[asyncio.Future[aiosqlite.Connection]] = Lines()
        """Some of them cancelled. Of the others none could have one of the idle: its party has its share."""
        self._endings: set[asyncio.Task[None]] = set()
        self._returned = asyncio.Event()
        self._open = 0

    async def start(self) -> None:
        for _ in range(self._size):
            connection = await aiosqlite.Connection(self._connect, iter_chunk_size=64)
            self._idle.append(connection)
            self._open += 1

    async def stop(self) -> None:
        """Lets the reads that run or wait end, then closes the connections."""
        self._open, closing = 0, self._open
        while len(self._idle) < closing:
            self._returned.clear()
            await self._returned.wait()
        if closing:
            while self._idle:
                await self._idle.pop().close()

    async def read(self, unit: ReadUnit[T]) -> T:
        """See Store.read."""
        if not self._open:
            raise _stopped()
        mine = current_party.get()
        connection = self._check_out(mine) if self._idle and self._has_room(mine) else await self._turn(mine)
        runs = False
        try:
            return await hop(connection, lambda raw: snapshot(raw, unit))
        except asyncio.CancelledError:
            runs = True
            raise
        except sqlite3.Error as error:
            if is_of_database(error):
                raise explain(error) from error
            raise
        finally:
            if runs:
                self._give_back_later(mine, connection)
            else:
                self._give_back(mine, connection)

    def _has_room(self, party: Party) -> bool:
        return self._held.get(party, 0) < self._share

    def _check_out(self, party: Party) -> aiosqlite.Connection:
        self._held[party] = self._held.get(party, 0) + 1
        return self._idle.pop()

    async def _turn(self, party: Party) -> aiosqlite.Connection:
        """Waits in the party's line."""
        turn: asyncio.Future[aiosqlite.Connection] = asyncio.get_running_loop().create_future()
        self._waiting.add(party, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come, only it did not hear of it any more
                self._give_back(party, turn.result())
            raise

    def _give_back(self, party: Party, connection: aiosqlite.Connection) -> None:
        self._idle.append(connection)
        self._held[party] -= 1
        if not self._held[party]:
            del self._held[party]
        self._returned.set()
        while self._waiting and (next_ := self._waiting.take(self._has_room)) is not None:
            whose, turn = next_
            if not turn.done():
                turn.set_result(self._check_out(whose))
                break  # one came back, so at most one more can be served

    def _give_back_later(self, party: Party, connection: aiosqlite.Connection) -> None:
        """Once the function has ended, which nobody stops: till then the thread still works for its party."""
        ending = asyncio.create_task(hop(connection, _nothing), name="ledger-read-ending")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        ending.add_done_callback(lambda _: self._give_back(party, connection))


def _nothing(_connection: sqlite3.Connection) -> None:
    """Comes to its turn when all that was asked of a thread before is done."""


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
