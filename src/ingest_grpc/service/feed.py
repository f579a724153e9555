"""The feed over all jobs of a team: milestones and events of the jobs themselves, in the order of their commits.

However many watch a team, its feed is read once per commit, and an event is encoded once for all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ingest_grpc.hub import Hub
from ingest_grpc.model import EventType, Job, TimelineEvent
from ingest_grpc.service import views
from ingest_grpc.service.shared_reads import SharedReads
from ingest_grpc.store.interface import FeedEvent, Rows, Store

PAGE = 200
"""Events per read: what a watcher that lags behind holds in memory at most."""

SHOWING = frozenset({EventType.CREATED, EventType.JOB_UPDATED, EventType.JOB_DELETED, EventType.JOB_UNDELETED})
"""Events after which a job may have come to pass a filter, or may pass it no longer."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An event, and its job as it was when the page was read. `job_data` is set for the events of SHOWING.

    `data` and `job_data` are the contents of messages, the same for every watcher.
    """

    cursor: int
    event: TimelineEvent
    data: bytes
    job: Job
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
        async def unit(rows: Rows) -> tuple[int, list[FeedEvent], dict[int, Job]]:
            floor, _ = await rows.feed_bounds(team)
            events = await rows.feed_after(team, cursor, PAGE)
            jobs = {row: await rows.job_by_row(row) for row in {each.job_row for each in events}}
            for row in {each.job_row for each in events if each.event.type in SHOWING}:
                jobs[row] = await views.with_reviews(rows, jobs[row], views.MAX_REVIEW_REASONS_IN_LISTS)
            return floor, events, jobs

        floor, events, jobs = await self._store.read(unit)
        shown = {each.job_row for each in events if each.event.type in SHOWING}
        encoded = {row: self.encode_job(jobs[row]) for row in shown}
        items = [self._item(each, jobs[each.job_row], encoded) for each in events]
        return FeedPage(items, len(events) == PAGE, floor)

    def _item(self, each: FeedEvent, job: Job, encoded: dict[int, bytes]) -> FeedItem:
        job_data = encoded[each.job_row] if each.event.type in SHOWING else None
        return FeedItem(each.row_id, each.event, self._encode_event(each.event), job, job_data)
