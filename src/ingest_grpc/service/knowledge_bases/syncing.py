"""SyncDataSource: brings a knowledge base in step with a data source, by one job; and ends such a job."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.filenames import base_name, displayable, guess_content_type
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import (
    Caller,
    DataSource,
    DataSourceType,
    File,
    FileKind,
    ImportSource,
    IngestionJob,
    Job,
    JobCancelled,
    KnowledgeBase,
    Mutation,
    Request,
    SyncSummary,
)
from ingest_grpc.service.idempotency import recall, remember
from ingest_grpc.service.intake import Intake, file_not_found
from ingest_grpc.service.job_files import check_queue_room
from ingest_grpc.service.jobs import CancelEffect, JobService
from ingest_grpc.service.knowledge_bases.comparing import Comparison, FoundKey
from ingest_grpc.service.knowledge_bases.documents import Place, attach, remove_document
from ingest_grpc.service.knowledge_bases.feeding import Version, feed, feeding_job, feeding_run, run_of
from ingest_grpc.service.knowledge_bases.finding import (
    data_source_not_found,
    find_data_source,
    job_if_any,
    reindex_running,
)
from ingest_grpc.service.knowledge_bases.listing import Listing, url_of
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.turns import Turns
from ingest_grpc.store.interface import Rows, Store, Tx
from ingest_grpc.store.knowledge_interface import KnownKey

SLICE = 500
"""Keys of one transaction: a source of 100,000 must not keep all other writers waiting."""

KEYS_PAGE = 5_000


class SyncEffect(BaseModel):
    """What a sync began; kept for its request id."""

    data_source_id: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """The data source with what the comparison found, and the job that was made."""

    source: DataSource
    job: Job | None


@dataclass(frozen=True, slots=True)
class _Sync:
    """What a sync has to write; without a job where nothing changed."""

    caller: Caller
    source: DataSource
    knowledge_base: KnowledgeBase
    comparison: Comparison
    job_id: str | None
    equal: Sequence[tuple[int, FoundKey]] = ()
    request: Request | None = None

    @property
    def effect(self) -> SyncEffect:
        return SyncEffect(data_source_id=self.source.data_source_id, job_id=self.job_id)


@dataclass(frozen=True, slots=True)
class _Slice:
    """What one transaction writes: keys to ingest, documents to remove (rows)."""

    keys: Sequence[FoundKey] = ()
    gone: Sequence[int] = ()


class SyncService:
    """Syncs data sources, one sync per source at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        listing: Listing,
        intake: Intake,
        jobs: JobService,
        *,
        max_queued: int | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._listing = listing
        self._intake = intake
        self._jobs = jobs
        self._max_queued = max_queued
        self._turns = Turns()
        self._interrupted: dict[str, str] = {}

    async def sync(
        self, caller: Caller, data_source_id: str, keys: Sequence[str], request: Request | None
    ) -> Mutation[Synced]:
        """Compares, and makes a job of what is new, modified or gone; none where nothing changed.

        Raises DATA_SOURCE_NOT_FOUND, KNOWLEDGE_BASE_DELETED, SYNC_RUNNING, REINDEX_RUNNING, TEAM_QUEUE_FULL, and what
        looking at the source raises.
        """
        async with self._turns.of(data_source_id):  # the second of two calls sees what the first one began
            done = await self._store.write(lambda tx: recall(tx, caller, request, SyncEffect))
            if done is not None:
                return Mutation(await self._synced(caller, done), replayed=True)
            source, knowledge_base = await self._ready(caller, data_source_id)
            comparison = await self._listing.compared(source, await self._known(source), keys)
            equal = await self._listing.settle_doubts(source, comparison)
            job_id = new_id(Prefix.JOB) if comparison.changes else None
            sync = _Sync(caller, source, knowledge_base, comparison, job_id, equal, request)
            await self._apply(sync)
        return Mutation(await self._synced(caller, sync.effect))

    async def begin(self, caller: Caller, source: DataSource, job_id: str) -> None:
        """The first sync of a source that was just added: it makes a job in any case. Does nothing after another one.

        Raises what `sync` raises.
        """
        async with self._turns.of(source.data_source_id):
            id_ = source.data_source_id
            if (await self._store.read(partial(shown_source, team=caller.team_id, id_=id_))).synced:
                return
            source, knowledge_base = await self._ready(caller, id_)
            comparison = await self._listing.compared(source, ())
            await self._apply(_Sync(caller, source, knowledge_base, comparison, job_id))

    async def check_room(self, tx: Tx, team: str) -> None:
        """Raises TEAM_QUEUE_FULL. A sync that has begun is written whole, however many files it has."""
        await check_queue_room(tx, team, self._max_queued)

    async def cancel(self, caller: Caller, data_source_id: str, request: Request | None) -> Mutation[JobCancelled]:
        """Cancels the job of the sync that runs. Raises DATA_SOURCE_NOT_FOUND and SYNC_NOT_RUNNING."""
        # The sync that a replay is about no longer runs.
        earlier = await self._store.write(lambda tx: recall(tx, caller, request, CancelEffect))
        if earlier is not None:
            job = await self._jobs.get(caller, earlier.job_id)
            return Mutation(JobCancelled(job, earlier.records_cancelled), replayed=True)

        async def running(rows: Rows) -> Job | None:
            source, _ = await find_data_source(rows, caller.team_id, data_source_id)
            return await running_job(rows, source)

        found = await self._store.read(running)
        if found is None:
            about = {"data_source_id": data_source_id}
            raise IngestError(Reason.SYNC_NOT_RUNNING, about, resource=("DataSource", data_source_id))
        # The request goes along, so that what was cancelled and that it was is one transaction.
        return await self._jobs.cancel(caller, found.job_id, request)

    # ── before ─────────────────────────────────────────────────────────────────────────────────────────

    async def _ready(self, caller: Caller, data_source_id: str) -> tuple[DataSource, KnowledgeBase]:
        await self.end_interrupted()

        async def unit(rows: Rows) -> tuple[DataSource, KnowledgeBase]:
            source, knowledge_base = await find_data_source(rows, caller.team_id, data_source_id)
            await _check_free(rows, source, knowledge_base)
            return source, knowledge_base

        return await self._store.read(unit)

    async def _known(self, source: DataSource) -> list[KnownKey]:
        known: list[KnownKey] = []
        after = 0
        while page := await self._store.read(partial(_known_page, source=source, after=after)):
            known += page
            after = page[-1].row_id
        return known

    # ── after the comparison ───────────────────────────────────────────────────────────────────────────

    async def _apply(self, sync: _Sync) -> None:
        """In slices; a sync that is interrupted between two is finished by the next one, which finds what is left."""
        slices = list(_slices(sync.comparison))
        try:
            for number, slice_ in enumerate(slices, 1):
                first, last = number == 1, number == len(slices)
                write = partial(self._write, sync=sync, slice_=slice_, first=first, last=last)
                if not await self._store.write(write):
                    return
        except BaseException:  # a caller who hung up as well: nobody else would tell the watchers of the job
            if sync.job_id is not None:
                self._interrupted[sync.job_id] = sync.caller.team_id
            with suppress(IngestError):  # what interrupted the sync may still last
                await self.end_interrupted()
            raise

    async def _write(self, tx: Tx, *, sync: _Sync, slice_: _Slice, first: bool, last: bool) -> bool:
        """One slice, the first with the job and the last with what the sync found; whether to go on."""
        if (job_id := sync.job_id) is not None:
            ledger, run = await (self._create(tx, sync, job_id) if first else self._reopen(tx, sync, job_id))
            if not ledger.job.facts.filling:  # cancelled since the last slice, or its source was removed
                last = True
            else:
                await feed(ledger, run, [await self._version(tx, sync, each) for each in slice_.keys])
                if last:
                    ledger.filled()
                await ledger.close()
                await self._remove(tx, slice_.gone, sync.caller, job_id)
        if last:
            await self._finish(tx, sync)
        return not last

    async def _create(self, tx: Tx, sync: _Sync, job_id: str) -> tuple[JobLedger, IngestionJob]:
        source, knowledge_base = await find_data_source(tx, sync.caller.team_id, sync.source.data_source_id)
        await _check_free(tx, source, knowledge_base)
        if sync.comparison.new or sync.comparison.modified:
            await self.check_room(tx, sync.caller.team_id)
        name, now = f"Sync of {source.name}", self._clock.now()
        job = feeding_job(sync.caller, knowledge_base, name, source.method, now, source.data_source_id, job_id)
        ledger = await JobLedger.create(tx, job, sync.caller.user_id)
        await tx.update_data_source(source.model_copy(update={"sync_job_id": job_id}))
        return ledger, await ledger.add_ingestion_job(feeding_run(ledger))

    async def _reopen(self, tx: Tx, sync: _Sync, job_id: str) -> tuple[JobLedger, IngestionJob]:
        ledger = await JobLedger.open(tx, sync.caller.team_id, job_id, self._clock.now(), sync.caller.user_id)
        return ledger, await run_of(tx, ledger.job)

    async def _version(self, tx: Tx, sync: _Sync, found: FoundKey) -> Version:
        """The document of a key with the file that is its latest version."""
        source, now = sync.source, self._clock.now()
        file_id = found.key
        if source.type is DataSourceType.OBJECT_STORE:
            new = imported(sync.caller, source, found, now)
            await self._intake.insert(tx, new)
            file_id = new.file_id
        file = await tx.file(source.team_id, file_id)
        if file is None or file.deleted_at is not None:
            raise file_not_found(file_id)  # deleted since it was listed: the caller syncs again
        place = Place(sync.knowledge_base, source.row_id)
        return Version(await attach(tx, place, found.key, found.etag, file, now), file, source.method)

    async def _remove(self, tx: Tx, rows: Sequence[int], caller: Caller, job_id: str) -> None:
        for row in rows:
            document = await tx.document_by_row(row)
            if document.removed_at is None:
                await remove_document(tx, document, self._clock.now(), caller.user_id, job_id)

    async def _finish(self, tx: Tx, sync: _Sync) -> None:
        now, comparison = self._clock.now(), sync.comparison
        for row, found in sync.equal:  # the next comparison need not read them again
            document = await tx.document_by_row(row)
            await tx.update_document(document.model_copy(update={"etag": found.etag}))
        source = await tx.data_source(sync.caller.team_id, sync.source.data_source_id)
        if source is not None:
            summary = SyncSummary(
                at=now,
                new=len(comparison.new),
                modified=len(comparison.modified),
                deleted=len(comparison.gone),
                unchanged=comparison.unchanged,
                job_id=sync.job_id,
            )
            changes = {"last_sync": summary, "next_sync_at": next_sync_at(source, now)}
            await tx.update_data_source(source.model_copy(update=changes))
        await remember(tx, sync.caller, sync.request, sync.effect, now)

    # ── the ends of interrupted syncs ──────────────────────────────────────────────────────────────────

    async def end_interrupted(self) -> None:
        """Ends the jobs of syncs that were interrupted, as far as that was not possible at once."""
        for job_id, team in tuple(self._interrupted.items()):
            await self._store.write(partial(self._end, team=team, job_id=job_id))
            self._interrupted.pop(job_id, None)

    async def recover(self) -> None:
        """Ends the jobs of syncs that the last server was still writing: the next syncs find what is left."""
        for job in await self._store.read(lambda rows: rows.jobs_being_filled()):
            await self._store.write(partial(self._end, team=job.team_id, job_id=job.job_id))

    async def _end(self, tx: Tx, *, team: str, job_id: str) -> None:
        await end_filling(tx, team, job_id, self._clock.now())

    async def _synced(self, caller: Caller, effect: SyncEffect) -> Synced:
        source = await self._store.read(partial(shown_source, team=caller.team_id, id_=effect.data_source_id))
        return Synced(source, await self._store.read(partial(job_if_any, team=caller.team_id, job_id=effect.job_id)))


