"""The one writer: all units that wait while a commit runs go into the next one.

A durable commit costs one fsync however many units it holds, and one hop to the connection's thread
however many statements. So the ledger gets faster under load, and nobody ever waits for more than the
commit before his own.

Nobody's units wait behind all that another party has queued: the parties take turns, and a batch ends once its units
took so long that the others should be heard.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import aiosqlite

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import TimelineEvent
from ingest_grpc.party import Party, current_party
from ingest_grpc.store.interface import Commit, WriteUnit
from ingest_grpc.store.sqlite.failures import RolledBack, explain, is_broken, is_of_database
from ingest_grpc.store.sqlite.hop import drive, hop
from ingest_grpc.store.sqlite.lines import Lines
from ingest_grpc.store.sqlite.row_cache import RowCache
from ingest_grpc.store.sqlite.schema import prove_durable
from ingest_grpc.store.sqlite.tx import SqliteTx
from ingest_grpc.telemetry import call_facts
from ingest_grpc.telemetry.instruments import (
    COMMIT_FAILURES,
    COMMIT_SECONDS,
    COMMIT_UNITS,
    LEDGER_REOPENED,
    begin_at_zero,
)

log = logging.getLogger(__name__)

begin_at_zero(COMMIT_FAILURES, (Reason.STORAGE_FULL, Reason.STORAGE_UNAVAILABLE))

MakeTx = Callable[[sqlite3.Connection, RowCache], SqliteTx]

MAX_BATCH = 256
BATCH_SECONDS = 0.025
"""Units per commit, and how long they may run until no further one is begun: bounds how long one commit keeps the next
waiting."""

REOPEN_ATTEMPTS = 5
REOPEN_PAUSE_SECONDS = 0.5
"""Before the second attempt, and as much more before each later one: five seconds in all."""


@dataclass(slots=True)
class _Waiting:
    unit: WriteUnit[Any]
    done: asyncio.Future[Any]
    call: Mapping[str, str]
    party: Party


@dataclass(slots=True)
class _Outcome:
    """What one unit returned or raised, and the events that it appended."""

    value: Any = None
    error: Exception | None = None
    events: Sequence[TimelineEvent] = ()


@dataclass(frozen=True, slots=True)
class _Committed:
    """What became of each unit of a batch that was run, which are the first ones, and whom to wake."""

    outcomes: Sequence[_Outcome]
    commit: Commit


class _Queue(asyncio.Queue[_Waiting]):
    """Hands out the units of all parties in turn, by the three methods that asyncio.Queue offers for that."""

    _queue: Lines[_Waiting]

    def _init(self, maxsize: int) -> None:
        self._queue = Lines()

    def _put(self, item: _Waiting) -> None:
        self._queue.add(item.party, item)

    def _get(self) -> _Waiting:
        taken = self._queue.take()
        assert taken is not None, "the queue is asked whether it is empty before"
        return taken[1]

    def put_back(self, left: Sequence[_Waiting], ran: Sequence[_Waiting]) -> None:
        """What was not run after all; it has a place even in a full queue, and is not done."""
        self._queue.put_back(((waiting.party, waiting) for waiting in left), (waiting.party for waiting in ran))


class Writer:
    """Owns the writing connection. `on_commit` runs on the loop after each COMMIT, before any caller hears of it."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        on_commit: Callable[[Commit], None],
        on_broken: Callable[[], None],
        queue_size: int,
        make_tx: MakeTx = SqliteTx,
    ) -> None:
        self._connect = connect
        self._on_commit = on_commit
        self._on_broken = on_broken
        self._make_tx = make_tx
        self._queue = _Queue(queue_size)
        self._connection: aiosqlite.Connection | None = None
        self._cache = RowCache()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.healthy = False

    async def start(self) -> None:
        await self._open()
        self._task = asyncio.create_task(self._loop(), name="ledger-writer")

    async def stop(self) -> None:
        """Finishes what was queued, then closes the connection."""
        self._stopping = True
        self.healthy = False
        if self._task is not None:
            await self._queue.join()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._close()

    async def write(self, unit: WriteUnit[Any]) -> Any:
        if self._stopping or not self.healthy:
            raise IngestError(Reason.STORAGE_UNAVAILABLE, retry_after_seconds=1.0)
        waiting = _Waiting(unit, asyncio.get_running_loop().create_future(), call_facts(), current_party.get())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise IngestError(Reason.SERVER_BUSY, retry_after_seconds=1.0) from None
        return await waiting.done

    @property
    def waiting(self) -> int:
        """Units that wait for the next transaction."""
        return self._queue.qsize()

    async def run(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Runs `function(connection)` between two commits: checkpoints and backups."""
        assert self._connection is not None, "the writer is not open"
        return await hop(self._connection, function)

    async def _open(self, *, prove: bool = False) -> None:
        """Opens the connection; with `prove` only if a commit on it succeeds: opening alone writes nothing."""
        self._connection = await aiosqlite.Connection(self._connect, iter_chunk_size=64)
        self._cache = RowCache()
        if prove:
            await hop(self._connection, prove_durable)
        self.healthy = True

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _loop(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            ran = batch
            try:
                ran = batch[: await self._commit(batch)]
            finally:
                if len(ran) < len(batch):
                    self._queue.put_back(batch[len(ran) :], ran)
                for waiting in ran:
                    if not waiting.done.done():
                        waiting.done.set_exception(IngestError(Reason.STORAGE_UNAVAILABLE))
                    self._queue.task_done()

    async def _commit(self, batch: Sequence[_Waiting]) -> int:
        """How many units of it were run, or failed with it; the others are to be committed later."""
        units = [waiting.unit for waiting in batch]
        try:
            assert self._connection is not None, "the writer is not open"
            began = perf_counter()
            committed = await hop(
                self._connection, partial(run_batch, units=units, make_tx=self._make_tx, cache=self._cache)
            )
            COMMIT_SECONDS.observe(perf_counter() - began)
            COMMIT_UNITS.observe(len(committed.outcomes))
        except Exception as error:  # noqa: BLE001 - whatever the database raises is told to its callers
            await self._batch_failed(batch, error)
            return len(batch)
        ran = batch[: len(committed.outcomes)]
        self._tell(ran, committed)
        for waiting, outcome in zip(ran, committed.outcomes, strict=True):
            if waiting.done.done():
                continue  # its caller was cancelled; the unit is committed all the same
            if outcome.error is None:
                waiting.done.set_result(outcome.value)
            else:
                waiting.done.set_exception(outcome.error)
        return len(ran)

    def _tell(self, ran: Sequence[_Waiting], committed: _Committed) -> None:
        """Wakes before the callers continue: whoever hears of a change can already read it everywhere."""
        pairs = zip(ran, committed.outcomes, strict=True)
        committed.commit.told = [(waiting.call, outcome.events) for waiting, outcome in pairs if outcome.events]
        try:
            self._on_commit(committed.commit)
        except Exception:
            log.exception("a listener failed after a commit")

    async def _batch_failed(self, batch: Sequence[_Waiting], error: Exception) -> None:
        failure = explain(error)
        COMMIT_FAILURES.labels(failure.reason).inc()
        log.error("commit of %d units failed: %s", len(batch), error)
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(failure)
        if is_broken(error):
            await self._reopen()

    async def _reopen(self) -> None:
        """After an I/O error nothing is known of the connection's state: a new one recovers from the WAL."""
        self.healthy = False
        for attempt in range(1, REOPEN_ATTEMPTS + 1):
            try:
                await self._close()
                await self._open(prove=True)
            except Exception as error:  # noqa: BLE001 - any failure to open is tried again
                log.error("reopening the ledger failed (%d of %d): %s", attempt, REOPEN_ATTEMPTS, error)
                if attempt < REOPEN_ATTEMPTS:
                    await asyncio.sleep(REOPEN_PAUSE_SECONDS * attempt)
            else:
                LEDGER_REOPENED.inc()
                log.warning("the ledger was reopened after an I/O error")
                return
        self._on_broken()


def run_batch(
    connection: sqlite3.Connection,
    units: Sequence[WriteUnit[Any]],
    make_tx: MakeTx = SqliteTx,
    cache: RowCache | None = None,
) -> _Committed:
    """One transaction for the units, at least the first; those beyond BATCH_SECONDS are not run and have no outcome.

    One that raises leaves nothing behind and does not disturb the others. Nearly always nothing raises, so the batch
    first runs plainly. If a unit raises, all is rolled back and the batch is run anew, within the same bound, with a
    SAVEPOINT around each unit. Raises what the database itself failed with.
    """
    cache = RowCache() if cache is None else cache
    try:
        return _Batch(connection, make_tx, cache).commit(units, apart=False)
    except Exception as error:
        if is_of_database(error):
            raise
    return _Batch(connection, make_tx, cache).commit(units, apart=True)


class _Batch:
    """One transaction for many units, which share its Tx: what they read and owe is common to them."""

    def __init__(self, connection: sqlite3.Connection, make_tx: MakeTx, cache: RowCache) -> None:
        self._connection = connection
        self._cache = cache
        self._tx = make_tx(connection, cache)

    def commit(self, units: Sequence[WriteUnit[Any]], *, apart: bool) -> _Committed:
        """Units as long as there is time, then what they owe, then COMMIT."""
        run = self._run_apart if apart else self._run
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._cache.begin(connection)
            outcomes: list[_Outcome] = []
            until = perf_counter() + BATCH_SECONDS
            for unit in units:
                outcomes.append(run(unit))
                if perf_counter() >= until:
                    break
            self._cache.settle(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._cache.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return _Committed(outcomes, self._tx.commit)

    def _run(self, unit: WriteUnit[Any]) -> _Outcome:
        tx = self._tx
        value = drive(unit(tx))
        if not self._connection.in_transaction:
            # SQLite may roll a whole transaction back by itself; then earlier units of the batch are gone too.
            raise RolledBack("the database rolled the transaction back")
        events, tx.commit.events = tx.commit.events, []
        return _Outcome(value=value, events=events)

    def _run_apart(self, unit: WriteUnit[Any]) -> _Outcome:
        """One unit, which takes nothing but itself along if it fails."""
        connection, tx = self._connection, self._tx
        before, tx.commit = tx.commit, Commit()
        connection.execute("SAVEPOINT unit")
        try:
            outcome = self._run(unit)
            self._cache.settle(connection)
        except Exception as error:
            if is_of_database(error):
                raise
            if not connection.in_transaction:
                raise RolledBack("the database rolled the transaction back") from error
            connection.execute("ROLLBACK TO unit")
            self._cache.forget()
            outcome = _Outcome(error=error)
        else:
            before.merge(tx.commit)
        tx.commit = before
        connection.execute("RELEASE unit")
        return outcome
