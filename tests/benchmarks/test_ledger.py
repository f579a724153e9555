"""Durable transitions: 64 concurrent writers against the very same statements on raw sqlite3."""

import asyncio
import itertools
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import SystemClock
from ingest_grpc.lifecycle import JobType, RecordStatus, Trigger
from ingest_grpc.memory import calm_collector
from ingest_grpc.model import NewJob
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import Commit, Tx
from ingest_grpc.store.sqlite.schema import connect_writer
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.benchmarks.harness import Bar, Figures, Table
from tests.benchmarks.statements import Statement, recorded, replay
from tests.factories import ALICE, WORKER, Core, to_add

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

WRITERS = 64
RECORDS_PER_JOB = 8
TRANSITIONS = 16
"""Of each writer per turn: it claims all records of a job of its own, then gives them all back."""

SINGLE = 256
"""Transitions per turn where each is committed for itself: they are slow."""

ROUNDS = 7
RATE = "durable transitions/s"
BUSY_SECONDS = 10.0

Unit = Callable[[Tx], Awaitable[None]]


async def test_transitions__against_raw_sqlite(tmp_path: Path, table: Table) -> None:
    """Every turn begins with a copy of the same ledger, so that all do the same work.

    The third row is what raw sqlite3 itself makes of the second one's bar: where a commit costs little, because the
    disk answers at once, batches cannot gain much.
    """
    calm_collector()  # as a server does
    template = tmp_path / "template.sqlite3"
    jobs = await _jobs(tmp_path / "core", template)
    statements = recorded(_copy(template, "recorded"), [unit for turn in zip(*jobs, strict=True) for unit in turn])
    batch, numbers = WRITERS, itertools.count()

    async def our_turn() -> Figures:
        nonlocal batch
        figures, commits = await _written(_copy(template, f"ours-{next(numbers)}"), jobs)
        batch = round(WRITERS * TRANSITIONS / commits)
        return figures

    async def bare_turn() -> Figures:
        return _replayed(_copy(template, f"bare-{next(numbers)}"), statements, batch)

    async def single_turn() -> Figures:
        figures = _replayed(_copy(template, f"single-{next(numbers)}"), statements[:SINGLE], 1)
        return {RATE: figures[RATE]}

    batches, singles = {RATE: Bar(0.6)}, {RATE: Bar(8)}
    await table.compare("64 writers, raw in batches of their size", our_turn, bare_turn, rounds=ROUNDS, bars=batches)
    await table.compare("64 writers, raw with one commit each", our_turn, single_turn, rounds=ROUNDS, bars=singles)
    await table.compare("the same, raw in batches instead of ours", bare_turn, single_turn, rounds=ROUNDS)


async def _jobs(folder: Path, template: Path) -> list[list[Unit]]:
    """Makes a ledger with a job for each writer, closed and copied to `template`; returns each writer's units."""
    core = Core(folder)
    await core.start()
    files = await core.uploads(RECORDS_PER_JOB)
    new = NewJob(name="benchmark", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files))
    jobs = [[_unit(row) for row in await _records(core, new)] for _ in range(WRITERS)]
    await core.stop()
    shutil.copyfile(core.settings.ledger_path, template)
    return [list(itertools.islice(itertools.cycle(units), TRANSITIONS)) for units in jobs]


async def _records(core: Core, new: NewJob) -> list[int]:
    """The rows of a new job's records."""
    job = (await core.jobs.create(ALICE, new, None)).value.job.job
    found = await core.store.read(lambda rows: rows.records(job_row=job.row_id, limit=RECORDS_PER_JOB))
    return [row.record.row_id for row in found]


def _unit(record_row: int) -> Unit:
    """Moves a record from QUEUED to RUNNING or back, as the worker's service does."""

    async def unit(tx: Tx) -> None:
        row = await tx.record_by_row(record_row)
        ledger = JobLedger(tx, await tx.job_by_row(row.job_row), SystemClock().now(), WORKER)
        if row.record.status is RecordStatus.QUEUED:
            attempt = row.record.attempt + 1
            await ledger.apply(row, Trigger.CLAIMED, attempt=attempt, worker_id=WORKER, processing_at=ledger.now)
        else:
            orphaned = row.record.orphaned_count + 1
            await ledger.apply(
                row, Trigger.ORPHANED, claimable=True, orphaned_count=orphaned, worker_id=None, processing_at=None
            )
        await ledger.close()

    return unit


def _copy(template: Path, name: str) -> Path:
    return Path(shutil.copyfile(template, template.with_name(f"{name}.sqlite3")))


async def _written(ledger: Path, jobs: Sequence[Sequence[Unit]]) -> tuple[Figures, int]:
    """All writers at once, and how many commits they took."""
    commits: list[Commit] = []
    store = SqliteStore(ledger, SystemClock(), on_commit=commits.append)

    async def write(units: Sequence[Unit]) -> None:
        for unit in units:
            await store.write(unit)

    await store.start()
    try:
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(write(units) for units in jobs))
        return _figures(WRITERS * TRANSITIONS, cpu, began), len(commits)
    finally:
        await store.stop()


def _replayed(ledger: Path, statements: Sequence[Sequence[Statement]], batch: int) -> Figures:
    """One thread that does nothing else, `batch` transitions per commit."""
    with closing(connect_writer(ledger, BUSY_SECONDS)) as connection:
        cpu, began = time.process_time(), time.perf_counter()
        replay(connection, statements, batch)
        return _figures(len(statements), cpu, began)


def _figures(transitions: int, cpu: float, began: float) -> Figures:
    return {
        RATE: transitions / (time.perf_counter() - began),
        "CPU µs/transition": (time.process_time() - cpu) / transitions * 1e6,
    }
