"""What must hold in every ledger after every commit, recounted from the rows with plain SQL.

Nothing here asks the code under test for its opinion, but for the two pure functions that define the
statuses (held against the product's tables in tests/unit/test_lifecycle.py) and the two that rank the queue.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from pydantic import TypeAdapter

from ingest_grpc.lifecycle import (
    TRANSITIONS,
    JobFacts,
    JobType,
    RecordStatus,
    Tally,
    Trigger,
    ingestion_job_status,
    job_status,
)
from ingest_grpc.model import (
    AlignmentChange,
    AlignmentJob,
    Change,
    FileRecord,
    IngestionJobChange,
    JobChange,
    Milestone,
    RecordChange,
)
from ingest_grpc.store.interface import Position, Rows, Store

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
_MARKS = {Trigger.REMOVED, Trigger.SUPERSEDED, Trigger.EXPIRED}
_TALLY = "queued, running, completed, failed, cancelled, unresolved"
_COUNTED = """
    SELECT {owner} AS owner, max(attempt) > 0 AS claimed, count(*) AS everything,
        coalesce(sum(status = 'QUEUED') FILTER (WHERE deleted_at IS NULL), 0) AS queued,
        coalesce(sum(status = 'RUNNING') FILTER (WHERE deleted_at IS NULL), 0) AS running,
        coalesce(sum(status = 'COMPLETED') FILTER (WHERE deleted_at IS NULL), 0) AS completed,
        coalesce(sum(status = 'FAILED') FILTER (WHERE deleted_at IS NULL), 0) AS failed,
        coalesce(sum(status = 'CANCELLED') FILTER (WHERE deleted_at IS NULL), 0) AS cancelled,
        coalesce(sum(status IN ('FAILED', 'CANCELLED') AND superseded_by IS NULL)
            FILTER (WHERE deleted_at IS NULL), 0) AS unresolved,
        coalesce(sum(output_expired_at IS NOT NULL) FILTER (WHERE deleted_at IS NULL), 0) AS expired,
        count(*) FILTER (
            WHERE deleted_at IS NULL AND member_count IS NOT NULL AND output_expired_at IS NULL
        ) AS archives,
        coalesce(sum(pages) FILTER (WHERE deleted_at IS NULL), 0) AS pages,
        coalesce(sum(bytes_in) FILTER (WHERE deleted_at IS NULL), 0) AS bytes_in
    FROM file_records GROUP BY {owner}
"""
_ERROR = ("error_reason", "error_step", "error_detail")
_FAILED = f"""
    SELECT {", ".join(_ERROR)} FROM file_records
    WHERE ingestion_job = ? AND status = 'FAILED' AND deleted_at IS NULL ORDER BY id
"""
_SHOWN = [
    "status",
    "attempt",
    "failures",
    "orphaned_count",
    "worker_id",
    "superseded_by",
    "deleted_at",
    "processing_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "pages",
    "bytes_out",
    "output_expired_at",
]

_SHOWN_ALIGNMENT = (
    "status",
    "attempt",
    "failures",
    "orphaned_count",
    "worker_id",
    "started_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "retired_at",
    "last_sequence",
)


async def check_ledger(store: Store, ledger: Path, stored: Mapping[str, int]) -> None:
    """Holds every invariant against a ledger on which no write runs; `stored` are its blobs' sizes by key."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        _check_jobs(connection)
        _check_ingestion_jobs(connection)
        _check_records(connection)
        _check_alignments(connection)
        _check_documents(connection)
        _check_timelines(connection)
        _check_blobs(connection, stored)
        ranks = _ranks(connection)
        jobs = [row["id"] for row in connection.execute("SELECT id FROM jobs")]
    await store.read(lambda rows: _check_positions(rows, jobs, ranks))


