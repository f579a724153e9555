"""Files whose bytes stay where they are until they are needed: looked at when imported, fetched once."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import aclosing

from ingest_grpc.blobs.interface import BlobMissing, Blobs, StoredBlob
from ingest_grpc.blobs.origins.interface import OriginObject
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import Caller, File, FileKind, ImportSource, Mutation, NewFile, NewImport, Request
from ingest_grpc.service.file_effects import FileEffect
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.idempotency import once, recall
from ingest_grpc.service.intake import Intake, file_not_found
from ingest_grpc.service.turns import Turns
from ingest_grpc.service.upload import ReceivedContent
from ingest_grpc.store.interface import Store, Tx

FETCH_FAILURES = frozenset({Reason.SOURCE_CHANGED, Reason.FILE_NOT_FOUND, Reason.IMPORT_NOT_ALLOWED})
"""Why bytes cannot be fetched that trying again does not cure."""

OnBytes = Callable[[int, int], None]
"""Called with (bytes fetched, bytes in all)."""


class ImportService:
    """Imports files, and fetches their bytes for whoever needs them first."""

    def __init__(self, store: Store, blobs: Blobs, origins: Origins, clock: Clock, intake: Intake) -> None:
        self._store = store
        self._blobs = blobs
        self._origins = origins
        self._clock = clock
        self._intake = intake
        self._turns = Turns()
        self._listeners: dict[str, list[OnBytes]] = {}
        """Of each file that is being fetched: of who fetches, and of who waits for that."""
        self._finisher = Finisher()

    async def stop(self) -> None:
        """Waits for what callers left unfinished."""
        await self._finisher.drain()

    async def import_file(self, caller: Caller, new: NewImport, request: Request | None) -> Mutation[File]:
        """A file that stands for an object elsewhere.

        Raises INVALID_FIELD, IMPORT_NOT_ALLOWED, FILE_NOT_FOUND, SERVICE_UNAVAILABLE, FILE_TOO_LARGE,
        EXTERNAL_ID_TAKEN and TEAM_STORAGE_FULL.
        """
        # A replay does not look at the source: it may be gone by now.
        earlier = await self._store.write(lambda tx: recall(tx, caller, request, FileEffect))
        found = OriginObject("", 0) if earlier else await self._origins.head(new.url)
        self._intake.check_size(found.size_bytes)
        file = self._file(caller, new, found)

        async def unit(tx: Tx) -> Mutation[File]:
            async def effect() -> FileEffect:
                await self._intake.insert(tx, file)
                return FileEffect(file_id=file.file_id)

            done = await once(tx, caller, request, file.created_at, FileEffect, effect)
            stored = await tx.file(caller.team_id, done.value.file_id)
            if stored is None:
                raise file_not_found(done.value.file_id)  # purged meanwhile
            return Mutation(stored, done.replayed)

        return await self._store.write(unit)

    def _file(self, caller: Caller, new: NewImport, found: OriginObject) -> File:
        return File(
            blob_key=uuid.uuid4().hex,
            file_id=new_id(Prefix.FILE),
            kind=FileKind.UPLOAD,
            filename=new.filename,
            content_type=new.content_type,
            size_bytes=found.size_bytes,
            sha256="",
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=self._clock.now(),
            external_id=new.external_id,
            import_source=ImportSource(url=new.url, etag=found.etag),
        )

    async def fetch(self, team: str, file_id: str, on_bytes: OnBytes = lambda done, total: None) -> File:
        """The file with its bytes in the blob store, fetched now if nobody did before.

        Raises SOURCE_CHANGED, FILE_NOT_FOUND, IMPORT_NOT_ALLOWED, SERVICE_UNAVAILABLE and STORAGE_FULL, and
        BlobMissing for a file that is deleted or was not imported.
        """
        listeners = self._listeners.setdefault(file_id, [])
        listeners.append(on_bytes)
        try:
            async with self._turns.of(file_id):  # who comes second finds the bytes
                file = await self._store.read(lambda rows: rows.file(team, file_id))
                if file is None or file.deleted_at is not None or file.import_source is None:
                    raise BlobMissing(file_id)
                return await self._fetch(file, file.import_source, listeners) if file.unfetched else file
        finally:
            listeners.remove(on_bytes)
            if not listeners:
                del self._listeners[file_id]

    async def _fetch(self, file: File, source: ImportSource, listeners: Sequence[OnBytes]) -> File:
        await self._intake.check_space(file.size_bytes)
        content = ReceivedContent(NewFile(filename=file.filename, content_type=file.content_type))
        expected = OriginObject(source.etag, file.size_bytes)
        async with self._blobs.writer(uuid.uuid4().hex) as writer:
            async with aclosing(self._origins.read(source.url, expected)) as chunks:
                async for chunk in chunks:
                    await writer.write(chunk)
                    content.feed(chunk)
                    for on_bytes in listeners:
                        on_bytes(writer.size_bytes, file.size_bytes)
            if writer.size_bytes != file.size_bytes:
                raise IngestError(Reason.SOURCE_CHANGED, {"url": source.url})
            stored = await writer.commit()
        # From here on the blob is durable: a caller who goes away must not leave it without an owner.
        return await self._finisher.run(self._register(file, stored, markdown=content.is_markdown))

    async def _register(self, file: File, stored: StoredBlob, *, markdown: bool) -> File:
        """The file's row refers to its bytes; what stood for them goes."""
        fetched = file.model_copy(update={"blob_key": stored.key, "sha256": stored.sha256, "markdown": markdown})

        async def unit(tx: Tx) -> Mutation[File]:
            current = await tx.file(file.team_id, file.file_id)
            if current is None or current.deleted_at is not None:
                raise file_not_found(file.file_id)
            await tx.file_fetched(fetched, self._clock.now())
            now = await tx.file(file.team_id, file.file_id)
            assert now is not None, "it was there a moment ago"
            return Mutation(now)

        return (await self._intake.register(stored.key, unit)).value