async def _known_page(rows: Rows, *, source: DataSource, after: int) -> list[KnownKey]:
    return await rows.known_keys(source.row_id, after, KEYS_PAGE)


def next_sync_at(source: DataSource, now: int) -> int | None:
    """When a source syncs by itself next."""
    seconds = source.sync_interval_seconds
    return None if seconds is None else now + seconds * MICROSECONDS


def imported(caller: Caller, source: DataSource, found: FoundKey, now: int) -> File:
    """A file that stands for an object of a source until its bytes are needed."""
    filename = base_name(found.key) or "file"
    return File(
        blob_key=uuid.uuid4().hex,
        file_id=new_id(Prefix.FILE),
        kind=FileKind.UPLOAD,
        filename=filename,
        path=displayable(found.key),
        content_type=guess_content_type(filename),
        size_bytes=found.size_bytes,
        sha256="",
        user_id=caller.user_id,
        team_id=caller.team_id,
        created_at=now,
        import_source=ImportSource(url=url_of(source, found.key), etag=found.etag),
    )


async def shown_source(rows: Rows, *, team: str, id_: str) -> DataSource:
    """A data source with its files, its running job and the failures of its last sync. Raises DATA_SOURCE_NOT_FOUND."""
    source = await rows.data_source(team, id_)
    if source is None:
        raise data_source_not_found(id_)
    return await shown(rows, source, with_files=True)