def _check_jobs(connection: sqlite3.Connection) -> None:
    counted = {row["owner"]: row for row in connection.execute(_COUNTED.format(owner="job"))}
    markdown = dict(
        connection.execute("SELECT job, count(*) FROM job_files WHERE removed_at IS NULL GROUP BY job").fetchall()
    )
    listed = {row[0] for row in connection.execute("SELECT DISTINCT job FROM job_files")}
    started = {row[0] for row in connection.execute("SELECT DISTINCT job FROM alignment_jobs")}
    current = {row["job"]: row for row in connection.execute("SELECT * FROM alignment_jobs WHERE retired_at IS NULL")}
    for job in connection.execute("SELECT * FROM jobs"):
        row_id, tally = job["id"], _tally(counted.get(job["id"]))
        assert _tally(job) == tally, f"tally of job {row_id}"
        facts = JobFacts(
            JobType(job["job_type"]),
            tally,
            markdown.get(row_id, 0),
            expired_outputs=counted[row_id]["expired"] if row_id in counted else 0,
            archives=counted[row_id]["archives"] if row_id in counted else 0,
            has_system_prompt=bool(job["system_prompt"]),
            cancelled=bool(job["cancel_requested"]),
            ever_active=row_id in counted or row_id in listed or row_id in started,
            alignment=RecordStatus(current[row_id]["status"]) if row_id in current else None,
        )
        assert job["alignment_status"] == facts.alignment, f"alignment of job {row_id}"
        assert job["alignment_job_id"] == (current[row_id]["alignment_job_id"] if row_id in current else None)
        assert facts.alignment is None or not tally.in_flight, f"job {row_id} converts files under an alignment"
        assert job["markdown_files"] == facts.markdown_files, f"Markdown files of job {row_id}"
        assert job["archives"] == facts.archives, f"archives of job {row_id}"
        assert job["expired_outputs"] == facts.expired_outputs, f"expired outputs of job {row_id}"
        assert bool(job["ever_active"]) == facts.ever_active, f"activity of job {row_id}"
        assert job["status"] == job_status(facts), f"status of job {row_id}"


def _check_ingestion_jobs(connection: sqlite3.Connection) -> None:
    counted = {row["owner"]: row for row in connection.execute(_COUNTED.format(owner="ingestion_job"))}
    for run in connection.execute("SELECT * FROM ingestion_jobs"):
        count = counted[run["id"]]
        tally = _tally(count)
        assert _tally(run) == tally, f"tally of ingestion job {run['id']}"
        assert (run["pages"], run["bytes_in"]) == (count["pages"], count["bytes_in"])
        assert (run["started_at"] is not None) == bool(count["claimed"])
        assert (run["completed_at"] is None) == (tally.in_flight > 0)
        assert run["status"] == ingestion_job_status(tally, ever_claimed=bool(count["claimed"]))
        failed = connection.execute(_FAILED, (run["id"],)).fetchone() if run["status"] == "FAILED" else None
        assert tuple(run[name] for name in _ERROR) == (tuple(failed) if failed else (None, None, ""))


def _tally(row: sqlite3.Row | None) -> Tally:
    return Tally() if row is None else Tally(*(row[column] for column in _TALLY.split(", ")))


def _check_records(connection: sqlite3.Connection) -> None:
    for row in connection.execute("SELECT * FROM file_records"):
        delayed = row["status"] == "QUEUED" and not row["claimable"]
        assert (row["wait_reason"] in ("BACK_OFF", "TEAM_CAP")) == delayed
        assert (row["next_attempt_at"] is not None) == (row["wait_reason"] == "BACK_OFF")
        assert (row["worker_id"] is not None) == (row["status"] == "RUNNING")
        assert row["attempt"] >= row["failures"] + row["orphaned_count"] >= 0
        ended = {status: row[f"{status.lower()}_at"] for status in ("COMPLETED", "FAILED", "CANCELLED")}
        assert [status for status, at in ended.items() if at is not None] in ([], [row["status"]])


def _check_alignments(connection: sqlite3.Connection) -> None:
    outputs = {row[0] for row in connection.execute("SELECT file_id FROM files WHERE kind = 'OUTPUT'")}
    for row in connection.execute("SELECT * FROM alignment_jobs"):
        delayed = row["status"] == "QUEUED" and not row["claimable"]
        assert (row["wait_reason"] in ("BACK_OFF", "TEAM_CAP")) == delayed
        assert (row["next_attempt_at"] is not None) == delayed
        assert (row["worker_id"] is not None) == (row["status"] == "RUNNING")
        assert row["attempt"] >= row["failures"] + row["orphaned_count"] >= 0
        assert (row["output_file_id"] in outputs) == (row["status"] == "COMPLETED")
        ended = {status: row[f"{status.lower()}_at"] for status in ("COMPLETED", "FAILED", "CANCELLED")}
        assert [status for status, at in ended.items() if at is not None] in ([], [row["status"]])
        if row["retired_at"] is not None:
            assert row["status"] in ("FAILED", "CANCELLED")


