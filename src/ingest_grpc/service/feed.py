"""The feed over all jobs of a team: milestones and events of the jobs themselves, in the order of their commits.

However many watch a team, its feed is read once per commit, and an event is encoded once for all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ingest_grpc.hub import Hub
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import EventType, Job, TimelineEvent
from ingest_grpc.service import views
from ingest_grpc.service.shared_reads import SharedReads
from ingest_grpc.store.interface import FeedEvent, Rows, Store

PAGE = 200
PAGE_BYTES = 256 * 1024
"""Most events per read, and encoded bytes of jobs after which it ends: what a watcher that lags behind holds in memory
at most, and each at a place of its own."""

SHOWING = frozenset({EventType.CREATED, EventType.JOB_UPDATED, EventType.JOB_DELETED, EventType.JOB_UNDELETED})
"""Events after which a job may have come to pass a filter, or may pass it no longer."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a job decides who is told of it: without its texts, which may take half a megabyte."""

    job_id: str
    job_type: JobType
    external_id: str | None
    labels: Mapping[str, str]
    knowledge_base_id: str | None
    deleted: bool

    @classmethod
    def of(cls, job: Job) -> "Watched":
        """What decides of this job."""
        deleted = job.deleted_at is not None
        return cls(job.job_id, job.job_type, job.external_id, job.labels, job.knowledge_base_id, deleted)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An event, and its job as it was when the page was read. `job_data` is set for the events of SHOWING.

    `data` and `job_data` are the contents of messages, the same for every watcher.
    """

    cursor: int
    event: TimelineEvent
    data: bytes
    job: Watched
    job_data: bytes | None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events after a cursor, whether more follow, and the floor below which a cursor may have missed events."""

    items: Sequence[FeedItem]
    more: bool
    floor: int


class Feed:
    """Pages of feeds for watchers."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        *,
        encode_event: Callable[[TimelineEvent], bytes],
        encode_job: Callable[[Job], bytes],
    ) -> None:
        self._store = store
        self._hub = hub
        self._encode_event = encode_event
        self.encode_job = encode_job
        self._reads: SharedReads[tuple[str, int, int], FeedPage] = SharedReads()
        self._newest: dict[str, tuple[int, int, FeedPage]] = {}

    async def after(self, team: str, cursor: int) -> FeedPage:
        """Up to PAGE events after the cursor, with all commits that anybody was told of so far.

        The caller subscribed to the team and cleared its signal before: a read that began in an older generation
        may not see the newest commit, and is not joined.
        """
        generation = self._hub.generation(team)
        newest = self._newest.get(team)
        if newest is not None and newest[:2] == (cursor, generation):
            return newest[2]
        page = await self._reads.get((team, cursor, generation), partial(self._read, team, cursor))
        if self._hub.is_watched(team):
            self._newest[team] = (cursor, generation, page)
        return page

    def forget(self, team: str) -> None:
        """The last watcher of the team is gone."""
        self._newest.pop(team, None)

    async def _read(self, team: str, cursor: int) -> FeedPage:
        return await self._store.read(partial(self._page, team=team, cursor=cursor))

    async def _page(self, rows: Rows, team: str, cursor: int) -> FeedPage:
        """Jobs are encoded one by one as they are read: those of a page may take 100 MB with all their texts."""
        floor, _ = await rows.feed_bounds(team)
        events = await rows.feed_after(team, cursor, PAGE)
        shown = {each.job_row for each in events if each.event.type in SHOWING}
        jobs = dict[int, tuple[Watched, bytes | None]]()
        items, left = list[FeedItem](), PAGE_BYTES
        for each in events:
            if left < 0:
                break
            if each.job_row not in jobs:
                jobs[each.job_row] = await self._job(rows, each.job_row, shown=each.job_row in shown)
                left -= len(jobs[each.job_row][1] or b"")
            items.append(self._item(each, *jobs[each.job_row]))
        return FeedPage(items, len(events) == PAGE or len(items) < len(events), floor)

    async def _job(self, rows: Rows, row: int, *, shown: bool) -> tuple[Watched, bytes | None]:
        """What a page holds of a job; encoded only if it is shown."""
        job = await rows.job_by_row(row)
        if not shown:
            return Watched.of(job), None
        job = await views.with_reviews(rows, job, views.MAX_REVIEW_REASONS_IN_LISTS)
        return Watched.of(job), self.encode_job(job)

    def _item(self, each: FeedEvent, job: Watched, encoded: bytes | None) -> FeedItem:
        job_data = encoded if each.event.type in SHOWING else None
        return FeedItem(each.row_id, each.event, self._encode_event(each.event), job, job_data)
