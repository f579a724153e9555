"""Unpacks an archive: its members become durable blobs, and then, all at once, files and records of the job."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.interface import Blobs, Output
from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.filenames import display_path, fitting_name, guess_content_type
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import Engine, NewFile
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.service.archives import REFUSALS, ArchiveRules, ArchiveService, Member, Unpacked
from ingest_grpc.service.finisher import Finisher
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
        to: "Destination",
        found: ArchiveFound,
        on_progress: Callable[[Progress], None],
    ) -> Unpacked | ConversionFailed:
        """Every member durable and listed in the output. Whatever ends it otherwise leaves no blob behind.

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
            with storage_errors():
                # The child that found the archive may have written, and moved the position that is shared with it.
                os.ftruncate(to.output.fd, 0)
                os.pwrite(to.output.fd, listing(claim, members).encode(), 0)
            stored = await to.output.commit(to.key)
            done = True
        except TooMuch as much:
            return ConversionFailed(much.reason, much.detail)
        finally:
            if not done:
                await self._finisher.run(staging.drop())
        engine = Engine(name=unpacked.engine_name, version=unpacked.engine_version)
        warnings = (*found.warnings, *unpacked.warnings)
        return Unpacked(Done(stored, engine, None, warnings, unpacked.losses), members)

    async def drop(self, blob_keys: Sequence[str]) -> None:
        """Nobody wants these bytes any more."""
        for key in blob_keys:
            await self._blobs.delete(key)

    async def drain(self) -> None:
        """Waits for what cancelled calls left behind to be gone."""
        await self._finisher.drain()

    async def report(self, claim: RecordRow, unpacked: Unpacked) -> Reason | None:
        """Commits it; returns why the ledger refuses it, None if all is said and done."""
        try:
            kept = await self._archives.finish(claim, unpacked)
        except Exception as error:
            reason = error.reason if isinstance(error, IngestError) else None
            # When it is unknown whether the members were stored, the next start asks the ledger for each blob.
            if reason is not Reason.STORAGE_UNAVAILABLE:
                await self.drop(unpacked.blob_keys)
            if reason in REFUSALS:
                return reason
            raise
        for key in unpacked.blob_keys:
            await (self._blobs.settle(key) if kept is not None and key in kept else self._blobs.delete(key))
        return None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the list of an archive's members goes: an empty output, and the key of the blob that it becomes."""

    output: Output
    key: str


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
