"""WatchService: a watcher is a cursor over a job's log.

Clear the signal, read everything after the cursor, send it, and only then sleep until a commit, a heartbeat
or the end. Nothing is handed over in memory, so nothing can be dropped, doubled or reordered; a slow watcher
costs one page. The numbered rules are those of docs/watch.md.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub, Signal
from ingest_grpc.lifecycle import TERMINAL_JOB_STATUSES
from ingest_grpc.model import (
    AlignmentJob,
    AlignmentProgress,
    Caller,
    FileRecord,
    IngestionJob,
    Job,
    JobFile,
    RecordProgress,
    WatchEndReason,
    WatchRequest,
    WatchUntil,
)
from ingest_grpc.service import views
from ingest_grpc.service.jobs import check_not_in_future
from ingest_grpc.service.positions import ProgressCursor, ProgressFeed
from ingest_grpc.service.stream_pace import StreamPace
from ingest_grpc.service.tail import EventTail, TailPage
from ingest_grpc.service.watch_lag import WatchLag
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.store.interface import Rows, Store

SNAPSHOT_PAGE = 500
"""Rows per read of a snapshot: no transaction stays open while a page is sent."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The job at its last_sequence."""

    job: Job
    ledger_id: str


@dataclass(frozen=True, slots=True)
class SnapshotPart:
    """Rows of a snapshot; each may be newer than the snapshot and says so by its last_sequence."""

    sequence: int
    records: tuple[FileRecord, ...] = ()
    ingestion_jobs: tuple[IngestionJob, ...] = ()
    files: tuple[JobFile, ...] = ()
    alignment: AlignmentJob | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """The snapshot is complete."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Positions and progress since the last one."""

    sequence: int
    records: tuple[RecordProgress, ...]
    alignment: AlignmentProgress | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Everything wanted up to `sequence` was sent; `job` is the job at the head."""

    sequence: int
    job: Job
    ledger_id: str


@dataclass(frozen=True, slots=True)
class End:
    """The watch is over."""

    sequence: int
    reason: WatchEndReason
    job: Job


WatchMessage = Snapshot | SnapshotPart | Synced | Moved | Heartbeat | End


class Watcher(Protocol):
    """Takes the messages of one watch. Each call returns when the next message may follow."""

    async def write(self, data: bytes) -> None:
        """An event, encoded as it is for every watcher."""
        ...

    async def send(self, message: WatchMessage) -> None:
        """Any other message."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """What a watch reads from."""

    store: Store
    hub: Hub
    tail: EventTail
    feed: ProgressFeed
    clock: Clock
    limits: WatchLimits
    lag: WatchLag


class WatchService:
    """Opens watches."""

    def __init__(self, sources: Sources, *, rotate_seconds: float) -> None:
        self._sources = sources
        self._rotate_seconds = rotate_seconds

    async def watch(self, caller: Caller, request: WatchRequest, watcher: Watcher) -> None:
        """Gives the messages of one watch to the watcher; returns after End.

        Raises TOO_MANY_WATCHERS, JOB_NOT_FOUND, SEQUENCE_IN_FUTURE, SEQUENCE_COMPACTED, LEDGER_RESTORED, and to have
        the client come back STREAM_ROTATED and SERVER_DRAINING.
        """
        sources = self._sources
        job, ledger_id = await sources.store.read(lambda rows: _begin(rows, caller, request))
        pace = StreamPace(
            sources.clock,
            sources.hub,
            heartbeat_seconds=request.heartbeat_interval_seconds,
            rotate_seconds=self._rotate_seconds,
        )
        # After the look-up: a job of another team must not be counted, nor tell by a refusal that it is watched.
        with sources.limits.watch(caller.team_id, job.job_id):
            row = job.row_id
            signal = sources.hub.subscribe(row)
            try:
                watch = _Watch(sources, request, ledger_id, signal, job, pace, watcher)
                del job  # a watch lives long, and ten thousand of them need not keep ten thousand copies
                await watch.run()
            finally:
                sources.hub.unsubscribe(signal)
                if not sources.hub.is_watched(row):
                    sources.tail.forget(row)
                    sources.feed.forget(row)


async def _begin(rows: Rows, caller: Caller, request: WatchRequest) -> tuple[Job, str]:
    """The job and the ledger's identity in one snapshot, if the request's cursor belongs to them (rule 5)."""
    job = await views.find_job(rows, caller.team_id, request.job_id)
    ledger_id = await rows.ledger_id()
    if request.after_sequence is not None:
        if request.ledger_id is not None and request.ledger_id != ledger_id:
            raise IngestError(Reason.LEDGER_RESTORED, {"ledger_id": ledger_id, **_bounds(job)})
        check_not_in_future(job, request.after_sequence)
        if request.after_sequence < job.earliest_sequence - 1:
            raise _compacted(job, request.after_sequence)
    return await views.with_reviews(rows, job), ledger_id


class _Watch:
    """The state of one watch: a cursor, and the pace of its stream."""

    __slots__ = (
        "_cursor", "_ledger_id", "_pace", "_progress", "_request", "_row", "_shown_first", "_signal", "_silent",
        "_sources", "_watcher",
    )  # fmt: skip

    def __init__(
        self,
        sources: Sources,
        request: WatchRequest,
        ledger_id: str,
        signal: Signal,
        job: Job,
        pace: StreamPace,
        watcher: Watcher,
    ) -> None:
        self._watcher = watcher
        self._sources = sources
        self._request = request
        self._ledger_id = ledger_id
        self._signal = signal
        self._row = job.row_id
        self._shown_first = job if request.after_sequence is None else None
        self._cursor = job.last_sequence if request.after_sequence is None else request.after_sequence
        self._progress = ProgressCursor() if request.progress else None
        self._pace = pace
        self._silent = request.after_sequence is not None

    async def run(self) -> None:
        """Snapshot, then what is new, again and again."""
        await self._send_snapshot()
        tail, row, signal, kinds = self._sources.tail, self._row, self._signal, self._request.kinds
        waited = False
        while True:
            signal.clear()
            page = tail.at_hand(row, self._cursor) or await tail.after(row, self._cursor)
            if not page.whole:  # rule 2
                raise _compacted(page.job, self._cursor)
            for event in page.events:
                self._cursor = event.sequence
                if kinds is None or event.kind in kinds:
                    self._silent = False
                    await self._watcher.write(event.data())
                    if waited:  # the time says nothing of a watcher that lags behind, or reads old events
                        waited = False
                        self._sources.lag.delivered(event.happened_at)
            at_head = page.current and self._cursor >= page.job.last_sequence
            if at_head:
                reason = self._reached(page)
                if (reason or self._progress) and await self._ended(page.job, reason):
                    return
            if self._silent or self._pace.is_due:
                await self._beat(page.job)
            if at_head:
                await signal.wait(self._due())
                waited = True

    async def _send_snapshot(self) -> None:
        job, self._shown_first = self._shown_first, None
        if job is not None:
            async for part in self._snapshot(job):
                await self._watcher.send(part)

    async def _beat(self, job: Job) -> None:
        """A heartbeat where one is due or nothing was said yet. Raises what ends the stream."""
        if self._silent or self._pace.beat_is_due:
            self._silent = False
            self._pace.beaten()
            await self._watcher.send(Heartbeat(self._cursor, job, self._ledger_id))
        self._pace.raise_if_over()

    async def _ended(self, job: Job, reason: WatchEndReason | None) -> bool:
        """What follows the newest event: progress, and the end of the watch where it is reached."""
        if self._progress is not None and (moved := await self._sources.feed.moved(job, self._progress)):
            self._silent = False
            await self._watcher.send(Moved(self._cursor, moved.records, moved.alignment))
        if reason is None:
            return False
        await self._watcher.send(End(self._cursor, reason, job))
        return True

    async def _snapshot(self, job: Job) -> AsyncGenerator[WatchMessage, None]:
        """Job, then its rows page by page, then synced (rule 3)."""
        read, sequence = self._sources.store.read, job.last_sequence
        yield Snapshot(job, self._ledger_id)
        if (alignment := await read(partial(_alignment, job_row=job.row_id))) is not None:
            yield SnapshotPart(sequence, alignment=alignment)
        after = 0
        while page := await read(partial(_ingestion_jobs, job=job, after=after)):
            yield SnapshotPart(sequence, ingestion_jobs=tuple(page))
            after = page[-1].row_id
        after = 0
        while records := await read(partial(_records, job_row=job.row_id, after=after)):
            yield SnapshotPart(sequence, records=tuple(records))
            after = records[-1].row_id
        after = 0
        while files := await read(partial(_markdown, job_row=job.row_id, after=after)):
            yield SnapshotPart(sequence, files=tuple(entry for _, entry in files))
            after = files[-1][0]
        yield Synced(sequence)

    def _reached(self, page: TailPage) -> WatchEndReason | None:
        """Why the watch ends at this head, judged on the job as it is now, never on old events (rule 7)."""
        job = page.job
        if job.deleted_at is not None:
            return WatchEndReason.DELETED
        match self._request.until:
            case WatchUntil.SETTLED:
                return WatchEndReason.SETTLED if page.settled else None
            case WatchUntil.NEVER:
                return None
            case WatchUntil.TERMINAL:
                return WatchEndReason.TERMINAL if job.status in TERMINAL_JOB_STATUSES else None
            case WatchUntil.HEAD:
                return WatchEndReason.HEAD

    def _due(self) -> float:
        return self._pace.due if self._progress is None else min(self._pace.due, self._progress.due)


async def _alignment(rows: Rows, job_row: int) -> AlignmentJob | None:
    row = await rows.current_alignment(job_row)
    return None if row is None else row.alignment


async def _ingestion_jobs(rows: Rows, job: Job, after: int) -> list[IngestionJob]:
    return await rows.ingestion_jobs(
        team=job.team_id, job_row=job.row_id, statuses=(), after=after, oldest_first=True, limit=SNAPSHOT_PAGE
    )


async def _records(rows: Rows, job_row: int, after: int) -> list[FileRecord]:
    found = await rows.records(job_row=job_row, show_deleted=True, after=after, limit=SNAPSHOT_PAGE)
    return [row.record for row in found]


async def _markdown(rows: Rows, job_row: int, after: int) -> list[tuple[int, JobFile]]:
    return await rows.markdown_files(job_row, SNAPSHOT_PAGE, after)


def _bounds(job: Job) -> dict[str, str]:
    return {"earliest_sequence": str(job.earliest_sequence), "head_sequence": str(job.last_sequence)}


def _compacted(job: Job, cursor: int) -> IngestError:
    return IngestError(Reason.SEQUENCE_COMPACTED, {"after_sequence": str(cursor), **_bounds(job)})
