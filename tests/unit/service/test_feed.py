"""The feed's reads are shared: its races, each played step by step against a ledger whose reads are held."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from ingest_grpc.hub import Hub
from ingest_grpc.model import EventType, Job, JobChange, TimelineEvent
from ingest_grpc.service.feed import PAGE, Feed, FeedPage
from ingest_grpc.store.interface import FeedEvent, Rows, Store
from tests.unit.service.test_tail import job_at

TEAM = "team"


def event(number: int) -> FeedEvent:
    kind = EventType.CREATED if number == 1 else EventType.JOB_CHANGED
    change = JobChange(job=job_at(number))
    told = TimelineEvent(
        job_id="dj-1", sequence=number, timestamp=number, type=kind, message="", actor="", change=change
    )
    return FeedEvent(row_id=number, job_row=1, event=told)


class Snapshot:
    """What one read sees: the feed as it was when the read began."""

    def __init__(self, head: int, floor: int) -> None:
        self._head = head
        self._floor = floor

    async def feed_bounds(self, _team: str) -> tuple[int, int]:
        return self._floor, self._head

    async def feed_after(self, _team: str, after: int, limit: int) -> list[FeedEvent]:
        return [event(number) for number in range(after + 1, min(self._head, after + limit) + 1)]

    async def job_by_row(self, _row: int) -> object:
        return job_at(self._head)


class HeldLedger:
    """A feed of one team. While `held`, a read takes its snapshot at once and returns when it is released."""

    def __init__(self, hub: Hub, head: int = 0) -> None:
        self._hub = hub
        self.head = head
        self.floor = 0
        self.held = False
        self.reads: list[asyncio.Event] = []
        self.encoded: list[int] = []
        self.failure: Exception | None = None
        self.feed = Feed(cast(Store, self), hub, encode_event=self._encode, encode_job=self._encode_job)

    def commit(self) -> None:
        """A commit, and its wake."""
        self.head += 1
        self._hub.wake([TEAM])

    async def read(self, unit: Callable[[Rows], Awaitable[Any]]) -> Any:
        snapshot = Snapshot(self.head, self.floor)
        release = asyncio.Event()
        self.reads.append(release)
        if self.held:
            await release.wait()
        if self.failure:
            raise self.failure
        return await unit(cast(Rows, snapshot))

    def _encode(self, value: TimelineEvent) -> bytes:
        self.encoded.append(value.sequence)
        return b"event"

    def _encode_job(self, job: Job) -> bytes:
        return b"job at %d" % job.last_sequence

    async def begin(self, cursor: int = 0) -> "asyncio.Task[FeedPage]":
        """A watcher that asks, and whose read is under way or shared."""
        task = asyncio.create_task(self.feed.after(TEAM, cursor))
        for _ in range(5):
            await asyncio.sleep(0)
        return task


@pytest.fixture
async def hub() -> Hub:
    hub = Hub()
    hub.subscribe(TEAM)
    return hub


@pytest.fixture
def ledger(hub: Hub) -> HeldLedger:
    return HeldLedger(hub, head=2)


def cursors(page: FeedPage) -> list[int]:
    return [item.cursor for item in page.items]


async def test_feed__one_read_and_one_encoding_for_all_who_ask_at_once(ledger: HeldLedger) -> None:
    ledger.held = True
    tasks = [await ledger.begin() for _ in range(20)]
    [read] = ledger.reads
    read.set()
    pages = [await task for task in tasks]
    assert all(page is pages[0] for page in pages)
    assert ledger.encoded == [1, 2]
    assert (await ledger.feed.after(TEAM, 0)) is pages[0], "nor does one who comes a moment later"


async def test_feed__a_read_that_is_older_than_the_last_commit_is_not_joined(ledger: HeldLedger) -> None:
    """The watcher is woken for the new commit while another one's read, which does not see it, is under way."""
    ledger.held = True
    early = await ledger.begin(2)
    ledger.commit()
    late = await ledger.begin(2)
    assert len(ledger.reads) == 2
    for read in ledger.reads:
        read.set()
    assert (cursors(await early), cursors(await late)) == ([], [3])


async def test_feed__what_was_read_before_a_commit_is_not_taken_for_the_head(ledger: HeldLedger) -> None:
    assert cursors(await ledger.feed.after(TEAM, 2)) == []
    ledger.commit()
    assert cursors(await ledger.feed.after(TEAM, 2)) == [3]


async def test_feed__pages_say_whether_more_follows_and_where_the_floor_is(ledger: HeldLedger) -> None:
    ledger.head, ledger.floor = PAGE + 1, 7
    page = await ledger.feed.after(TEAM, 0)
    assert (len(page.items), page.more, page.floor) == (PAGE, True, 7)
    rest = await ledger.feed.after(TEAM, page.items[-1].cursor)
    assert (cursors(rest), rest.more) == ([PAGE + 1], False)


async def test_feed__shows_the_job_beside_events_by_which_it_may_come_and_with_its_present_state(
    ledger: HeldLedger,
) -> None:
    page = await ledger.feed.after(TEAM, 0)
    assert [item.job_data for item in page.items] == [b"job at %d" % ledger.head, None]


async def test_feed__one_who_leaves_does_not_take_the_read_with_him(ledger: HeldLedger) -> None:
    ledger.held = True
    leaving, staying = await ledger.begin(), await ledger.begin()
    leaving.cancel()
    await asyncio.sleep(0)
    ledger.reads[0].set()
    assert cursors(await staying) == [1, 2]


async def test_feed__a_failure_is_told_to_all_who_wait_and_forgotten(ledger: HeldLedger) -> None:
    ledger.failure = RuntimeError("disk")
    ledger.held = True
    tasks = [await ledger.begin() for _ in range(3)]
    ledger.reads[0].set()
    for task in tasks:
        with pytest.raises(RuntimeError, match="disk"):
            await task
    ledger.failure, ledger.held = None, False
    assert cursors(await ledger.feed.after(TEAM, 0)) == [1, 2]


async def test_feed__keeps_nothing_of_a_team_that_nobody_watches(hub: Hub, ledger: HeldLedger) -> None:
    signal = hub.subscribe(TEAM)
    await ledger.feed.after(TEAM, 0)
    ledger.held = True
    task = await ledger.begin(1)
    for each in list(hub._signals[TEAM]):
        hub.unsubscribe(each)
    ledger.feed.forget(TEAM)
    ledger.reads[-1].set()
    await task
    assert signal.topic == TEAM
    assert ledger.feed._newest == {}
    assert not len(ledger.feed._reads)
