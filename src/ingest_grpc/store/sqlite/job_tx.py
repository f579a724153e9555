"""Writes of jobs, ingestion jobs, records and events, over what the writer knows of them: see row_cache."""

import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar, cast

from ingest_grpc.lifecycle import RecordStatus, Trigger, WaitReason
from ingest_grpc.model import FileRecord, IngestionJob, Job, JobFile, JobFilter, TimelineEvent
from ingest_grpc.store.claims import moved
from ingest_grpc.store.interface import Commit, FoundJob, JobCursor, NewRecord, RecordRow, Tx, WriteUnit
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.row_cache import OWED, RowCache
from ingest_grpc.store.sqlite.rows import SqliteRows
from ingest_grpc.store.sqlite.statements import Row, statements

T = TypeVar("T")

CACHED = frozenset({"jobs", "ingestion_jobs", "file_records", "files", "blobs"})
"""Tables that the cached rows are made of."""


@cache
def _careful() -> frozenset[str]:
    """The statements that read or change what may be owed, or change what may be cached."""
    return frozenset(
        name
        for name, statement in statements().items()
        if not (statement.words.isdisjoint(OWED) and statement.changes.isdisjoint(CACHED))
    )


class SqliteJobTx(SqliteRows):
    """The part of a unit's reads and writes that every transition of a record needs."""

    def __init__(
        self, connection: sqlite3.Connection, cache: RowCache | None = None, team_max_running: int | None = None
    ) -> None:
        super().__init__(connection)
        self._careful = _careful()
        self._cache = RowCache() if cache is None else cache
        self._team_max_running = team_max_running
        self.commit = Commit()

    def _run(self, name: str, parameters: Row) -> sqlite3.Cursor:
        """Runs a statement as if nothing were owed, and forgets what it may change."""
        statement = self._statements[name]
        if name in self._careful:
            self.settle()
            if not statement.changes.isdisjoint(CACHED):
                self._cache.changed(statement.changes)
        return self._execute(statement.positional, statement.values(parameters))

    def _change_record(self, name: str, **parameters: Any) -> int:
        """Changes one record's row and nothing else."""
        self._cache.records.pop(parameters["row_id"], None)
        statement = self._statements[name]
        return self._execute(statement.positional, statement.values(parameters)).rowcount

    def settle(self) -> None:
        """Writes what the cache owes."""
        self._cache.settle(self._connection)

    async def rehearse(self, unit: WriteUnit[T]) -> T:
        before, self.commit = self.commit, Commit()
        self.settle()  # what is owed by now stays
        self._connection.execute("SAVEPOINT rehearsal")
        try:
            return await unit(cast(Tx, self))
        finally:
            self.commit = before
            self._cache.forget()
            if self._connection.in_transaction:  # or the writer finds that the database rolled it back
                self._connection.execute("ROLLBACK TO rehearsal")
                self._connection.execute("RELEASE rehearsal")

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────

    async def insert_job(self, job: Job) -> int:
        return self._write("insert_job", **values.job_columns(job))

    async def job(self, team: str, job_id: str) -> Job | None:
        found = self._cache.job_named(job_id)
        if found is None:
            found = self._one("job", values.job_of, team=team, job_id=job_id)
            if found is not None:
                self._cache.keep_job(found)
        return found if found is not None and found.team_id == team and found.purged_at is None else None

    async def job_by_row(self, row_id: int) -> Job:
        job = self._cache.jobs.get(row_id)
        if job is None:
            job = self._cache.keep_job(self._the("job_by_row", values.job_of, row_id=row_id))
        return job

    async def jobs_where(
        self, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
    ) -> tuple[list[FoundJob], JobCursor | None]:
        self.settle()  # its statement has no name
        return await super().jobs_where(team, wanted, after, limit)

    async def count_jobs_where(self, team: str, wanted: JobFilter, limit: int) -> int:
        self.settle()
        return await super().count_jobs_where(team, wanted, limit)

    async def update_job(self, job: Job) -> None:
        self._cache.update_job(job)

    async def insert_ingestion_job(self, job: IngestionJob, job_row: int, team: str) -> int:
        return self._write(
            "insert_ingestion_job",
            ingestion_job_id=job.ingestion_job_id,
            job=job_row,
            team=team,
            created_at=job.created_at,
            knowledge_base_id=job.knowledge_base_id,
            data_source_id=job.data_source_id,
            **values.ingestion_job_columns(job),
        )

    async def ingestion_job_by_row(self, row_id: int) -> IngestionJob:
        job = self._cache.ingestion_jobs.get(row_id)
        if job is None:
            job = self._the("ingestion_job_by_row", values.ingestion_job_of, row_id=row_id)
            self._cache.ingestion_jobs[row_id] = job
        return job

    async def update_ingestion_job(self, job: IngestionJob) -> None:
        self._cache.update_ingestion_job(job)

    async def markdown_file(self, job_row: int, file_id: str) -> tuple[int, JobFile, bool] | None:
        return self._one(
            "markdown_file",
            lambda row: (row["id"], values.markdown_file_of(row), row["removed_at"] is None),
            job=job_row,
            file_id=file_id,
        )

    async def add_markdown_file(self, job_row: int, file_row: int, now: int) -> None:
        self._write("insert_markdown_file", job=job_row, file=file_row, added_at=now)

    async def remove_markdown_file(self, row_id: int, now: int) -> None:
        self._write("remove_markdown_file", row_id=row_id, removed_at=now)

    # ── records ────────────────────────────────────────────────────────────────────────────────────────

    async def insert_record(self, new: NewRecord) -> int:
        record = new.record
        columns = self._queueing(record, claimable=record.status is RecordStatus.QUEUED)
        columns.update(
            record_id=record.record_id,
            job=new.job_row,
            ingestion_job=new.ingestion_row,
            file=new.file_row,
            output_file_id=record.output_file_id,
            team=record.team_id,
            user_id=record.user_id,
            filename=record.filename,
            output_filename=record.output_filename,
            method=str(record.method),
            last_trigger=str(new.trigger),
            replaces=new.replaces_row,
            created_at=record.created_at,
            bytes_in=new.bytes_in,
            document=new.document_row,
            priority=new.priority,
            fair_tag=new.fair_tag,
            parent_record_id=record.parent_record_id,
            metadata=json.dumps(dict(record.metadata)) if record.metadata else None,
            root_record_id=new.root_record_id,
            archive_depth=new.archive_depth,
        )
        return self._write_row("insert_record", columns)

    def _queueing(self, record: FileRecord, *, claimable: bool) -> dict[str, Any]:
        """The columns of a record; where a cap is set, one that would join the queue waits until `admit`."""
        columns = values.record_columns(record)
        columns["claimable"] = int(claimable)
        if claimable and self._team_max_running is not None:
            columns |= {"claimable": 0, "wait_reason": WaitReason.TEAM_CAP.value}
        return columns

    async def transition_record(
        self, before: FileRecord, after: FileRecord, trigger: Trigger, *, claimable: bool
    ) -> bool:
        known = self._cache.records.get(before.row_id)
        columns = self._queueing(after, claimable=claimable)
        changed = self._change_record(
            "transition_record",
            row_id=before.row_id,
            status_before=str(before.status),
            attempt_before=before.attempt,
            last_trigger=str(trigger),
            **columns,
        )
        # Only of the very row that is known: a caller may hold an older one. A cap changes more than it says.
        if changed and known is not None and known.record is before and columns["claimable"] == claimable:
            self._cache.records[before.row_id] = moved(known, after, claimable=claimable)
        return changed == 1

    async def admit(self, team: str) -> None:
        if self._team_max_running is None:
            return
        room = self._team_max_running - int(self._value("count_at_work", team=team))
        if room > 0 and self._write("admit_capped", team=team, room=room):
            self.commit.claimable = True

    async def apply_caps(self) -> None:
        if self._team_max_running is None:
            self._write("admit_all")
            return
        self._write("hold_all")
        for team in self._all("capped_teams", lambda row: str(row["team"])):
            await self.admit(team)

    async def count_queued(self, team: str, limit: int) -> int:
        return int(self._value("count_queued", team=team, limit=limit))

    async def mark_record(
        self,
        row_id: int,
        *,
        deleted_at: int | None,
        superseded_by: str | None,
        output_expired_at: int | None,
        sequence: int,
    ) -> None:
        self._change_record(
            "mark_record",
            row_id=row_id,
            deleted_at=deleted_at,
            superseded_by=superseded_by,
            output_expired_at=output_expired_at,
            last_sequence=sequence,
        )

    async def requeue_record(self, row_id: int, fair_tag: int) -> None:
        self._change_record("requeue_record", row_id=row_id, fair_tag=fair_tag)

    async def make_claimable(self, row_id: int) -> None:
        capped = self._team_max_running is not None
        wait_reason = WaitReason.TEAM_CAP if capped else None
        self._change_record("make_claimable", row_id=row_id, claimable=not capped, wait_reason=wait_reason)

    async def record_by_row(self, row_id: int) -> RecordRow:
        row = self._cache.records.get(row_id)
        if row is None:
            row = self._cache.records[row_id] = self._the("record_by_row", values.record_row_of, row_id=row_id)
        return row

    async def records_to_claim(self, limit: int) -> list[RecordRow]:
        found = self._all("records_to_claim", values.record_row_of, limit=limit)
        self._cache.records.update((row.record.row_id, row) for row in found)
        return found

    async def records_due(self, now: int, latest: int, limit: int) -> list[RecordRow]:
        return self._all("records_due", values.record_row_of, now=now, latest=latest, limit=limit)

    async def jobs_listing_file(self, file_row: int) -> list[int]:
        return self._all("jobs_listing_file", lambda row: int(row["job"]), file=file_row)

    async def greatest_queued_tag(self, team: str, priority: int) -> int | None:
        found = [
            self._value("greatest_queued_tag", team=team, priority=priority),
            self._value("greatest_queued_alignment_tag", team=team, priority=priority),
        ]
        return max((int(tag) for tag in found if tag is not None), default=None)

    async def virtual_time(self, priority: int) -> int:
        return int(self._value("virtual_time", priority=priority) or 0)

    async def advance_virtual_time(self, priority: int, fair_tag: int) -> None:
        self._write("advance_virtual_time", priority=priority, fair_tag=fair_tag)

    # ── timeline ───────────────────────────────────────────────────────────────────────────────────────

    async def insert_events(self, job_row: int, team: str, events: Sequence[TimelineEvent]) -> None:
        self._cache.insert_events([values.event_columns(event, job_row, team) for event in events])
