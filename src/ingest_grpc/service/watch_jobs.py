"""WatchJobs: a watcher of many jobs is a cursor over the feed of its team.

First the cursor, then the jobs page by page, then the events after the cursor: what changes while the jobs are
sent comes again as an event, and nothing is missed. Which jobs pass the filter is judged on each job as it is
now. A resume token holds all that the server knows of a watcher, so a watch outlives every server.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub, Signal
from ingest_grpc.model import (
    Caller,
    EventType,
    JobChange,
    JobFilter,
    TimelineEvent,
    WatchJobsRequest,
    WatchJobsUntil,
)
from ingest_grpc.service import views
from ingest_grpc.service.feed import Feed, FeedItem, Watched
from ingest_grpc.service.paging import Tokens, fits
from ingest_grpc.service.stream_pace import StreamPace
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.store.interface import JobCursor, Rows, Store

SNAPSHOT_PAGE = 100
SNAPSHOT_PAGE_BYTES = 256 * 1024
"""Most jobs per read of a snapshot, and encoded bytes after which it ends: no transaction stays open while a page is
sent, and a watcher that does not read holds one for as long as it is borne."""

_START: JobCursor = (0, 0)


@dataclass(frozen=True, slots=True)
class SnapshotBegins:
    """Jobs that do not come before Synced are gone."""

    ledger_id: str


@dataclass(frozen=True, slots=True)
class Synced:
    """The snapshot is complete."""


@dataclass(frozen=True, slots=True)
class JobRemoved:
    """The job was deleted or no longer passes the filter, by the event with this sequence."""

    job_id: str
    sequence: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life."""

    ledger_id: str


@dataclass(frozen=True, slots=True)
class End:
    """The watch is over."""


Content = bytes | SnapshotBegins | Synced | JobRemoved | Heartbeat | End
"""What a message says; bytes are a job or an event, encoded already."""


@dataclass(frozen=True, slots=True)
class Message:
    """Everything wanted up to `token` was sent."""

    token: str
    content: Content


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a watch is: after which event of the feed, and within a snapshot after which job."""

    cursor: int
    jobs_after: JobCursor | None = None


class WatchJobsService:
    """Opens watches over the jobs of a team."""

    def __init__(
        self, store: Store, hub: Hub, feed: Feed, clock: Clock, limits: WatchLimits, *, rotate_seconds: float
    ) -> None:
        self._store = store
        self._hub = hub
        self._feed = feed
        self._clock = clock
        self._limits = limits
        self._rotate_seconds = rotate_seconds

    async def watch(self, caller: Caller, request: WatchJobsRequest) -> AsyncGenerator[Message, None]:
        """Messages of one watch; ends after End.

        Raises TOO_MANY_WATCHERS, INVALID_RESUME_TOKEN, FEED_COMPACTED, LEDGER_RESTORED, and to have the client come
        back STREAM_ROTATED and SERVER_DRAINING.
        """
        team = caller.team_id
        tokens = Tokens(team, "watch_jobs", request.filters)
        position, ledger_id = await self._store.read(partial(_begin, team=team, request=request, tokens=tokens))
        pace = StreamPace(
            self._clock,
            self._hub,
            heartbeat_seconds=request.heartbeat_interval_seconds,
            rotate_seconds=self._rotate_seconds,
        )
        with self._limits.watch(team):
            signal = self._hub.subscribe(team)
            try:
                watch = _Watch(self._store, self._feed, team, request, tokens, ledger_id, position, pace, signal)
                async with aclosing(watch.messages()) as messages:
                    async for message in messages:
                        yield message
            finally:
                self._hub.unsubscribe(signal)
                if not self._hub.is_watched(team):
                    self._feed.forget(team)


async def _begin(rows: Rows, team: str, request: WatchJobsRequest, tokens: Tokens) -> tuple[_Position, str]:
    """Where the watch begins, and the ledger's identity; in one snapshot."""
    ledger_id = await rows.ledger_id()
    floor, head = await rows.feed_bounds(team)
    if not request.resume_token:
        return _Position(head, _START), ledger_id
    try:
        ledger_of_token, *place = tokens.decode(request.resume_token)
        position = _position(*place)
    except (ValueError, TypeError):
        raise IngestError(Reason.INVALID_RESUME_TOKEN) from None
    if ledger_of_token != ledger_id:
        raise IngestError(Reason.LEDGER_RESTORED, {"ledger_id": ledger_id})
    if position.cursor > head:  # the ledger's file was put back to an older state
        raise IngestError(Reason.INVALID_RESUME_TOKEN)
    if position.cursor < floor:
        raise IngestError(Reason.FEED_COMPACTED)
    return position, ledger_id


def _position(cursor: int, created_at: int | None = None, row: int = 0) -> _Position:
    """Raises TypeError for what a token of ours never holds."""
    if not all(map(fits, (cursor, created_at or 0, row))):
        raise TypeError("not a position")
    return _Position(cursor, None if created_at is None else (created_at, row))


