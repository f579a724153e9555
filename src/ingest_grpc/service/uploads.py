"""Uploads that survive broken connections and restarts: created, written piece by piece, completed.

The ledger says how many bytes count, and says so only after they are durable in the spool. So an answer never
promises more than the disk holds, and what a crash left behind the promised bytes is cut off by the next write.
See docs/decisions/0008-resumable-uploads.md.
"""

import uuid
from functools import partial

from pydantic import BaseModel

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.spool import Spool
from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import Caller, File, FileKind, Mutation, NewFile, Request, Upload
from ingest_grpc.service.digests import Digests
from ingest_grpc.service.file_effects import FileEffect
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.idempotency import once
from ingest_grpc.service.intake import Intake, check_external_id, file_not_found
from ingest_grpc.service.turns import Turns
from ingest_grpc.service.upload import check_announced, check_announced_size
from ingest_grpc.store.interface import Store, Tx

EXPIRED_BATCH = 100
UPLOADS_RETRY_SECONDS = 30.0


class UploadEffect(BaseModel):
    """Which upload a CreateUpload call made; kept for its request id."""

    upload_id: str


class UploadService:
    """Resumable uploads. Calls to one upload run one after the other, whoever makes them."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        spool: Spool,
        clock: Clock,
        intake: Intake,
        *,
        upload_hours: float,
        team_max_uploads: int,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._spool = spool
        self._clock = clock
        self._intake = intake
        self._lifetime = round(upload_hours * 3_600 * MICROSECONDS)
        self._team_max_uploads = team_max_uploads
        self._turns = Turns()
        self._digests = Digests(spool)
        self._finisher = Finisher()

    async def stop(self) -> None:
        """Waits for what callers left unfinished."""
        await self._finisher.drain()

    async def create(self, caller: Caller, new: NewFile, request: Request | None) -> Mutation[Upload]:
        """An upload without bytes. Raises FILE_TOO_LARGE, STORAGE_FULL, EXTERNAL_ID_TAKEN, TOO_MANY_UPLOADS."""
        self._intake.check_size(new.size_bytes)
        await self._intake.check_space(new.size_bytes or 0)
        now = self._clock.now()
        upload = Upload(
            upload_id=new_id(Prefix.UPLOAD),
            new=new,
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=now,
            expires_at=now + self._lifetime,
        )

        async def unit(tx: Tx) -> Mutation[UploadEffect]:
            async def effect() -> UploadEffect:
                await check_external_id(tx, caller.team_id, new.external_id)
                await self._check_number(tx, caller.team_id)
                await tx.insert_upload(upload)
                return UploadEffect(upload_id=upload.upload_id)

            return await once(tx, caller, request, now, UploadEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self.get(caller, done.value.upload_id), done.replayed)

    async def _check_number(self, tx: Tx, team: str) -> None:
        most = self._team_max_uploads
        if await tx.count_open_uploads(team, most) == most:
            raise IngestError(
                Reason.TOO_MANY_UPLOADS,
                {"max_uploads": str(most)},
                retry_after_seconds=UPLOADS_RETRY_SECONDS,
                resource=("Team", team),
            )

    async def get(self, caller: Caller, upload_id: str) -> Upload:
        """How far an upload has come. Raises UPLOAD_NOT_FOUND."""
        upload = await self._store.read(lambda rows: rows.upload(caller.team_id, upload_id))
        if upload is None:
            raise _not_found(upload_id)
        if upload.file_id is not None:
            return upload
        # Fewer bytes than the ledger says are there after a restore of the ledger alone: never promise more.
        there = await self._spool.size(upload_id)
        return upload.model_copy(update={"committed_bytes": min(upload.committed_bytes, there)})

    # ── write ──────────────────────────────────────────────────────────────────────────────────────────

    async def write(self, caller: Caller, upload_id: str, offset: int, data: bytes) -> int:
        """Appends `data`; returns how many bytes are durable now. Bytes that are there already may come again.

        Raises UPLOAD_NOT_FOUND, UPLOAD_COMPLETED, UPLOAD_OFFSET, SIZE_MISMATCH, FILE_TOO_LARGE, STORAGE_FULL and
        TEAM_STORAGE_FULL.
        """
        # To its end also when the caller goes away: an append must not overlap with that of the next call.
        return await self._finisher.run(self._write(caller, upload_id, offset, data))

    async def _write(self, caller: Caller, upload_id: str, offset: int, data: bytes) -> int:
        async with self._turns.of(upload_id):
            upload = await self.get(caller, upload_id)
            if upload.file_id is not None:
                raise IngestError(Reason.UPLOAD_COMPLETED, {"upload_id": upload_id, "file_id": upload.file_id})
            new = await self._beyond(upload, offset, data)
            if not new:
                return upload.committed_bytes
            size_bytes = upload.committed_bytes + len(new)
            self._intake.check_size(size_bytes)
            if upload.new.size_bytes is not None and size_bytes > upload.new.size_bytes:
                check_announced_size(upload.new, size_bytes)
            await self._intake.check_space(len(new))
            await self._spool.append(upload_id, upload.committed_bytes, new)
            await self._advance(upload, size_bytes)
            await self._digests.feed(upload, new)
            return size_bytes

    async def _beyond(self, upload: Upload, offset: int, data: bytes) -> bytes:
        """The part of `data` that is new. Raises UPLOAD_OFFSET if it leaves a gap or contradicts what is there."""
        known = data[: max(0, upload.committed_bytes - offset)]
        fits = offset <= upload.committed_bytes
        if fits and known:
            fits = await self._spool.read(upload.upload_id, offset, len(known)) == known
        if not fits:
            raise IngestError(
                Reason.UPLOAD_OFFSET, {"committed_bytes": str(upload.committed_bytes), "offset": str(offset)}
            )
        return data[len(known) :]

    async def _advance(self, upload: Upload, size_bytes: int) -> None:
        changed = {"committed_bytes": size_bytes, "expires_at": self._clock.now() + self._lifetime}
        further = upload.model_copy(update=changed)

        async def unit(tx: Tx) -> None:
            if not await tx.advance_upload(further):
                raise RuntimeError(f"{upload.upload_id} was changed out of turn")
            await self._intake.check_team_bytes(tx, upload.team_id)

        try:
            await self._store.write(unit)
        except IngestError as error:
            # What the ledger did not take must not fill the disk; where nobody knows, the next write sees to it.
            if error.reason is not Reason.STORAGE_UNAVAILABLE:
                await self._spool.append(upload.upload_id, upload.committed_bytes, b"")
            raise

    # ── complete ───────────────────────────────────────────────────────────────────────────────────────

    async def complete(
        self, caller: Caller, upload_id: str, sha256: str | None, request: Request | None
    ) -> Mutation[File]:
        """The file that the upload became; the same one for every call.

        Raises UPLOAD_NOT_FOUND, SIZE_MISMATCH, SHA256_MISMATCH, EXTERNAL_ID_TAKEN and TEAM_STORAGE_FULL; after
        any of them the upload is as it was.
        """
        return await self._finisher.run(self._complete(caller, upload_id, sha256, request))

    async def _complete(
        self, caller: Caller, upload_id: str, sha256: str | None, request: Request | None
    ) -> Mutation[File]:
        async with self._turns.of(upload_id):
            upload = await self.get(caller, upload_id)
            if upload.file_id is not None:
                done = await self._store.write(partial(self._completed, caller=caller, upload=upload, request=request))
                check_announced(NewFile.model_validate(upload.new.model_dump() | {"sha256": sha256}), done.value)
                return done
            file = await self._file(caller, upload, sha256)
            unit = partial(self._completed, caller=caller, upload=upload, request=request, file=file)
            done = await self._intake.register(file.blob_key, unit)
            # A crash before this line is no harm: the next start drops what is no unfinished upload.
            await self._spool.drop(upload_id)
            self._digests.forget(upload_id)
            return done

    async def _file(self, caller: Caller, upload: Upload, sha256: str | None) -> File:
        """The file to be, its bytes durable as a blob."""
        check_announced_size(upload.new, upload.committed_bytes)
        digest = await self._digests.complete(upload)
        file = File(
            blob_key=uuid.uuid4().hex,
            markdown=digest.is_markdown,
            file_id=new_id(Prefix.FILE),
            kind=FileKind.UPLOAD,
            filename=upload.new.filename,
            path=upload.new.path,
            content_type=upload.new.content_type,
            size_bytes=upload.committed_bytes,
            sha256=digest.sha256,
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=self._clock.now(),
            external_id=upload.new.external_id,
        )
        check_announced(upload.new, file)
        check_announced(upload.new.model_copy(update={"sha256": sha256}), file)
        # Nothing more is appended, but what a crash left beyond the end is cut off; and now even no bytes are a file.
        await self._spool.append(upload.upload_id, upload.committed_bytes, b"")
        stored = await self._blobs.adopt(file.blob_key, self._spool.path(upload.upload_id), file.sha256)
        if (stored.size_bytes, stored.sha256) != (file.size_bytes, file.sha256):
            await self._blobs.delete(file.blob_key)
            raise IngestError(Reason.STORAGE_UNAVAILABLE)
        return file

    async def _completed(
        self, tx: Tx, *, caller: Caller, upload: Upload, request: Request | None, file: File | None = None
    ) -> Mutation[File]:
        """The row of the file; without `file` that of the file which the upload is already."""

        async def effect() -> FileEffect:
            if file is None:
                assert upload.file_id is not None
                return FileEffect(file_id=upload.file_id)
            # Before the file is there, so that its bytes do not count twice.
            kept = upload.model_copy(update={"expires_at": self._clock.now() + self._lifetime})
            await tx.complete_upload(kept, file.file_id)
            await self._intake.insert(tx, file)
            return FileEffect(file_id=file.file_id)

        done = await once(tx, caller, request, self._clock.now(), FileEffect, effect)
        stored = await tx.file(caller.team_id, done.value.file_id)
        if stored is None:
            raise file_not_found(done.value.file_id)  # purged meanwhile
        return Mutation(stored, done.replayed)

    # ── expiry ─────────────────────────────────────────────────────────────────────────────────────────

    async def drop_expired(self) -> int:
        """Drops uploads that were not written to for too long; returns how many."""
        dropped, now = 0, self._clock.now()
        while expired := await self._store.write(lambda tx: tx.expired_uploads(now, EXPIRED_BATCH)):
            for upload in expired:
                # In turn: a write that is under way makes it live on.
                async with self._turns.of(upload.upload_id):
                    if await self._store.write(partial(_delete_upload, upload=upload, now=now)):
                        await self._spool.drop(upload.upload_id)
                        self._digests.forget(upload.upload_id)
                        dropped += 1
        return dropped


async def _delete_upload(tx: Tx, upload: Upload, now: int) -> bool:
    return await tx.delete_upload(upload, now)


def _not_found(upload_id: str) -> IngestError:
    return IngestError(Reason.UPLOAD_NOT_FOUND, {"upload_id": upload_id}, resource=("Upload", upload_id))