def _check_documents(connection: sqlite3.Connection) -> None:
    kept = connection.execute("SELECT * FROM document_counts WHERE documents <> 0 OR partial OR searchable OR chunks")
    counted = connection.execute("""
        SELECT knowledge_base, coalesce(data_source, 0), status, count(*), sum(partial), sum(searchable), sum(chunks)
        FROM live_documents GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """)
    assert [tuple(row) for row in kept] == [tuple(row) for row in counted], "counts of documents"


def _check_timelines(connection: sqlite3.Connection) -> None:
    for job in connection.execute("SELECT * FROM jobs").fetchall():
        events = connection.execute("SELECT * FROM events WHERE job = ? ORDER BY sequence", (job["id"],)).fetchall()
        earliest = job["earliest_sequence"]
        kept = [event["sequence"] for event in events if event["sequence"] >= earliest]
        assert kept == list(range(earliest, job["last_sequence"] + 1))
        assert all(event["milestone"] for event in events if event["sequence"] < earliest)
        times = [event["timestamp"] for event in events]
        assert times == sorted(times), f"times of job {job['id']}"
        assert job["updated_at"] >= times[-1]
        if earliest > 1:
            continue  # what is left of a compacted log tells only its end
        replay = _Replay()
        for event in events:
            replay.apply(event["sequence"], event["trigger"], _CHANGE.validate_json(event["change"]))
        assert replay.job == job["status"]
        _check_replayed(connection, job["id"], replay)


def _check_replayed(connection: sqlite3.Connection, job: int, replay: "_Replay") -> None:
    """A watcher that applied every event knows exactly what the rows say."""
    rows = {row["record_id"]: row for row in connection.execute("SELECT * FROM file_records WHERE job = ?", (job,))}
    assert rows.keys() == replay.records.keys()
    for record_id, row in rows.items():
        record = replay.records[record_id]
        assert [row[name] for name in _SHOWN] == [getattr(record, name) for name in _SHOWN], record_id
        assert row["error_reason"] == (record.error.reason if record.error else None)
        assert row["last_sequence"] == record.last_sequence
    runs = dict(connection.execute("SELECT ingestion_job_id, status FROM ingestion_jobs WHERE job = ?", (job,)))
    assert runs == replay.ingestion_jobs
    alignments = connection.execute("SELECT * FROM alignment_jobs WHERE job = ?", (job,)).fetchall()
    assert len(alignments) == len(replay.alignments)
    for row in alignments:
        alignment = replay.alignments[row["alignment_job_id"]]
        assert [row[name] for name in _SHOWN_ALIGNMENT] == [getattr(alignment, name) for name in _SHOWN_ALIGNMENT]


