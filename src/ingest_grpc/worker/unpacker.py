"""Unpacks an archive: its members become durable blobs, and then, all at once, files and records of the job."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.interface import Blobs, StoredBlob
from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.filenames import display_path, fitting_name, guess_content_type
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import Engine, NewFile
from ingest_grpc.pipeline.parse.descriptors import write_whole
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.service.archives import REFUSALS, ArchiveRules, ArchiveService, Member, Unpacked
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.handover import hand_over
from ingest_grpc.service.intake import Intake
from ingest_grpc.service.new_records import IsCurrent
from ingest_grpc.service.work import Done
from ingest_grpc.store.interface import RecordRow, Store
from ingest_grpc.worker.executors.interface import ArchiveFound, ConversionFailed, Executor, Progress
from ingest_grpc.worker.staging import Staged, Staging


class Unpacker:
    """What the runner does with a record whose file turned out to be an archive."""

    @classmethod
    def build(
        cls,
        settings: Settings,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        executor: Executor,
        is_current: IsCurrent,
    ) -> Self:
        """As the settings say; `is_current` tells which earlier outputs are reused."""
        rules = ArchiveRules(
            max_records=settings.max_records_per_job,
            max_queued=settings.team_max_queued,
            max_team_bytes=settings.team_max_bytes,
            max_files=settings.max_entries,
            max_bytes=settings.max_archive_bytes,
            is_current=is_current,
        )
        return cls(
            ArchiveService(store, clock, rules),
            blobs,
            executor,
            Intake(store, blobs, settings),
            Limits.of(settings),
            max_nesting=settings.max_archive_nesting,
        )

    def __init__(
        self,
        archives: ArchiveService,
        blobs: Blobs,
        executor: Executor,
        intake: Intake,
        limits: Limits,
        *,
        max_nesting: int,
    ) -> None:
        self._archives = archives
        self._blobs = blobs
        self._executor = executor
        self._intake = intake
        self._limits = limits
        self._max_nesting = max_nesting
        self._finisher = Finisher()

    async def unpack(
        self,
        claim: RecordRow,
        source: int,
        output_key: str,
        found: ArchiveFound,
        on_progress: Callable[[Progress], None],
    ) -> Unpacked | ConversionFailed:
        """Every member durable and listed in a blob. Whatever ends it otherwise leaves no blob behind.

        Raises IngestError for failures of the storage.
        """
        if claim.archive_depth >= self._max_nesting:
            return ConversionFailed(Reason.ARCHIVE_TOO_DEEP, f"inside {claim.archive_depth} other archives")
        staging = Members(self._blobs, self._intake, claim, self._limits, os.fstat(source).st_size)
        done = False
        try:
            unpacked = await self._executor.unpack(source, staging, on_progress)
            if isinstance(unpacked, ConversionFailed):
                return unpacked
            members = tuple(map(_member, staging.staged))
            if not members:
                return ConversionFailed(Reason.CONVERTER_CRASHED, "the child reported success without members")
            stored = await self._store_listing(output_key, listing(claim, members).encode())
            done = True
        except TooMuch as much:
            return ConversionFailed(much.reason, much.detail)
        finally:
            if not done:
                await self._finisher.run(self._drop(staging, output_key))
        engine = Engine(name=unpacked.engine_name, version=unpacked.engine_version)
        warnings = (*found.warnings, *unpacked.warnings)
        return Unpacked(Done(stored, engine, None, warnings, unpacked.losses), members)

    async def _store_listing(self, key: str, text: bytes) -> StoredBlob:
        # In an output of its own: the child that found the archive may still write to that of the conversion.
        async with self._blobs.output(len(text)) as output:
            with storage_errors():
                write_whole(output.fd, text)
            return await output.commit(key)

    async def _drop(self, staging: "Members", listing_key: str) -> None:
        await staging.drop()
        await self._blobs.delete(listing_key)

    async def drain(self) -> None:
        """Waits for what cancelled calls left behind to be gone."""
        await self._finisher.drain()

    async def report(self, claim: RecordRow, unpacked: Unpacked) -> Reason | None:
        """Commits it; returns why the ledger refuses it, None if all is said and done."""
        finish = self._archives.finish(claim, unpacked)
        try:
            await hand_over(self._blobs, unpacked.blob_keys, finish, lambda kept: kept or ())
        except IngestError as error:
            if error.reason in REFUSALS:
                return error.reason
            raise
        return None


class TooMuch(Exception):
    """More comes out of an archive than may; the child should have noticed itself."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Members(Staging):
    """Takes the members of one archive."""

    claim: RecordRow
    limits: Limits
    archive_bytes: int

    def name(self, path: str) -> NewFile:
        """Raises TooMuch."""
        if self.begun > self.limits.max_archive_files:
            raise TooMuch(Reason.TOO_MANY_ENTRIES, f"more than {self.limits.max_archive_files} files")
        filename = fitting_name(path, fallback=f"file-{len(self.staged) + 1}")
        shown = display_path(f"{self.claim.record.filename}/{path}")
        return NewFile(filename=filename, path=shown, content_type=guess_content_type(filename))

    def check(self) -> None:
        """Raises TooMuch."""
        if self.received > self.limits.unpacked_bytes_of(self.archive_bytes):
            raise TooMuch(Reason.DECOMPRESSION_BOMB, f"{self.archive_bytes} bytes expand to more than {self.received}")


def _member(staged: Staged) -> Member:
    return Member(
        file_id=new_id(Prefix.FILE),
        record_id=new_id(Prefix.RECORD),
        blob=staged.blob,
        filename=staged.file.filename,
        path=staged.file.path,
        content_type=staged.file.content_type,
        markdown=staged.markdown,
    )


def listing(claim: RecordRow, members: Sequence[Member]) -> str:
    """The output of an archive: what was in it, and which record each of its files became."""
    prefix = f"{claim.record.filename}/"
    rows = [
        f"| {_cell(member.path.removeprefix(prefix))} | {member.blob.size_bytes} | {member.record_id} |"
        for member in members
    ]
    head = [f"# {_cell(claim.record.filename)}", "", "| File | Bytes | Record |", "| --- | ---: | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")
