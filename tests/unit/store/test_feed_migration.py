"""What the sixth migration makes of a ledger that has lived: its feed, and what there is to compact."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.sqlite.schema import connect_writer, migrate, migrations
from ingest_grpc.store.sqlite.statements import statements

NEW_EVENT = "INSERT INTO events (job, sequence, team, timestamp, type, milestone, message, actor, change) "
OLD = """
    INSERT INTO jobs (id, job_id, team, user_id, name, description, job_type, status, method, system_prompt,
        instructions, queued, running, completed, failed, cancelled, unresolved, markdown_files, cancel_requested,
        ever_active,
        last_sequence, earliest_sequence, created_at, updated_at)
    VALUES
        (1, 'dj-settled', 't', 'u', 'n', '', 'CONTEXT_GROUNDED_FILES', 'READY_TO_START', 'SPEED_OPTIMIZED', '', '',
            0, 0, 1, 0, 0, 0, 0, 0, 1, 4, 1, 1, 40),
        (2, 'dj-running', 't', 'u', 'n', '', 'CONTEXT_GROUNDED_FILES', 'FILE_PROCESSING', 'SPEED_OPTIMIZED', '', '',
            1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 50),
        (3, 'dj-new', 't', 'u', 'n', '', 'CONTEXT_GROUNDED_FILES', 'NEEDS_REVIEW', 'SPEED_OPTIMIZED', '', '',
            0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 60);
"""
TYPES = [
    ("CREATED", 1, True),
    ("RECORD_ADDED", 0, False),
    ("INGESTION_JOB_CHANGED", 0, True),
    ("FILE_PROCESSING_STARTED", 1, True),
    ("FILES_ADDED", 0, False),
    ("JOB_CHANGED", 0, True),
    ("JOB_UPDATED", 0, True),
    ("JOB_DELETED", 0, True),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_writer(tmp_path / "ledger.sqlite3", 1.0)) as connection:
        for number, script in migrations():
            if number < 6:
                connection.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        connection.executescript(OLD)
        for sequence, (kind, milestone, _) in enumerate(TYPES, 1):
            connection.execute(
                f"{NEW_EVENT} VALUES (1, ?, 't', ?, ?, ?, 'm', 'a', '{{}}')", (sequence, sequence, kind, milestone)
            )
        before = connection.execute("SELECT * FROM events").fetchall()
        migrate(connection, ManualClock())
        after = connection.execute(f"SELECT {', '.join(before[0].keys())} FROM events").fetchall()
        assert [tuple(row) for row in after] == [tuple(row) for row in before], "nothing of an event is lost"
        yield connection


def test_feed__has_milestones_and_events_of_the_job_itself(ledger: sqlite3.Connection) -> None:
    rows = ledger.execute("SELECT type, in_feed FROM events ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(kind, int(in_feed)) for kind, _, in_feed in TYPES]


def test_feed__never_gives_an_id_twice(ledger: sqlite3.Connection) -> None:
    greatest = ledger.execute("SELECT max(id) FROM events").fetchone()[0]
    ledger.execute("DELETE FROM events WHERE id = ?", (greatest,))
    ledger.execute(f"{NEW_EVENT} VALUES (1, 9, 't', 1, 'JOB_CHANGED', 0, 'm', 'a', '{{}}')")
    assert ledger.execute("SELECT max(id) FROM events").fetchone()[0] > greatest


def test_compaction__waits_for_jobs_that_are_settled(ledger: sqlite3.Connection) -> None:
    rows = ledger.execute("SELECT job_id, compactable_since FROM jobs ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("dj-settled", 40), ("dj-running", None), ("dj-new", None)]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("feed_after", "events_in_feed"),
        ("feed_newest", "events_in_feed"),
        ("job_to_compact", "jobs_to_compact"),
        ("oldest_events", "events_by_job"),
        ("outputs_before", "outputs_by_age"),
    ],
)
def test_reads__are_index_ranges_and_sort_nothing(ledger: sqlite3.Connection, statement: str, index: str) -> None:
    sql = statements()[statement].sql
    values: dict[str, object] = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    plan = " / ".join(row["detail"] for row in ledger.execute(f"EXPLAIN QUERY PLAN {sql}", values))
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN" not in plan
