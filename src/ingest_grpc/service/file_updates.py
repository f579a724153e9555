"""What callers set on a file after it was stored, and what becomes of a file whose time is over."""

from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason, invalid
from ingest_grpc.model import Caller, File, FileUpdate, Mutation, Request
from ingest_grpc.service.file_effects import FileEffect
from ingest_grpc.service.idempotency import once
from ingest_grpc.service.intake import file_not_found
from ingest_grpc.store.file_interface import ExpiryCursor
from ingest_grpc.store.interface import Rows, Store, Tx

EXPIRED_BATCH = 200


class FileUpdateService:
    """Changes files, and deletes those that expired."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def update(
        self, caller: Caller, file_id: str, update: FileUpdate, etag: str, request: Request | None
    ) -> Mutation[File]:
        """Changes what is given. Raises FILE_NOT_FOUND, ETAG_MISMATCH, and INVALID_FIELD for an expiry in the past."""
        changes = update.model_dump(include=update.model_fields_set)

        async def unit(tx: Tx) -> Mutation[File]:
            async def effect() -> FileEffect:
                file = await tx.file(caller.team_id, file_id)
                if file is None or file.deleted_at is not None:
                    raise file_not_found(file_id)
                check_etag(file, etag)
                if update.expires_at is not None and update.expires_at <= self._clock.now():
                    raise invalid("expires_at", "must lie in the future")
                await tx.update_file(file.model_copy(update=changes))
                if changes.get("metadata", file.metadata) != file.metadata:
                    tx.commit.unindexed |= await tx.file_metadata_changed(file.row_id) > 0
                return FileEffect(file_id=file_id)

            done = await once(tx, caller, request, self._clock.now(), FileEffect, effect)
            stored = await tx.file(caller.team_id, file_id)
            if stored is None:
                raise file_not_found(file_id)  # purged since the call that is replayed
            return Mutation(stored, done.replayed)

        return await self._store.write(unit)

    async def delete_expired(self) -> int:
        """Deletes expired files that no job lists; returns how many. The next sweep takes their bytes.

        Those that a job lists stay, so a reader looks for the others: writers wait only where there is one.
        """
        now, deleted = self._clock.now(), 0
        after: ExpiryCursor | None = None
        while True:
            files, cursor = await self._store.read(partial(_expired, now=now, after=after))
            if files:
                deleted += await self._store.write(partial(_delete_expired, now=now, after=after))
            if cursor is None:
                return deleted
            after = cursor


async def _expired(rows: Rows, *, now: int, after: ExpiryCursor | None) -> tuple[list[File], ExpiryCursor | None]:
    return await rows.expired_files(now, after, EXPIRED_BATCH)


async def _delete_expired(tx: Tx, *, now: int, after: ExpiryCursor | None) -> int:
    """Looks at the same batch again: a job may list one of its files by now."""
    files, _ = await _expired(tx, now=now, after=after)
    for file in files:
        await tx.delete_file(file, now)
    return len(files)


def check_etag(file: File, etag: str) -> None:
    """Raises ETAG_MISMATCH unless the caller saw the file as it is, or does not care."""
    if etag and etag != file.etag:
        raise IngestError(
            Reason.ETAG_MISMATCH,
            {"expected_etag": etag, "actual_etag": file.etag},
            resource=("File", file.file_id),
        )
