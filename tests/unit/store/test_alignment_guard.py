"""The database refuses by itself what the lifecycle does not have, for alignments as for records."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.lifecycle import TRANSITIONS, RecordStatus, Trigger
from ingest_grpc.store.sqlite.schema import connect_writer, migrate
from tests.unit.store.test_guard import PARENTS, WAYS

INSERT = """
    INSERT INTO alignment_jobs (id, alignment_job_id, job, team, user_id, engine, system_prompt, instructions, status,
        last_trigger, created_at, last_sequence, priority, fair_tag, claimable,
        attempt, worker_id, started_at, completed_at, output_file_id, failed_at, error_reason, cancelled_at)
    VALUES (?, ?, 1, 't', 'u', 'ASSEMBLE', '', '', ?, ?, 1, 1, 0, 1, 0, 1, 'w', 1, 1, ?, 1, 'INTERNAL', 1)
"""
"""Every column that a CHECK may ask for is set: only the guard can refuse."""


def insert(ledger: sqlite3.Connection, status: RecordStatus, trigger: Trigger, number: int = 1) -> None:
    ledger.execute(INSERT, (number, f"al-{number}", status, trigger, f"file-{number}"))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(connect_writer(tmp_path_factory.mktemp("guard") / "ledger.sqlite3", 1.0)) as connection:
        migrate(connection, ManualClock())
        connection.executescript(PARENTS)
        yield connection


@pytest.fixture
def ledger(migrated: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    migrated.execute("BEGIN")
    yield migrated
    migrated.execute("ROLLBACK")


def bring_to(ledger: sqlite3.Connection, status: RecordStatus) -> None:
    insert(ledger, RecordStatus.QUEUED, Trigger.ADDED)
    before = RecordStatus.QUEUED
    for trigger in WAYS[status]:
        before = TRANSITIONS[before, trigger]
        ledger.execute("UPDATE alignment_jobs SET status = ?, last_trigger = ?", (before, trigger))


PAIRS = list(itertools.product(RecordStatus, Trigger))


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_guard__allows_only_the_table(ledger: sqlite3.Connection, status: RecordStatus, trigger: Trigger) -> None:
    bring_to(ledger, status)
    for after in RecordStatus:
        ledger.execute("SAVEPOINT try")
        change = "UPDATE alignment_jobs SET status = ?, last_trigger = ?"
        if TRANSITIONS.get((status, trigger)) is after:
            ledger.execute(change, (after, trigger))
        else:
            with pytest.raises(sqlite3.IntegrityError, match="transition refused"):
                ledger.execute(change, (after, trigger))
        ledger.execute("ROLLBACK TO try")


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_guard__of_a_new_alignment(ledger: sqlite3.Connection, status: RecordStatus, trigger: Trigger) -> None:
    if TRANSITIONS.get((None, trigger)) is status:
        insert(ledger, status, trigger)
    else:
        with pytest.raises(sqlite3.IntegrityError, match="transition refused"):
            insert(ledger, status, trigger)


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (RecordStatus.RUNNING, "claimable = 1"),
        (RecordStatus.RUNNING, "worker_id = NULL"),
        (RecordStatus.RUNNING, "started_at = NULL"),
        (RecordStatus.RUNNING, "attempt = 0"),
        (RecordStatus.RUNNING, "retired_at = 1"),
        (RecordStatus.QUEUED, "retired_at = 1"),
        (RecordStatus.COMPLETED, "retired_at = 1"),
        (RecordStatus.COMPLETED, "completed_at = NULL"),
        (RecordStatus.COMPLETED, "output_file_id = NULL"),
        (RecordStatus.FAILED, "failed_at = NULL"),
        (RecordStatus.FAILED, "error_reason = NULL"),
        (RecordStatus.CANCELLED, "cancelled_at = NULL"),
    ],
)
def test_checks__refuse_a_status_without_its_evidence(
    ledger: sqlite3.Connection, status: RecordStatus, change: str
) -> None:
    bring_to(ledger, status)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        ledger.execute(f"UPDATE alignment_jobs SET {change}")


def test_current__is_at_most_one_per_job(ledger: sqlite3.Connection) -> None:
    bring_to(ledger, RecordStatus.FAILED)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
        insert(ledger, RecordStatus.QUEUED, Trigger.ADDED, number=2)
    ledger.execute("UPDATE alignment_jobs SET retired_at = 1")
    insert(ledger, RecordStatus.QUEUED, Trigger.ADDED, number=2)
