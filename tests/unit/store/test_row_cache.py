"""What the writer keeps of rows, and what it owes them: never older than the ledger, never seen half-done."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

import pytest

from ingest_grpc.clock import SystemClock
from ingest_grpc.lifecycle import TransitionRefused, Trigger
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import Tx
from ingest_grpc.store.sqlite.job_tx import CACHED, _careful
from ingest_grpc.store.sqlite.row_cache import LONG_CHARACTERS, MAX_LONG_JOBS, OWED, RowCache
from ingest_grpc.store.sqlite.schema import connect_writer, migrate
from ingest_grpc.store.sqlite.statements import statements
from tests.cached_rows import check_cached_rows
from tests.factories import ALICE, WORKER, Core, StartCore

Unit = Callable[[Tx], Awaitable[None]]


@pytest.fixture
async def core(start_core: StartCore) -> Core:
    return await start_core()


async def two_records(core: Core) -> tuple[str, list[int]]:
    job = (await core.create(*await core.uploads(2))).job.job
    rows = await core.store.read(lambda rows: rows.records(job_row=job.row_id, limit=10))
    return job.job_id, [row.record.row_id for row in rows]


def claimed(record_row: int) -> Unit:
    async def unit(tx: Tx) -> None:
        row = await tx.record_by_row(record_row)
        ledger = JobLedger(tx, await tx.job_by_row(row.job_row), 0, WORKER)
        await ledger.apply(row, Trigger.CLAIMED, attempt=1, worker_id=WORKER, processing_at=1)
        await ledger.close()

    return unit


async def test_batch__writes_a_job_once_and_all_its_events(core: Core) -> None:
    job_id, records = await two_records(core)
    commits = len(core.commits)

    await asyncio.gather(*(core.store.write(claimed(record)) for record in records))

    assert len(core.commits) == commits + 1
    job = await core.job(job_id)
    assert (job.tally.queued, job.tally.running) == (0, 2)
    assert [event.sequence for event in await core.events(job_id)] == list(range(1, job.last_sequence + 1))
    await core.check()


async def test_unit__reads_what_an_earlier_one_of_its_batch_owes(core: Core) -> None:
    job_id, [record, _] = await two_records(core)

    async def looks(tx: Tx) -> tuple[int, int]:
        job = await tx.job(ALICE.team_id, job_id)
        assert job is not None
        listed = await tx.jobs_newest(ALICE.team_id, (), None, 10)
        return job.tally.running, listed[0].last_sequence - len(await tx.events_after(job.row_id, 0, 100))

    _, seen = await asyncio.gather(core.store.write(claimed(record)), core.store.write(looks))
    assert seen == (1, 0)


async def test_unit_that_raises__leaves_nothing_in_the_cache(core: Core) -> None:
    job_id, [one, two] = await two_records(core)

    async def raises(tx: Tx) -> None:
        await claimed(two)(tx)
        raise KeyError("mine")

    results = await asyncio.gather(
        core.store.write(claimed(one)), core.store.write(raises), core.store.write(claimed(two)), return_exceptions=True
    )

    assert [type(result) for result in results] == [type(None), KeyError, type(None)]
    assert (await core.job(job_id)).tally.running == 2
    await core.check()


async def test_transition__of_a_record_that_moved_is_refused(core: Core) -> None:
    """Two units of one batch claim the same record: the second sees the first."""
    _, [record, _] = await two_records(core)
    first, second = await asyncio.gather(
        core.store.write(claimed(record)), core.store.write(claimed(record)), return_exceptions=True
    )
    assert first is None
    assert isinstance(second, TransitionRefused)
    await core.check()


async def test_commit_of_another_connection__is_seen(core: Core) -> None:
    job_id, [record, _] = await two_records(core)
    await core.claim(1)

    with closing(sqlite3.connect(core.settings.ledger_path)) as connection:
        connection.execute("UPDATE jobs SET description = 'changed by an operator'")
        connection.execute("UPDATE file_records SET user_id = 'somebody'")
        connection.commit()

    async def looks(tx: Tx) -> tuple[str, str]:
        job = await tx.job(ALICE.team_id, job_id)
        assert job is not None
        return job.description, (await tx.record_by_row(record)).record.user_id

    assert await core.store.write(looks) == ("changed by an operator", "somebody")
    await check_cached_rows(core.store)


async def test_cache__is_bounded(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.store.sqlite.row_cache.MAX_RECORDS", 3)
    await core.create(*await core.uploads(8))
    await core.claim(8)
    await core.store.write(lambda tx: tx.count_queued(ALICE.team_id, 1))
    assert len(core.store._writer._cache.records) == 3


IMMUTABLE = {("jobs", "id"), ("jobs", "job_id"), ("ingestion_jobs", "id"), ("ingestion_jobs", "ingestion_job_id")}
"""Columns of owed tables that never change: reading them needs nothing written first."""

CHANGES = {sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(connect_writer(tmp_path_factory.mktemp("ledger") / "ledger.sqlite3", 1.0)) as connection:
        migrate(connection, SystemClock())
        yield connection


@pytest.mark.parametrize("name", sorted(statements().keys() - _careful()))
def test_plain_statement__neither_reads_what_may_be_owed_nor_changes_what_may_be_cached(
    ledger: sqlite3.Connection, name: str
) -> None:
    """Words tell which statements need care; SQLite itself, asked here, knows of views and triggers too."""
    touched: list[tuple[int, str | None, str | None]] = []

    def note(action: int, table: str | None, column: str | None, *_: object) -> int:
        touched.append((action, table, column))
        return sqlite3.SQLITE_OK

    ledger.set_authorizer(note)
    try:
        statement = statements()[name]
        ledger.execute(f"EXPLAIN {statement.positional}", (1,) * statement.positional.count("?")).fetchall()
    finally:
        ledger.set_authorizer(None)

    read = {(table, column) for action, table, column in touched if action == sqlite3.SQLITE_READ}
    assert {(table, column) for table, column in read if table in OWED and column} <= IMMUTABLE
    assert not {table for action, table, _ in touched if action in CHANGES} & CACHED


async def test_long_jobs__are_few_and_short_ones_stay(core: Core) -> None:
    short = (await core.create()).job.job
    cache = RowCache()
    with closing(sqlite3.connect(":memory:")) as connection:
        cache.begin(connection)
        cache.keep_job(short)
        for number in range(1, MAX_LONG_JOBS + 8):
            long = {"row_id": short.row_id + number, "job_id": f"long {number}", "system_prompt": "a" * LONG_CHARACTERS}
            cache.update_job(short.model_copy(update={**long, "instructions": "b"}))
        cache._owed_jobs.clear()  # as COMMIT leaves it
        cache.begin(connection)

    assert cache.job_named(short.job_id) is short
    assert len(cache.jobs) == 1 + MAX_LONG_JOBS
    assert cache.job_named("long 7") is None
    assert cache.job_named("long 8") is not None
