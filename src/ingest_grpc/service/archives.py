"""What an archive turns into: each file in it a file and a record of its own, in the transaction that completes it.

The members' bytes are durable before; the unit stores their rows, their records in the archive's own ingestion
job, and the archive's success, or nothing at all. So a crash in between leaves blobs that no row names, which the
next start removes, and an attempt that is no longer the current one changes nothing.
See docs/decisions/0015-archives.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import File, FileKind, IngestionJob
from ingest_grpc.service.job_files import cancel_record
from ingest_grpc.service.knowledge_bases.members import add_version, remove_former_members
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.new_records import (
    Intended,
    IsCurrent,
    as_reused,
    earlier_conversion,
    never,
    new_record,
    resolve,
    unresolved_named,
)
from ingest_grpc.service.queue import QueueTail, exceeds_queue
from ingest_grpc.service.work import SYSTEM, Done, complete, is_current
from ingest_grpc.store.interface import NewRecord, RecordRow, Store, Tx

REFUSALS = frozenset(
    {
        Reason.TOO_MANY_ENTRIES,
        Reason.DECOMPRESSION_BOMB,
        Reason.ARCHIVE_EXCEEDS_JOB,
        Reason.ARCHIVE_EXCEEDS_QUEUE,
        Reason.ARCHIVE_EXCEEDS_STORAGE,
    }
)
"""Reasons for which the ledger does not take an archive's members: each is an error of its record."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its ids to come, its durable bytes, its name, and where in the archive it was found."""

    file_id: str
    record_id: str
    blob: StoredBlob
    filename: str
    path: str
    content_type: str
    markdown: bool


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An archive whose members are all durable. Its own output is a list of them."""

    listing: Done
    members: tuple[Member, ...]

    @property
    def blob_keys(self) -> list[str]:
        """All bytes that wait for a row."""
        return [self.listing.output.key, *(member.blob.key for member in self.members)]


@dataclass(frozen=True, slots=True)
class ArchiveRules:
    """What limits an archive: records of its job, files of its team in the queue (None = any number) and in bytes,
    files and bytes that come out of an outermost archive at every depth; and whether what an engine made earlier is
    reused."""

    max_records: int
    max_queued: int | None
    max_team_bytes: int | None
    max_files: int
    max_bytes: int
    is_current: IsCurrent = never


class ArchiveService:
    """Takes what came out of archives into the ledger."""

    def __init__(self, store: Store, clock: Clock, rules: ArchiveRules) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def finish(self, claim: RecordRow, unpacked: Unpacked) -> frozenset[str] | None:
        """Completes an archive and queues its members. Returns the keys of the blobs that are needed.

        None if the attempt is no longer the current one, or was cancelled: then nothing came of it.
        Raises one of REFUSALS, and then nothing changed.
        """

        async def unit(tx: Tx) -> frozenset[str] | None:
            row = await tx.record_by_row(claim.record.row_id)
            if not is_current(claim.record, row.record):
                return None
            job = await tx.job_by_row(row.job_row)
            ledger = JobLedger(tx, job, self._clock.now(), claim.record.worker_id or SYSTEM)
            if job.cancelled:  # in slices: new records behind them would be overlooked
                await cancel_record(ledger, row)
                await ledger.close()
                return None
            await self._check_room(ledger, row, unpacked.members)
            # Members first: at no point of the timeline does the job look settled in between.
            kept = await self._add(ledger, row, unpacked.members)
            await complete(ledger, row, unpacked.listing, member_count=len(unpacked.members))
            await ledger.close()
            await self._check_storage(tx, job.team_id)
            return kept | {unpacked.listing.output.key}

        return await self._store.write(unit)

    async def _check_room(self, ledger: JobLedger, row: RecordRow, members: Sequence[Member]) -> None:
        rules, count = self._rules, len(members)
        files, content_bytes = await ledger.tx.unpacked_from(row.root_record_id or row.record.record_id)
        if files + count > rules.max_files:
            raise IngestError(Reason.TOO_MANY_ENTRIES)
        if content_bytes + sum(member.blob.size_bytes for member in members) > rules.max_bytes:
            raise IngestError(Reason.DECOMPRESSION_BOMB)
        if ledger.job.tally.total + count > rules.max_records:
            raise IngestError(Reason.ARCHIVE_EXCEEDS_JOB)

    async def _check_storage(self, tx: Tx, team: str) -> None:
        """Last, so that bytes which the team stores already cost nothing."""
        most = self._rules.max_team_bytes
        if most is not None and await tx.stored_bytes(team) > most:
            raise IngestError(Reason.ARCHIVE_EXCEEDS_STORAGE)

    async def _add(self, ledger: JobLedger, row: RecordRow, members: Sequence[Member]) -> frozenset[str]:
        """The members' files and records; returns the keys of the blobs that no earlier file of the team had."""
        ingestion_job = await ledger.tx.ingestion_job_by_row(row.ingestion_row)
        tail = await QueueTail.of(ledger.tx, ledger.job.team_id, ledger.job.priority)
        names = Counter(member.filename for member in members)
        kept = set()
        queued = 0
        for member in members:
            file = await ledger.tx.insert_file(_file(member, ledger, row), shareable=True)
            if file.blob_key == member.blob.key:
                kept.add(file.blob_key)
            unique = names[file.filename] == 1
            queued += await self._add_record(ledger, row, member, file, ingestion_job, tail, unique=unique)
        await remove_former_members(ledger, row)
        if await exceeds_queue(ledger.tx, ledger.job.team_id, queued, self._rules.max_queued):
            raise IngestError(Reason.ARCHIVE_EXCEEDS_QUEUE)
        return frozenset(kept)

    async def _add_record(
        self,
        ledger: JobLedger,
        row: RecordRow,
        member: Member,
        file: File,
        ingestion_job: IngestionJob,
        tail: QueueTail,
        *,
        unique: bool,
    ) -> bool:
        """A member is treated as if it had been added by itself: it may be reused, and resolve a failed namesake.

        Whether it is in the queue now.
        """
        tx, archive = ledger.tx, row.record
        replaces = await unresolved_named(tx, row.job_row, file.filename) if unique else None
        intended = Intended(file, archive.method, archive.user_id, replaces, archive.metadata)
        # Of a knowledge base a member is still to be cut and embedded: the worker finds the conversion.
        reusable = row.document_row is None
        earlier = await earlier_conversion(tx, file, archive.method, self._rules.is_current) if reusable else None
        fair_tag = tail.next() if earlier is None else tail.last
        new = _unpacked_from(row, member, new_record(ledger, intended, ingestion_job, fair_tag))
        if earlier is None:
            await add_version(ledger, row, new, member.path, file)
            return True
        await ledger.add_record(await as_reused(ledger, new, earlier.record))
        if replaces is not None:
            await resolve(ledger, replaces, member.record_id)
        return False


def _unpacked_from(archive: RecordRow, member: Member, new: NewRecord) -> NewRecord:
    """The record with its place below the archive's."""
    parent = archive.record.record_id
    return replace(
        new,
        record=new.record.model_copy(update={"record_id": member.record_id, "parent_record_id": parent}),
        root_record_id=archive.root_record_id or parent,
        archive_depth=archive.archive_depth + 1,
    )


def _file(member: Member, ledger: JobLedger, row: RecordRow) -> File:
    return File(
        blob_key=member.blob.key,
        markdown=member.markdown,
        file_id=member.file_id,
        kind=FileKind.UPLOAD,
        filename=member.filename,
        path=member.path,
        content_type=member.content_type,
        size_bytes=member.blob.size_bytes,
        sha256=member.blob.sha256,
        user_id=row.record.user_id,
        team_id=row.record.team_id,
        created_at=ledger.now,
    )
