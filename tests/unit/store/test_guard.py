"""The database refuses by itself what the lifecycle does not have, whoever asks."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.lifecycle import TRANSITIONS, RecordStatus, Trigger
from ingest_grpc.store.sqlite.schema import connect_writer, migrate

PARENTS = """
    INSERT INTO jobs (id, job_id, team, user_id, name, description, job_type, status, method, system_prompt,
        instructions, queued, running, completed, failed, cancelled, unresolved, markdown_files, cancel_requested,
        ever_active,
        last_sequence, earliest_sequence, created_at, updated_at)
    VALUES (1, 'dj', 't', 'u', 'n', '', 'CONTEXT_GROUNDED_FILES', 'NEEDS_REVIEW', 'SPEED_OPTIMIZED', '', '',
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1);
    INSERT INTO ingestion_jobs (id, ingestion_job_id, job, team, status, queued, running, completed, failed, cancelled,
        unresolved, pages, bytes_in, created_at, last_sequence)
    VALUES (1, 'ij', 1, 't', 'QUEUED', 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    INSERT INTO blobs VALUES (1, 'k', 't', 'sha', 1, 1, NULL);
    INSERT INTO files (id, file_id, team, user_id, kind, filename, path, content_type, size_bytes, sha256, markdown,
        blob, created_at)
    VALUES (1, 'file', 't', 'u', 'UPLOAD', 'a', '', 'x/y', 1, 'sha', 0, 1, 1);
"""
INSERT = """
    INSERT INTO file_records (id, record_id, job, ingestion_job, file, output_file_id, team, user_id, filename,
        output_filename, method, status, last_trigger, created_at, bytes_in, last_sequence, fair_tag, claimable,
        attempt, worker_id, processing_at, completed_at, bytes_out, failed_at, error_reason, cancelled_at)
    VALUES (1, 'ijf', 1, 1, 1, 'md', 't', 'u', 'a', 'a.md', 'SPEED_OPTIMIZED', ?, ?, 1, 1, 1, 1, 0,
        1, 'w', 1, 1, 1, 1, 'INTERNAL', 1)
"""
"""Every column that a CHECK may ask for is set: only the guard can refuse."""

PAIRS = list(itertools.product(RecordStatus, Trigger))
WAYS = {
    RecordStatus.QUEUED: (),
    RecordStatus.RUNNING: (Trigger.CLAIMED,),
    RecordStatus.COMPLETED: (Trigger.CLAIMED, Trigger.SUCCEEDED),
    RecordStatus.FAILED: (Trigger.CLAIMED, Trigger.FAILED),
    RecordStatus.CANCELLED: (Trigger.CANCELLED,),
}


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
    ledger.execute(INSERT, (RecordStatus.QUEUED, Trigger.ADDED))
    before = RecordStatus.QUEUED
    for trigger in WAYS[status]:
        before = TRANSITIONS[before, trigger]
        ledger.execute("UPDATE file_records SET status = ?, last_trigger = ?", (before, trigger))


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_guard__allows_only_the_table(ledger: sqlite3.Connection, status: RecordStatus, trigger: Trigger) -> None:
    bring_to(ledger, status)
    for after in RecordStatus:
        ledger.execute("SAVEPOINT try")
        change = "UPDATE file_records SET status = ?, last_trigger = ?"
        if TRANSITIONS.get((status, trigger)) is after:
            ledger.execute(change, (after, trigger))
        else:
            with pytest.raises(sqlite3.IntegrityError, match="transition refused"):
                ledger.execute(change, (after, trigger))
        ledger.execute("ROLLBACK TO try")


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_guard__of_a_new_record(ledger: sqlite3.Connection, status: RecordStatus, trigger: Trigger) -> None:
    if TRANSITIONS.get((None, trigger)) is status:
        ledger.execute(INSERT, (status, trigger))
    else:
        with pytest.raises(sqlite3.IntegrityError, match="transition refused"):
            ledger.execute(INSERT, (status, trigger))


@pytest.mark.parametrize("status", RecordStatus)
def test_guard__of_an_update_that_names_no_trigger(ledger: sqlite3.Connection, status: RecordStatus) -> None:
    bring_to(ledger, status)
    for after in RecordStatus:
        with pytest.raises(sqlite3.IntegrityError, match="transition refused"):
            ledger.execute("UPDATE file_records SET status = ?", (after,))


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (RecordStatus.RUNNING, "claimable = 1"),
        (RecordStatus.RUNNING, "worker_id = NULL"),
        (RecordStatus.RUNNING, "processing_at = NULL"),
        (RecordStatus.RUNNING, "attempt = 0"),
        (RecordStatus.COMPLETED, "claimable = 1"),
        (RecordStatus.COMPLETED, "completed_at = NULL"),
        (RecordStatus.COMPLETED, "bytes_out = 0"),
        (RecordStatus.COMPLETED, "bytes_out = NULL"),
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
        ledger.execute(f"UPDATE file_records SET {change}")


@pytest.mark.parametrize("table", ["jobs", "ingestion_jobs"])
@pytest.mark.parametrize("count", ["queued", "running", "completed", "failed", "cancelled", "unresolved"])
def test_checks__refuse_a_negative_count(ledger: sqlite3.Connection, table: str, count: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        ledger.execute(f"UPDATE {table} SET {count} = -1")


def test_checks__refuse_a_live_file_without_bytes(ledger: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        ledger.execute("UPDATE files SET blob = NULL")


def test_events__have_each_sequence_once_per_job(ledger: sqlite3.Connection) -> None:
    event = "INSERT INTO events (job, sequence, team, timestamp, type, milestone, message, actor, change) "
    ledger.execute(event + "VALUES (1, 1, 't', 1, 'CREATED', 1, '', 'u', '{}')")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
        ledger.execute(event + "VALUES (1, 1, 't', 1, 'CREATED', 1, '', 'u', '{}')")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        ledger.execute(event + "VALUES (1, 0, 't', 1, 'CREATED', 1, '', 'u', '{}')")


def test_foreign_keys__are_enforced(ledger: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY constraint failed"):
        ledger.execute("INSERT INTO job_files (job, file, added_at) VALUES (1, 99, 1)")


def test_guard__follows_the_lifecycle_at_every_start(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / "ledger.sqlite3", 1.0)) as connection:
        migrate(connection, ManualClock())
        connection.execute("DELETE FROM transitions WHERE trigger = 'CLAIMED'")
        connection.execute("INSERT INTO transitions VALUES ('FAILED', 'CLAIMED', 'COMPLETED')")
        migrate(connection, ManualClock())
        rows = connection.execute("SELECT from_status, trigger, to_status FROM transitions").fetchall()

    assert {tuple(row) for row in rows} == {(before or "", by, after) for (before, by), after in TRANSITIONS.items()}
