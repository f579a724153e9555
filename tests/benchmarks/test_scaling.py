"""What must not grow with history: the same calls on ledgers of 1,000 to 1,000,000 records, 500 queued in each."""

import random
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.api.caches import JobCaches
from ingest_grpc.clock import SystemClock
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import NewJob
from ingest_grpc.service.attempts import AttemptLimits
from ingest_grpc.service.work import WorkService
from ingest_grpc.store.interface import RecordRow, Rows
from ingest_grpc.store.sqlite.hop import drive
from ingest_grpc.store.sqlite.rows import SqliteRows
from ingest_grpc.store.sqlite.schema import connect_reader
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.benchmarks.harness import Bar, Table
from tests.benchmarks.ledgers import TEAM, prepared
from tests.factories import ALICE, Core, to_add

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1_800)]

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 9
CALLS = 40
"""Of each kind per turn: other jobs, pages and places each time, so that no cache of ours answers."""

LONG_QUEUE = 10_000
CHUNK_BYTES = 2**20

Call = Callable[[], Awaitable[object]]


class Ledger:
    """A prepared ledger, open, and what is asked of it."""

    def __init__(self, records: int) -> None:
        self.records = records
        path = prepared(records) / "ledger.sqlite3"
        _read_through(path)
        self.store = SqliteStore(path, SystemClock())
        self._work = WorkService(self.store, SystemClock(), limits=AttemptLimits(3, 10**9), backoff_max_seconds=300)
        self._chance = random.Random(7)

    async def start(self) -> None:
        await self.store.start()
        newest = await self.store.read(lambda rows: rows.jobs_newest(TEAM, (), None, 1))
        self._newest = newest[0].row_id

    @property
    def calls(self) -> dict[str, Call]:
        return {"GetJob": self.get_job, "ListJobs": self.list_jobs, "watch resume": self.resume, "claim": self.claim}

    def _any_job(self) -> int:
        return self._chance.randrange(1, self._newest)

    async def get_job(self) -> None:
        job_id = (await self.store.read(lambda rows: rows.job_by_row(self._any_job()))).job_id
        await JobCaches.of(self.store).replies.of_job(TEAM, job_id)

    async def list_jobs(self) -> None:
        heads = await self.store.read(lambda rows: rows.jobs_newest(TEAM, (), self._any_job() + 26, 26))
        assert len(heads) >= 25

    async def resume(self) -> None:
        events = await self.store.read(lambda rows: rows.events_after(self._any_job(), 20, 200))
        assert events

    async def claim(self) -> None:
        """One record, which is then given back to the place where it was."""
        claims = await self._work.claim("bench", 1)
        assert len(claims) == 1
        assert await self._work.orphan(claims) == 1


def _read_through(path: Path) -> None:
    """Once, so that the system has the file in memory if there is room: the disk is not what is measured."""
    with path.open("rb", buffering=0) as file:
        while file.read(CHUNK_BYTES):
            pass


async def _seconds(call: Call) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        await call()
    return (time.perf_counter() - began) / CALLS


async def test_calls__cost_the_same_at_any_size(table: Table) -> None:
    ledgers = [Ledger(records) for records in SIZES]
    for ledger in ledgers:
        await ledger.start()
    try:
        for name in ledgers[0].calls:
            turns = [[await _seconds(ledger.calls[name]) * 1e6 for ledger in ledgers] for _ in range(ROUNDS + 1)][1:]
            for number, ledger in enumerate(ledgers):
                middle = statistics.median(turn[number] for turn in turns)
                table.curve(f"{name} by records", "µs", ledger.records, middle)
            pairs = [(turn[-1], turn[0]) for turn in turns]
            table.add(f"{name}: 1,000,000 records against 1,000", "µs", pairs, Bar(1.5, at_most=True))
    finally:
        for ledger in ledgers:
            await ledger.store.stop()


async def test_position__costs_what_a_count_over_the_index_costs(tmp_path: Path, table: Table) -> None:
    """Of the last of 10,000 queued records."""
    core = Core(tmp_path)
    await core.start()
    files = await core.uploads(1_000)
    for _ in range(LONG_QUEUE // len(files)):
        new = NewJob(name="bench", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files))
        job = (await core.jobs.create(ALICE, new, None)).value.job.job
    [*_, last] = await core.store.read(lambda rows: rows.records(job_row=job.row_id, limit=1_000))
    await core.stop()
    with closing(connect_reader(core.settings.ledger_path)) as connection:
        pairs = [(_position(connection, last), _count(connection, last)) for _ in range(ROUNDS)]
    table.add(f"queue position at {LONG_QUEUE:,} queued, raw COUNT", "µs", pairs, Bar(1.5, at_most=True))


def _position(connection: sqlite3.Connection, row: RecordRow) -> float:
    rows: Rows = SqliteRows(connection)
    began = time.perf_counter()
    for _ in range(CALLS):
        assert drive(rows.ranks([row])) == {row.record.row_id: LONG_QUEUE}
    return (time.perf_counter() - began) / CALLS * 1e6


def _count(connection: sqlite3.Connection, row: RecordRow) -> float:
    sql = "SELECT count(*) FROM file_records WHERE claimable = 1 AND priority = ? AND (fair_tag, id) < (?, ?)"
    began = time.perf_counter()
    for _ in range(CALLS):
        [found] = connection.execute(sql, (row.priority, row.fair_tag, row.record.row_id)).fetchone()
        assert found == LONG_QUEUE - 1
    return (time.perf_counter() - began) / CALLS * 1e6