class _Watch:
    """The state of one watch: a position, and the pace of its stream."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        team: str,
        request: WatchJobsRequest,
        tokens: Tokens,
        ledger_id: str,
        position: _Position,
        pace: StreamPace,
        signal: Signal,
    ) -> None:
        self._store = store
        self._feed = feed
        self._team = team
        self._request = request
        self._tokens = tokens
        self._ledger_id = ledger_id
        self._position = position
        self._pace = pace
        self._signal = signal
        self._silent = bool(request.resume_token)

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Snapshot, then what is new, again and again."""
        async for message in self._snapshot():
            yield message
        while True:
            self._signal.clear()
            page = await self._feed.after(self._team, self._position.cursor)
            if self._position.cursor < page.floor:
                raise IngestError(Reason.FEED_COMPACTED)
            for item in page.items:
                for message in self._told(item):
                    self._silent = False
                    yield message
                self._position = _Position(item.cursor)
            if not page.more and self._request.until is WatchJobsUntil.HEAD:
                yield self._message(End())
                return
            if self._silent or self._pace.beat_is_due:
                yield self._heartbeat()
            self._pace.raise_if_over()
            if not page.more:
                await self._signal.wait(self._pace.due)

    # ── the snapshot ───────────────────────────────────────────────────────────────────────────────────

    async def _snapshot(self) -> AsyncIterator[Message]:
        """The jobs after the position; nothing for a watch that has them all."""
        if self._position.jobs_after is None:
            return
        if self._position.jobs_after == _START:
            self._silent = False
            yield self._message(SnapshotBegins(self._ledger_id))
        after: JobCursor | None = self._position.jobs_after
        while after is not None:
            jobs, after = await self._store.read(partial(self._jobs, after=after))
            for place, data in jobs:
                self._silent = False
                self._position = _Position(self._position.cursor, place)
                yield self._message(data)
            if self._pace.beat_is_due:  # a filter that few jobs pass takes a while
                yield self._heartbeat()
            self._pace.raise_if_over()
        self._silent = False
        self._position = _Position(self._position.cursor)
        yield self._message(Synced())

    async def _jobs(self, rows: Rows, after: JobCursor) -> tuple[list[tuple[JobCursor, bytes]], JobCursor | None]:
        """One page of the jobs that pass the filter, oldest first, each with its place, and where to go on.

        Encoded one by one as they are read: a hundred jobs with all their texts may take 50 MB.
        """
        found, cursor = await self._found(rows, after)
        page, left = list[tuple[JobCursor, bytes]](), SNAPSHOT_PAGE_BYTES
        for place in found:
            job = await rows.job_by_row(place[1])
            job = await views.with_reviews(rows, job, views.MAX_REVIEW_REASONS_IN_LISTS)
            data = self._feed.encode_job(job)
            page.append((place, data))
            left -= len(data)
            if left < 0 and len(page) < len(found):
                return page, place
        return page, cursor

    async def _found(self, rows: Rows, after: JobCursor) -> tuple[list[JobCursor], JobCursor | None]:
        """The places of these jobs, and where to go on behind all of them."""
        asked = self._request
        if asked.external_id is not None:
            job = await rows.job_by_external_id(self._team, asked.external_id)
            if job is None or not self._passes(Watched.of(job)):
                return [], None
            return [(job.created_at, job.row_id)], None
        wanted = JobFilter(
            job_types=asked.job_types,
            labels=asked.labels,
            knowledge_base_id=asked.knowledge_base_id,
            ascending=True,
        )
        found, cursor = await rows.jobs_where(self._team, wanted, after, SNAPSHOT_PAGE)
        return [place for _, place in found], cursor

    # ── the feed ───────────────────────────────────────────────────────────────────────────────────────

    def _told(self, item: FeedItem) -> Iterator[Message]:
        """What the watcher is told by one event: the job where it may be new to it, and the event."""
        after = _Position(item.cursor)
        if self._passes(item.job):
            if item.job_data is not None:
                # Still at the position before: cut behind it, the stream goes on with the same event.
                yield self._message(item.job_data)
            yield self._message(item.data, after)
        elif self._passed_before(item.job, item.event):
            yield self._message(JobRemoved(item.job.job_id, item.event.sequence, item.job.deleted), after)

    def _passes(self, job: Watched) -> bool:
        return not job.deleted and self._fits(job) and self._has(job.labels, job.knowledge_base_id)

    def _passed_before(self, job: Watched, event: TimelineEvent) -> bool:
        """Whether this event may have taken a job away that passed the filter until then."""
        change = event.change
        if event.type is EventType.JOB_DELETED:
            return self._fits(job) and self._has(job.labels, job.knowledge_base_id)
        if isinstance(change, JobChange) and event.type is EventType.JOB_UPDATED:
            labels, knowledge_base = change.labels_before, change.knowledge_base_before
            return self._fits(job) and self._has(
                job.labels if labels is None else labels,
                job.knowledge_base_id if knowledge_base is None else knowledge_base,
            )
        return False

    def _fits(self, job: Watched) -> bool:
        """Whether the job passes what of the filter never changes its mind."""
        asked = self._request
        return job.job_type in (asked.job_types or (job.job_type,)) and asked.external_id in (None, job.external_id)

    def _has(self, labels: Mapping[str, str], knowledge_base_id: str | None) -> bool:
        """Whether it passes what a caller may change."""
        asked = self._request
        return asked.labels.items() <= labels.items() and asked.knowledge_base_id in (None, knowledge_base_id)

    # ── what all messages have in common ───────────────────────────────────────────────────────────────

    def _heartbeat(self) -> Message:
        self._silent = False
        self._pace.beaten()
        return self._message(Heartbeat(self._ledger_id))

    def _message(self, content: Content, at: _Position | None = None) -> Message:
        position = at or self._position
        return Message(self._tokens.encode([self._ledger_id, position.cursor, *(position.jobs_after or ())]), content)
