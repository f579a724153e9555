"""All that FileService of the contract is made of, put together."""

from dataclasses import dataclass
from functools import partial
from typing import Self

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.blobs.spool import Spool
from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.file_updates import FileUpdateService
from ingest_grpc.service.files import FileService
from ingest_grpc.service.imports import ImportService
from ingest_grpc.service.intake import Intake
from ingest_grpc.service.sweep import sweep_blobs
from ingest_grpc.service.uploads import UploadService
from ingest_grpc.store.interface import Rows, Store

SPOOL_FOLDER = "uploads"
"""Where a data folder keeps the bytes of unfinished uploads."""


@dataclass(frozen=True, slots=True)
class FileServices:
    """The services about files, over one store and one place for their bytes."""

    files: FileService
    uploads: UploadService
    imports: ImportService
    updates: FileUpdateService
    store: Store
    blobs: Blobs
    spool: Spool
    origins: Origins
    intake: Intake

    @classmethod
    def build(
        cls, settings: Settings, store: Store, blobs: Blobs, clock: Clock, origins: Origins | None = None
    ) -> Self:
        """As the settings say. Raises WrongSetting."""
        origins = origins or Origins(settings.import_urls, settings.import_roots)
        spool = Spool(settings.data_dir / SPOOL_FOLDER)
        intake = Intake(store, blobs, settings)
        imports = ImportService(store, blobs, origins, clock, intake)
        return cls(
            files=FileService(store, blobs, clock, intake, imports),
            uploads=UploadService(
                store,
                blobs,
                spool,
                clock,
                intake,
                upload_hours=settings.upload_hours,
                team_max_uploads=settings.team_max_uploads,
            ),
            imports=imports,
            updates=FileUpdateService(store, clock),
            store=store,
            blobs=blobs,
            spool=spool,
            origins=origins,
            intake=intake,
        )

    async def start(self) -> None:
        """Drops what a crash left of uploads that are complete or unknown."""
        await self.spool.start(self._is_open)

    async def delete_expired(self) -> None:
        """Deletes files and drops uploads whose time is over, and unlinks the bytes of all deleted files."""
        await attempted("dropping expired uploads", self.uploads.drop_expired())
        await attempted("deleting expired files", self.updates.delete_expired())
        await attempted("the sweep of deleted files", sweep_blobs(self.store, self.blobs))

    async def stop(self) -> None:
        """Waits for what callers left unfinished."""
        for service in (self.files, self.uploads, self.imports):
            await service.stop()
        await self.spool.stop()
        await self.origins.stop()

    async def _is_open(self, upload_id: str) -> bool:
        return await self.store.read(partial(_upload_is_open, upload_id=upload_id))


async def _upload_is_open(rows: Rows, *, upload_id: str) -> bool:
    return await rows.upload_is_open(upload_id)
