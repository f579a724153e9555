"""Writes of the ledger, see store.interface.Tx. Each runs inside the writer's transaction."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from ingest_grpc.lifecycle import RecordStatus, Trigger, WaitReason
from ingest_grpc.model import File, FileKind, FileRecord, IngestionJob, Job, JobFile, TimelineEvent, Upload
from ingest_grpc.store.interface import ApiKey, Commit, JobCursor, NewRecord, RecordRow, StoredRequest
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.alignments import SqliteAlignmentTx
from ingest_grpc.store.sqlite.knowledge_bases import SqliteKnowledgeTx
from ingest_grpc.store.sqlite.record_search import SqliteRecordSearch
from ingest_grpc.store.sqlite.rows import SqliteRows
from ingest_grpc.store.sqlite.statements import Row


class SqliteTx(SqliteRows, SqliteRecordSearch, SqliteAlignmentTx, SqliteKnowledgeTx):
    """Reads and writes of one unit."""

    def __init__(self, connection: sqlite3.Connection, team_max_running: int | None = None) -> None:
        super().__init__(connection)
        self._team_max_running = team_max_running
        self.commit = Commit()

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────

    async def insert_job(self, job: Job) -> int:
        return self._write("insert_job", **values.job_columns(job))

    async def update_job(self, job: Job) -> None:
        self._write("update_job", row_id=job.row_id, **values.changeable_job_columns(job))

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

    async def update_ingestion_job(self, job: IngestionJob) -> None:
        self._write("update_ingestion_job", row_id=job.row_id, **values.ingestion_job_columns(job))

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
        return self._write(
            "insert_record",
            record_id=record.record_id,
            job=new.job_row,
            ingestion_job=new.ingestion_row,
            file=new.file_row,
            output_file_id=record.output_file_id,
            team=record.team_id,
            user_id=record.user_id,
            filename=record.filename,
            output_filename=record.output_filename,
            method=record.method,
            last_trigger=new.trigger,
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
            **self._queueing(record, claimable=record.status is RecordStatus.QUEUED),
        )

    def _queueing(self, record: FileRecord, *, claimable: bool) -> dict[str, Any]:
        """The columns of a record; where a cap is set, one that would join the queue waits until `admit`."""
        columns = {**values.record_columns(record), "claimable": int(claimable)}
        if claimable and self._team_max_running is not None:
            columns |= {"claimable": 0, "wait_reason": WaitReason.TEAM_CAP.value}
        return columns

    async def transition_record(
        self, before: FileRecord, after: FileRecord, trigger: Trigger, *, claimable: bool
    ) -> bool:
        changed = self._write(
            "transition_record",
            row_id=before.row_id,
            status_before=str(before.status),
            attempt_before=before.attempt,
            last_trigger=str(trigger),
            **self._queueing(after, claimable=claimable),
        )
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
        self._write(
            "mark_record",
            row_id=row_id,
            deleted_at=deleted_at,
            superseded_by=superseded_by,
            output_expired_at=output_expired_at,
            last_sequence=sequence,
        )

    async def requeue_record(self, row_id: int, fair_tag: int) -> None:
        self._write("requeue_record", row_id=row_id, fair_tag=fair_tag)

    async def make_claimable(self, row_id: int) -> None:
        capped = self._team_max_running is not None
        wait_reason = WaitReason.TEAM_CAP if capped else None
        self._write("make_claimable", row_id=row_id, claimable=not capped, wait_reason=wait_reason)

    async def records_to_claim(self, limit: int) -> list[RecordRow]:
        return self._all("records_to_claim", values.record_row_of, limit=limit)

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
        self._write_many("insert_event", [values.event_columns(event, job_row, team) for event in events])

    # ── files ──────────────────────────────────────────────────────────────────────────────────────────

    async def insert_file(self, file: File, *, shareable: bool) -> File:
        blob, blob_key = self._blob_for(file, shareable=shareable)
        row_id = self._write("insert_file", **values.file_columns(file, blob))
        return file.model_copy(update={"row_id": row_id, "blob_key": blob_key})

    def _blob_for(self, file: File, *, shareable: bool) -> tuple[int, str]:
        """(row, key) of a new blob, or of the one that holds the same bytes for the same team."""
        content = {"team": file.team_id, "sha256": file.sha256, "size_bytes": file.size_bytes}
        shared = self._one("shared_blob", lambda row: row, **content) if shareable else None
        if shared is not None:
            return shared["id"], shared["blob_key"]
        return self._write("insert_blob", blob_key=file.blob_key, shareable=shareable, **content), file.blob_key

    async def share_output(self, file: File, shared: File) -> None:
        blob = self._value("blob_of_file", row_id=shared.row_id)
        self._write("insert_file", **values.file_columns(file, blob))

    async def stored_bytes(self, team: str) -> int:
        return int(self._value("stored_bytes", team=team) or 0)

    async def insert_import(self, file: File) -> None:
        content = {"team": file.team_id, "sha256": file.sha256, "size_bytes": file.size_bytes}
        blob = self._write("insert_blob", blob_key=file.blob_key, shareable=False, **content)
        self._write("insert_file", **values.file_columns(file, blob))

    async def file_fetched(self, file: File, now: int) -> File:
        before = self._value("blob_of_file", row_id=file.row_id)
        blob, blob_key = self._blob_for(file, shareable=True)
        self._write(
            "file_fetched",
            row_id=file.row_id,
            blob=blob,
            sha256=file.sha256,
            markdown=file.markdown,
            fetched_at=now,
        )
        self._write("release_blob", blob=before, deleted_at=now)
        return file.model_copy(update={"blob_key": blob_key})

    async def update_file(self, file: File) -> None:
        self._write(
            "update_file",
            row_id=file.row_id,
            filename=file.filename,
            metadata=json.dumps(dict(file.metadata)),
            expires_at=file.expires_at,
        )

    async def expired_files(self, now: int, limit: int) -> list[File]:
        return self._all("expired_files", values.file_of, now=now, limit=limit)

    async def insert_upload(self, upload: Upload) -> None:
        self._write(
            "insert_upload",
            upload_id=upload.upload_id,
            team=upload.team_id,
            user_id=upload.user_id,
            created_at=upload.created_at,
            expires_at=upload.expires_at,
            **upload.new.model_dump(),
        )

    async def advance_upload(self, upload: Upload) -> bool:
        changed = self._write(
            "advance_upload",
            row_id=upload.row_id,
            committed_bytes=upload.committed_bytes,
            expires_at=upload.expires_at,
        )
        return changed == 1

    async def complete_upload(self, upload: Upload, file_id: str) -> None:
        self._write("complete_upload", row_id=upload.row_id, file_id=file_id, expires_at=upload.expires_at)

    async def expired_uploads(self, now: int, limit: int) -> list[Upload]:
        return self._all("expired_uploads", values.upload_of, now=now, limit=limit)

    async def delete_upload(self, upload: Upload, now: int) -> bool:
        return self._write("delete_upload", row_id=upload.row_id, now=now) == 1

    async def delete_file(self, file: File, now: int) -> None:
        blob = self._value("blob_of_file", row_id=file.row_id)
        if self._write("delete_file", row_id=file.row_id, deleted_at=now):
            self._write("release_blob", blob=blob, deleted_at=now)
            for image in self._images_of(file):
                if not self._value("file_is_used", file=image.row_id):
                    await self.delete_file(image, now)

    def _images_of(self, file: File) -> list[File]:
        return self._all("images_of", values.file_of, file_id=file.file_id) if file.kind is FileKind.OUTPUT else []

    async def forget_blob(self, row_id: int) -> None:
        self._write("forget_blob", row_id=row_id)

    # ── purging ────────────────────────────────────────────────────────────────────────────────────────

    async def jobs_to_purge(self, now: int, limit: int) -> list[Job]:
        return self._all("jobs_to_purge", values.job_of, now=now, limit=limit)

    async def purge_slice(self, job: Job, now: int, limit: int) -> bool:
        self.commit.jobs.add(job.row_id)
        self.commit.lists.add(job.team_id)
        if events := self._all("purge_events", lambda row: row, job=job.row_id, limit=limit):
            self._raise_feed_floor(job.team_id, events)
            return False
        records = self._all("records_to_purge", lambda row: row, job=job.row_id, limit=limit)
        for record in records:
            self._write("forget_record", row_id=record["id"])
            self._write("purge_record", row_id=record["id"])
            await self._purge_file(await self.file(job.team_id, record["output_file_id"]), now)
            await self._purge_file(self._the("file_by_row", values.file_of, row_id=record["file"]), now)
        if records:
            return False
        sources = self._all("markdown_sources", lambda row: int(row["file"]), job=job.row_id)
        self._write("purge_markdown_files", job=job.row_id)
        for row_id in sources:
            await self._purge_file(self._the("file_by_row", values.file_of, row_id=row_id), now)
        for alignment in self._all("alignments_to_purge", lambda row: row, job=job.row_id):
            if self._write("purge_sections", alignment=alignment["id"], limit=limit):
                return False
            self._write("purge_alignment", row_id=alignment["id"])
            if alignment["output_file_id"] is not None:
                await self._purge_file(await self.file(job.team_id, alignment["output_file_id"]), now)
        self._write("purge_ingestion_jobs", job=job.row_id)
        self._write("purge_job", job=job.row_id)
        return True

    async def _purge_file(self, file: File | None, now: int) -> None:
        """A file goes with the last record or Markdown entry that names it."""
        if file is not None and not self._value("file_is_used", file=file.row_id):
            await self.delete_file(file, now)
            for image in self._images_of(file):
                await self._purge_file(image, now)
            self._write("purge_file", row_id=file.row_id)

    # ── retention ──────────────────────────────────────────────────────────────────────────────────────

    async def compact_slice(self, before: int, limit: int) -> int | None:
        job = self._one("job_to_compact", values.job_of, before=before)
        if job is None:
            return None
        earliest = job.earliest_sequence
        events = self._all(
            "oldest_events", lambda row: row, job=job.row_id, earliest=earliest, before=before, limit=limit
        )
        if events:
            first, earliest = earliest, events[-1]["sequence"] + 1
            self._write("compact_events", job=job.row_id, first=first, last=earliest - 1)
            self._write("set_earliest_sequence", job=job.row_id, earliest=earliest)
            self._raise_feed_floor(job.team_id, [event for event in events if not event["milestone"]])
        if len(events) < limit:
            self._write("end_compaction", job=job.row_id, earliest=earliest)
        return job.row_id

    def _raise_feed_floor(self, team: str, gone: Sequence[Row]) -> None:
        if ids := [event["id"] for event in gone if event["in_feed"]]:
            self._write("raise_feed_floor", team=team, floor=max(ids))

    async def outputs_before(self, before: int, after: JobCursor | None, limit: int) -> list[File]:
        created_at, row = after or (0, 0)
        return self._all(
            "outputs_before", values.file_of, before=before, after_created_at=created_at, after_row=row, limit=limit
        )

    # ── requests and keys ──────────────────────────────────────────────────────────────────────────────

    async def request(self, team: str, method: str, request_id: str) -> StoredRequest | None:
        return self._one(
            "request",
            lambda row: StoredRequest(payload_hash=row["payload_hash"], result=row["result"]),
            team=team,
            method=method,
            request_id=request_id,
        )

    async def insert_request(self, team: str, method: str, request_id: str, stored: StoredRequest, now: int) -> None:
        self._write(
            "insert_request",
            team=team,
            method=method,
            request_id=request_id,
            payload_hash=stored.payload_hash,
            result=stored.result,
            created_at=now,
        )

    async def forget_requests(self, before: int, limit: int) -> int:
        return self._write("forget_requests", before=before, limit=limit)

    async def insert_api_key(self, key: ApiKey, secret_hash: bytes) -> None:
        self._write(
            "insert_api_key",
            key_id=key.key_id,
            secret_hash=secret_hash,
            team=key.team_id,
            user_id=key.user_id,
            scopes=json.dumps(sorted(key.scopes)),
            created_at=key.created_at,
            max_priority=key.max_priority,
        )

    async def revoke_api_key(self, key_id: str, now: int) -> bool:
        return self._write("revoke_api_key", key_id=key_id, revoked_at=now) == 1
