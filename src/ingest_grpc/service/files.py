"""FileService: bytes come in durably or not at all, and go out again."""

import codecs
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Sequence

from ingest_grpc.blobs.interface import BlobMissing, Blobs, StoredBlob
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import (
    Caller,
    Download,
    File,
    FileDeleted,
    FileFilter,
    FileKind,
    FileSlice,
    Mutation,
    NewFile,
    Page,
    Request,
)
from ingest_grpc.service import job_files
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.file_effects import DeleteEffect, FileEffect
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.idempotency import once
from ingest_grpc.service.imports import ImportService
from ingest_grpc.service.intake import Arrival, Intake, file_not_found
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.service.sweep import sweep_some
from ingest_grpc.service.upload import ReceivedContent, check_announced
from ingest_grpc.store.interface import Rows, Store, Tx
from ingest_grpc.units import MIB

READ_BYTES = 2 * MIB
"""Most bytes of one ReadFile reply, and of one download message."""

DOWNLOAD_CHUNK = 1 * MIB


class FileService:
    """Stores files and gives them back."""

    def __init__(self, store: Store, blobs: Blobs, clock: Clock, intake: Intake, imports: ImportService) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._intake = intake
        self._imports = imports
        self._finisher = Finisher()

    async def stop(self) -> None:
        """Waits for what callers left unfinished."""
        await self._finisher.drain()

    # ── in ─────────────────────────────────────────────────────────────────────────────────────────────

    async def upload(
        self, caller: Caller, new: NewFile, chunks: AsyncIterable[bytes], request: Request | None
    ) -> Mutation[File]:
        """Stores what `chunks` yields; durable when it returns, and nothing is left if it raises.

        Raises SHA256_MISMATCH, SIZE_MISMATCH, FILE_TOO_LARGE, STORAGE_FULL and TEAM_STORAGE_FULL.
        """
        self._intake.check_size(new.size_bytes)
        await self._intake.check_space(new.size_bytes or 0)
        with Arrival(self._intake, caller.team_id) as arrival:
            async with self._blobs.writer(uuid.uuid4().hex) as writer:
                content = ReceivedContent(new)
                async for chunk in chunks:
                    await arrival.grow(len(chunk))
                    await writer.write(chunk)
                    content.feed(chunk)
                stored = await writer.commit()
        return await self._keep(caller, new, stored, content, request)

    async def create(self, caller: Caller, new: NewFile, content: bytes, request: Request | None) -> Mutation[File]:
        """Stores a small file in one step, as `upload` does; raises what it raises."""
        self._intake.check_size(len(content))
        await self._intake.check_space(len(content))
        received = ReceivedContent(new)
        received.feed(content)
        stored = await self._blobs.put(uuid.uuid4().hex, content)
        return await self._keep(caller, new, stored, received, request)

    async def _keep(
        self, caller: Caller, new: NewFile, stored: StoredBlob, content: ReceivedContent, request: Request | None
    ) -> Mutation[File]:
        """The row of a durable blob, or nothing is left of either."""
        file = File(
            blob_key=stored.key,
            markdown=content.is_markdown,
            file_id=new_id(Prefix.FILE),
            kind=FileKind.UPLOAD,
            filename=new.filename,
            path=new.path,
            content_type=new.content_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=self._clock.now(),
            external_id=new.external_id,
        )
        # From here on the blob is durable: a caller who goes away must not leave it without an owner.
        return await self._finisher.run(self._register(caller, new, file, request))

    async def _register(self, caller: Caller, new: NewFile, file: File, request: Request | None) -> Mutation[File]:
        try:
            check_announced(new, file)
        except IngestError:
            await self._blobs.delete(file.blob_key)
            raise
        return await self._intake.register(file.blob_key, lambda tx: self._insert(tx, caller, file, request))

    async def _insert(self, tx: Tx, caller: Caller, file: File, request: Request | None) -> Mutation[File]:
        async def effect() -> FileEffect:
            await self._intake.insert(tx, file)
            return FileEffect(file_id=file.file_id)

        if request is not None:
            request = Request(request.method, request.request_id, request.payload_hash + bytes.fromhex(file.sha256))
        done = await once(tx, caller, request, file.created_at, FileEffect, effect)
        stored = await tx.file(caller.team_id, done.value.file_id)
        if stored is None:
            raise file_not_found(done.value.file_id)  # purged meanwhile
        return Mutation(stored, done.replayed)

    # ── out ────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, caller: Caller, file_id: str) -> File:
        """Raises FILE_NOT_FOUND, OUTPUT_EXPIRED, and OUTPUT_NOT_READY for that of a record that has not COMPLETED."""

        async def unit(rows: Rows) -> File:
            file = await rows.file(caller.team_id, file_id)
            if file is not None and file.deleted_at is None:
                return file
            row = await rows.record_of_output(caller.team_id, file_id)
            if row is not None and row.record.output_expired_at is not None:
                raise IngestError(Reason.OUTPUT_EXPIRED, {"file_id": file_id}, resource=("File", file_id))
            if row is not None and file is None:
                raise IngestError(Reason.OUTPUT_NOT_READY, {"file_id": file_id, "status": row.record.status})
            raise file_not_found(file_id)

        return await self._store.read(unit)

    async def list(
        self, caller: Caller, wanted: FileFilter, *, page_size: int, page_token: str, include_total: bool = False
    ) -> Page[File]:
        """The team's files that pass the filter, newest first. Raises INVALID_PAGE_TOKEN."""
        filters = wanted.model_dump(mode="json")
        before = decode_token(caller.team_id, "files", filters, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[File], int | None, int | None]:
            files, cursor = await rows.files_where(caller.team_id, wanted, before, page_size + 1)
            return files, cursor, await rows.count_files(caller.team_id, wanted, MAX_TOTAL) if include_total else None

        files, cursor, total = await self._store.read(unit)
        if len(files) > page_size:
            files, cursor = files[:page_size], files[page_size - 1].row_id
        return Page(files, "" if cursor is None else encode_token(caller.team_id, "files", filters, cursor), total)

    async def read(self, caller: Caller, file_id: str, offset: int, limit: int) -> FileSlice:
        """Up to `limit` bytes from `offset`, at most READ_BYTES. Raises what `get` raises."""
        file = await self._ready(caller, file_id)
        limit = min(limit or READ_BYTES, READ_BYTES)
        data = await self._read(file, offset, limit)
        whole = data
        if offset + len(data) < file.size_bytes:
            whole = text_prefix(data) or data  # nothing at all would make the caller ask for the same bytes for ever
        text = _as_text(whole)
        if text is not None:
            data = whole
        return FileSlice(data, text, offset + len(data) >= file.size_bytes)

    async def download(self, caller: Caller, file_id: str, offset: int, limit: int | None) -> Download:
        """A file as a stream of chunks. Raises what `get` raises."""
        file = await self._ready(caller, file_id)
        end = file.size_bytes if limit is None else min(file.size_bytes, offset + limit)
        return Download(file, offset, self._chunks(file, offset, end))

    async def _ready(self, caller: Caller, file_id: str) -> File:
        """A file whose bytes are here; those of an imported one are fetched now, if nobody needed them before."""
        file = await self.get(caller, file_id)
        if not file.unfetched:
            return file
        try:
            return await self._imports.fetch(caller.team_id, file_id)
        except BlobMissing:
            raise file_not_found(file_id) from None  # deleted a moment ago

    async def _chunks(self, file: File, offset: int, end: int) -> AsyncIterator[bytes]:
        while offset < end:
            chunk = await self._read(file, offset, min(DOWNLOAD_CHUNK, end - offset))
            if not chunk:
                raise RuntimeError(f"blob {file.blob_key} is shorter than its row says")
            yield chunk
            offset += len(chunk)

    async def _read(self, file: File, offset: int, limit: int) -> bytes:
        try:
            return await self._blobs.read(file.blob_key, offset, limit) if offset < file.size_bytes else b""
        except BlobMissing:
            raise file_not_found(file.file_id) from None  # deleted between the row and the bytes

    # ── away ───────────────────────────────────────────────────────────────────────────────────────────

    async def delete(
        self, caller: Caller, file_id: str, *, force: bool, request: Request | None
    ) -> Mutation[FileDeleted]:
        """Deletes a file. Raises FILE_NOT_FOUND, and FILE_IN_USE while a job lists it, unless forced."""

        async def unit(tx: Tx) -> Mutation[FileDeleted]:
            async def effect() -> DeleteEffect:
                file = await tx.file(caller.team_id, file_id)
                if file is None or file.deleted_at is not None:
                    raise file_not_found(file_id)
                jobs = await self._jobs_of(tx, file)
                if jobs and not force:
                    raise IngestError(Reason.FILE_IN_USE, {"file_id": file_id, "job_count": str(len(jobs))})
                job_ids = [await self._remove_from(tx, caller, row, file_id) for row in jobs]
                await tx.delete_file(file, self._clock.now())
                return DeleteEffect(file_id=file_id, job_ids=tuple(job_ids))

            done = await once(tx, caller, request, self._clock.now(), DeleteEffect, effect)
            deleted = await tx.file(caller.team_id, file_id)
            if deleted is None:
                raise file_not_found(file_id)  # purged meanwhile
            return Mutation(FileDeleted(deleted, done.value.job_ids), done.replayed)

        done = await self._store.write(unit)
        # The deletion stands, whatever becomes of the bytes now.
        await attempted("the sweep after a deletion", self._finisher.run(sweep_some(self._store, self._blobs)))
        return done

    async def _jobs_of(self, tx: Tx, file: File) -> Sequence[int]:
        """Rows of the jobs whose file list names this file, as source, output or Markdown."""
        jobs = {row.job_row for row in await tx.live_records_reading(file.row_id)}
        jobs |= set(await tx.jobs_listing_file(file.row_id))
        output_of = await tx.record_of_output(file.team_id, file.file_id)
        if output_of is not None and not output_of.record.deleted:
            jobs.add(output_of.job_row)
        return sorted(jobs)

    async def _remove_from(self, tx: Tx, caller: Caller, job_row: int, file_id: str) -> str:
        job = await tx.job_by_row(job_row)
        ledger = JobLedger(tx, job, self._clock.now(), caller.user_id)
        await job_files.remove_by_file_id(ledger, file_id)
        await ledger.close()
        return job.job_id


def text_prefix(data: bytes) -> bytes:
    """`data` without a last character that is cut, if it is UTF-8 up to there; else `data` itself."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(data)
    except UnicodeDecodeError:
        return data
    pending = len(decoder.getstate()[0])
    return data[: len(data) - pending] if pending else data


def _as_text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