class _Replay:
    """What one who reads a timeline from its first event believes; it refuses a transition that cannot be."""

    def __init__(self) -> None:
        self.job: str | None = None
        self.records: dict[str, FileRecord] = {}
        self.ingestion_jobs: dict[str, str] = {}
        self.alignments: dict[str, AlignmentJob] = {}
        self._started: set[str] = set()

    def apply(self, sequence: int, trigger: str | None, change: Change) -> None:
        match change:
            case RecordChange():
                assert trigger is not None
                self._record(sequence, Trigger(trigger), change)
            case AlignmentChange():
                self._alignment(sequence, trigger, change)
            case JobChange(job=job, previous_status=None) if self.job is not None:
                assert job.last_sequence >= sequence  # its settings changed; a new status has an event of its own
            case JobChange(job=job, previous_status=previous):
                assert previous == self.job != job.status
                assert job.last_sequence >= sequence
                self.job = job.status
            case IngestionJobChange(ingestion_job=run, previous_status=previous):
                assert previous == self.ingestion_jobs.get(run.ingestion_job_id) != run.status
                assert run.last_sequence == sequence
                self.ingestion_jobs[run.ingestion_job_id] = run.status
            case Milestone(ingestion_job_id=run_id, status=status):
                assert status == self.ingestion_jobs[run_id]

    def _alignment(self, sequence: int, trigger: str | None, change: AlignmentChange) -> None:
        before, after = self.alignments.get(change.alignment.alignment_job_id), change.alignment
        previous = before.status if before is not None else None
        assert change.previous_status == previous
        assert after.last_sequence == sequence
        if trigger is None:
            assert after.retired_at is not None
            assert after.status is previous
        else:
            assert all(one.retired_at for one in self.alignments.values() if one is not before)
            assert after.status is TRANSITIONS[previous, Trigger(trigger)]
            assert after.attempt == (before.attempt if before else 0) + (trigger == Trigger.CLAIMED)
        self.alignments[after.alignment_job_id] = after

    def _record(self, sequence: int, trigger: Trigger, change: RecordChange) -> None:
        before, after = self.records.get(change.record.record_id), change.record
        previous = before.status if before is not None else None
        assert change.previous_status == previous
        assert after.last_sequence == sequence
        if trigger in _MARKS:
            assert before is not None
            assert after.status == previous
            assert not before.deleted or trigger is Trigger.EXPIRED
        else:
            assert after.status is TRANSITIONS[previous, trigger]
            assert after.attempt == (before.attempt if before else 0) + (trigger is Trigger.CLAIMED)
        self.records[after.record_id] = after


def _check_blobs(connection: sqlite3.Connection, stored: Mapping[str, int]) -> None:
    """No bytes without an owner, no owner without bytes, nothing shared that must not be."""
    rows = connection.execute("SELECT * FROM blobs").fetchall()
    owners = dict(
        connection.execute("SELECT blob, count(*) FROM files WHERE blob IS NOT NULL GROUP BY blob").fetchall()
    )
    assert stored.keys() <= {row["blob_key"] for row in rows}, "bytes that nobody owns"
    for row in rows:
        if row["deleted_at"] is None:
            assert owners[row["id"]] >= 1
            if row["sha256"]:
                assert stored[row["blob_key"]] == row["size_bytes"]
            else:  # it stands for an import that was not fetched yet
                assert row["blob_key"] not in stored
        else:
            assert row["id"] not in owners
    strays = "SELECT 1 FROM files AS f JOIN blobs AS b ON b.id = f.blob WHERE b.team <> f.team OR b.sha256 <> f.sha256"
    assert connection.execute(strays).fetchone() is None


def stored_files(root: Path) -> dict[str, int]:
    """Sizes by key of what lies in a local blob folder, in which nothing may be left half-done."""
    assert os.listdir(root / "staging") == []
    folders = (entry.path for entry in os.scandir(root) if entry.is_dir() and entry.name != "staging")
    return {blob.name: blob.stat().st_size for folder in folders for blob in os.scandir(folder)}


def _ranks(connection: sqlite3.Connection) -> dict[int, list[Position]]:
    """By job: the claimable records with their places in the whole queue, counted one by one."""
    queue = [(0, row) for row in connection.execute("SELECT * FROM file_records WHERE claimable = 1")]
    queue += [(1, row) for row in connection.execute("SELECT * FROM alignment_jobs WHERE claimable = 1")]
    queue.sort(key=lambda entry: (-entry[1]["priority"], entry[1]["fair_tag"], entry[0], entry[1]["id"]))
    ranks: dict[int, list[Position]] = {}
    for place, (kind, row) in enumerate(queue, start=1):
        assert row["status"] == RecordStatus.QUEUED
        name = row["alignment_job_id"] if kind else row["record_id"]
        ranks.setdefault(row["job"], []).append(Position(row["id"], name, place))
    return ranks


async def _check_positions(rows: Rows, jobs: list[int], ranks: dict[int, list[Position]]) -> None:
    for job in jobs:
        expected = ranks.get(job, [])
        aligned = await rows.current_alignment(job)
        if aligned is not None:
            place = await rows.alignment_position(aligned)
            assert place == next((one.position for one in expected), None)
            assert len(expected) <= 1
            continue
        assert await rows.positions(job, 1_000_000) == expected
        some = expected[:3]
        records = [await rows.record_by_row(one.row_id) for one in some]
        assert await rows.ranks(records) == {one.row_id: one.position for one in some}