async def shown(rows: Rows, source: DataSource, *, with_files: bool = False) -> DataSource:
    """A data source as it is shown."""
    job = await running_job(rows, source)
    counts = await rows.document_counts(source.knowledge_base_row, source.row_id)
    last = source.last_sync
    if last is not None and last.job_id is not None:
        synced = await rows.job(source.team_id, last.job_id)
        last = last.model_copy(update={"failed": 0 if synced is None else synced.tally.failed})
    return source.model_copy(
        update={
            "running_job_id": None if job is None else job.job_id,
            "files_total": sum(count.documents for count in counts),
            "last_sync": last,
            "file_ids": tuple(await rows.source_files(source.row_id)) if with_files else (),
        }
    )


async def running_job(rows: Rows, source: DataSource) -> Job | None:
    """The job of a sync that is not settled."""
    job = None if source.sync_job_id is None else await rows.job(source.team_id, source.sync_job_id)
    return job if job is not None and not job.settled else None


async def end_filling(tx: Tx, team: str, job_id: str | None, now: int) -> None:
    """Lets the job of a sync settle that gets no more files; leaves any other job alone."""
    job = None if job_id is None else await tx.job(team, job_id)
    if job is not None and job.facts.filling:
        ledger = JobLedger(tx, job, now, job.user_id)
        ledger.filled()
        await ledger.close()


async def _check_free(rows: Rows, source: DataSource, knowledge_base: KnowledgeBase) -> None:
    """Raises SYNC_RUNNING and REINDEX_RUNNING."""
    if (job := await running_job(rows, source)) is not None:
        about = {"data_source_id": source.data_source_id, "job_id": job.job_id}
        raise IngestError(Reason.SYNC_RUNNING, about, resource=("Job", job.job_id))
    if knowledge_base.next is not None:
        raise reindex_running(knowledge_base)


def _slices(comparison: Comparison) -> Iterator[_Slice]:
    """At least one, which may be empty."""
    keys = [*comparison.new, *comparison.modified]
    for start in range(0, len(keys), SLICE):
        yield _Slice(keys=keys[start : start + SLICE])
    for start in range(0, len(comparison.gone), SLICE):
        yield _Slice(gone=comparison.gone[start : start + SLICE])
    if not keys and not comparison.gone:
        yield _Slice()
