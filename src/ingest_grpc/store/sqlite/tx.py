"""Writes of the ledger, see store.interface.Tx. Each runs inside the writer's transaction."""

import json
from collections.abc import Sequence

from ingest_grpc.model import File, FileKind, Job, Upload
from ingest_grpc.store.interface import ApiKey, JobCursor, StoredRequest
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.alignments import SqliteAlignmentTx
from ingest_grpc.store.sqlite.job_tx import SqliteJobTx
from ingest_grpc.store.sqlite.knowledge_bases import SqliteKnowledgeTx
from ingest_grpc.store.sqlite.record_search import SqliteRecordSearch
from ingest_grpc.store.sqlite.statements import Row


class SqliteTx(SqliteJobTx, SqliteRecordSearch, SqliteAlignmentTx, SqliteKnowledgeTx):
    """Reads and writes of one unit."""

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

    async def begin_purges(self, now: int, limit: int) -> list[Job]:
        jobs = self._all("begin_purges", values.job_of, now=now, limit=limit)
        for job in jobs:
            self.commit.jobs.add(job.row_id)
            self.commit.lists.add(job.team_id)
        return jobs

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
        sources = self._all("purge_markdown_files", lambda row: int(row["file"]), job=job.row_id, limit=limit)
        for row_id in set(sources):
            await self._purge_file(self._the("file_by_row", values.file_of, row_id=row_id), now)
        if sources:
            return False
        for alignment in self._all("alignments_to_purge", lambda row: row, job=job.row_id):
            if self._write("purge_sections", alignment=alignment["id"], limit=limit):
                return False
            self._write("purge_alignment", row_id=alignment["id"])
            if alignment["output_file_id"] is not None:
                await self._purge_file(await self.file(job.team_id, alignment["output_file_id"]), now)
        if self._write("purge_ingestion_jobs", job=job.row_id, limit=limit):
            return False
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
