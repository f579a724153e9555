"""The tail is a cache over the log: its races, each played step by step against a ledger whose reads are held."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from ingest_grpc.hub import Hub
from ingest_grpc.lifecycle import JobStatus, JobType, Tally
from ingest_grpc.model import EventType, Job, JobChange, Method, TimelineEvent
from ingest_grpc.service.tail import KEPT, KEPT_UNWANTED, PAGE, EventTail, TailPage
from ingest_grpc.store.interface import JobStep, Rows, Store

JOB = 1


def job_at(sequence: int) -> Job:
    return Job(
        row_id=JOB,
        job_id="dj-1",
        name="job",
        job_type=JobType.CONTEXT_GROUNDED_FILES,
        status=JobStatus.FILE_PROCESSING,
        tally=Tally(queued=1),
        method=Method.SPEED_OPTIMIZED,
        user_id="user",
        team_id="team",
        last_sequence=sequence,
        created_at=0,
        updated_at=0,
    )


class Snapshot:
    """What one read sees: the log as it was when the read began."""

    def __init__(self, head: int) -> None:
        self._head = head

    async def job_by_row(self, _row_id: int) -> Job:
        return job_at(self._head)

    async def events_after(self, _job_row: int, after: int, limit: int) -> list[TimelineEvent]:
        return [event(number) for number in range(after + 1, min(self._head, after + limit) + 1)]


def event(sequence: int) -> TimelineEvent:
    change = JobChange(job=job_at(sequence))
    return TimelineEvent(
        job_id="dj-1",
        sequence=sequence,
        timestamp=sequence,
        type=EventType.JOB_CHANGED,
        message="",
        actor="",
        change=change,
    )


class HeldLedger:
    """A log of one job. While `held`, a read takes its snapshot at once and returns when it is released."""

    def __init__(self, hub: Hub, head: int = 0) -> None:
        self._hub = hub
        self._head = head
        self.held = False
        self.reads: list[asyncio.Event] = []
        self.encoded: list[int] = []
        self.failure: Exception | None = None
        self.tail = EventTail(cast(Store, self), hub, self._encode)

    def commit(self, events: int = 1) -> None:
        """A commit, and its wake."""
        self._head += events
        self._hub.wake([JOB])

    async def read(self, unit: Callable[[Rows], Awaitable[Any]]) -> Any:
        snapshot = Snapshot(self._head)
        release = asyncio.Event()
        self.reads.append(release)
        if self.held:
            await release.wait()
        if self.failure:
            raise self.failure
        return await unit(cast(Rows, snapshot))

    def _encode(self, value: TimelineEvent) -> bytes:
        self.encoded.append(value.sequence)
        return str(value.sequence).encode()

    async def begin(self, cursor: int) -> "asyncio.Task[TailPage]":
        """A watcher asks for what follows its cursor, and has got as far as it gets."""
        task = asyncio.create_task(self.tail.after(JOB, cursor))
        for _ in range(3):
            await asyncio.sleep(0)
        return task


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def ledger(hub: Hub) -> HeldLedger:
    return HeldLedger(hub, head=3)


def numbers(page: TailPage) -> list[int]:
    assert [each.data() for each in page.events] == [str(each.sequence).encode() for each in page.events]
    return [each.sequence for each in page.events]


async def test_after__reads_what_follows_the_cursor(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    page = await ledger.tail.after(JOB, 1)
    assert numbers(page) == [2, 3]
    assert (page.job.last_sequence, page.current) == (3, True)


async def test_after__serves_others_from_memory(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    for cursor in (0, 1, 2, 3, 0):
        assert numbers(await ledger.tail.after(JOB, cursor)) == list(range(cursor + 1, 4))
    assert len(ledger.reads) == 1
    assert ledger.encoded == [1, 2, 3]


async def test_after__reads_once_for_all_who_ask_at_the_same_time(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    ledger.held = True
    tasks = [await ledger.begin(0) for _ in range(50)]
    ledger.reads[0].set()
    pages = await asyncio.gather(*tasks)
    assert len(ledger.reads) == 1
    assert len({id(page.events[0].data) for page in pages}) == 1


async def test_after__reads_only_what_is_new(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    assert numbers(await ledger.tail.after(JOB, 0)) == [1, 2, 3]
    ledger.commit(2)
    assert numbers(await ledger.tail.after(JOB, 3)) == [4, 5]
    assert numbers(await ledger.tail.after(JOB, 1)) == [2, 3, 4, 5]
    assert ledger.encoded == [1, 2, 3, 4, 5]
    assert len(ledger.reads) == 2


async def test_after__does_not_join_a_read_that_is_older_than_the_wake(hub: Hub, ledger: HeldLedger) -> None:
    """A reads; a commit comes, which A's snapshot does not hold; B, woken by it, asks for the same.

    Joined to A's read, B would find nothing and sleep, and no wake would follow.
    """
    hub.subscribe(JOB)
    ledger.held = True
    first = await ledger.begin(3)
    ledger.commit()
    second = await ledger.begin(3)
    ledger.reads[0].set()
    assert numbers(await first) == []
    assert not second.done()
    ledger.reads[1].set()
    page = await second
    assert numbers(page) == [4]
    assert (page.job.last_sequence, page.current) == (4, True)


async def test_after__does_not_believe_a_tail_that_is_older_than_the_wake(hub: Hub, ledger: HeldLedger) -> None:
    """The older read ends last, and what it knew becomes the tail: no watcher may take it for the head."""
    hub.subscribe(JOB)
    ledger.held = True
    first = await ledger.begin(0)
    ledger.commit()
    ledger.reads[0].set()
    assert numbers(await first) == [1, 2, 3]
    # Events out of an old tail are welcome; that the log ends there is not believed.
    page = await ledger.tail.after(JOB, 1)
    assert (numbers(page), page.current) == ([2, 3], False)
    ledger.held = False
    assert numbers(await ledger.tail.after(JOB, 3)) == [4]


async def test_after__does_not_join_a_read_of_watchers_who_left(hub: Hub, ledger: HeldLedger) -> None:
    """A leaves while its read runs. Nobody watches, so the commit that follows wakes nobody and counts for nobody.

    B comes: joined to A's read, or served from what it left behind, B would miss the commit and sleep.
    """
    signal = hub.subscribe(JOB)
    ledger.held = True
    abandoned = await ledger.begin(3)
    abandoned.cancel()
    hub.unsubscribe(signal)
    ledger.tail.forget(JOB)
    ledger.commit()
    hub.subscribe(JOB)
    second = await ledger.begin(3)
    ledger.reads[0].set()
    await asyncio.sleep(0)
    assert not second.done()
    ledger.reads[1].set()
    assert numbers(await second) == [4]


async def test_tail__left_by_watchers_who_are_gone_is_not_believed(hub: Hub, ledger: HeldLedger) -> None:
    """As above, but the abandoned read ends after B came and before B asks."""
    signal = hub.subscribe(JOB)
    ledger.held = True
    abandoned = await ledger.begin(2)
    abandoned.cancel()
    hub.unsubscribe(signal)
    ledger.tail.forget(JOB)
    ledger.commit()
    hub.subscribe(JOB)
    ledger.reads[0].set()
    for _ in range(3):
        await asyncio.sleep(0)
    ledger.held = False
    assert not (await ledger.tail.after(JOB, 2)).current
    assert numbers(await ledger.tail.after(JOB, 3)) == [4]


async def test_tail__is_not_replaced_by_an_older_read(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    ledger.held = True
    slow = await ledger.begin(0)
    ledger.commit()
    quick = await ledger.begin(0)
    ledger.reads[1].set()
    assert numbers(await quick) == [1, 2, 3, 4]
    ledger.reads[0].set()
    assert numbers(await slow) == [1, 2, 3]
    assert numbers(await ledger.tail.after(JOB, 3)) == [4]
    assert len(ledger.reads) == 2


async def test_tail__is_not_kept_for_a_job_that_nobody_watches(hub: Hub, ledger: HeldLedger) -> None:
    signal = hub.subscribe(JOB)
    ledger.held = True
    task = await ledger.begin(0)
    hub.unsubscribe(signal)
    ledger.tail.forget(JOB)
    ledger.reads[0].set()
    await task
    assert ledger.tail._tails == {}
    assert not len(ledger.tail._reads)


async def test_read__goes_on_for_the_others_when_one_is_cancelled(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    ledger.held = True
    first, second = await ledger.begin(0), await ledger.begin(0)
    first.cancel()
    ledger.reads[0].set()
    assert numbers(await second) == [1, 2, 3]
    assert first.cancelled()


async def test_read__that_fails_is_told_and_tried_again(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    ledger.failure = OSError("the disk is gone")
    with pytest.raises(OSError, match="the disk is gone"):
        await ledger.tail.after(JOB, 0)
    ledger.failure = None
    assert numbers(await ledger.tail.after(JOB, 0)) == [1, 2, 3]


async def test_read__of_a_watcher_far_behind_goes_page_by_page(hub: Hub) -> None:
    ledger = HeldLedger(hub, head=2 * PAGE + 1)
    hub.subscribe(JOB)
    cursor, pages = 0, []
    while cursor < 2 * PAGE + 1:
        pages.append(numbers(await ledger.tail.after(JOB, cursor)))
        cursor = pages[-1][-1]
    assert [len(page) for page in pages] == [PAGE, PAGE, 1]
    assert [number for page in pages for number in page] == list(range(1, 2 * PAGE + 2))


async def test_tail__keeps_no_more_than_it_may(hub: Hub) -> None:
    ledger = HeldLedger(hub, head=1)
    hub.subscribe(JOB)
    cursor = 0
    while cursor < 2 * KEPT:
        cursor = numbers(await ledger.tail.after(JOB, cursor))[-1]
        ledger.commit(PAGE)
    assert len(ledger.tail._tails[JOB].events) <= KEPT
    assert numbers(await ledger.tail.after(JOB, 0))[0] == 1


# ── what a commit brings along ─────────────────────────────────────────────────────────────────────────────────────


def step(first: int, last: int, job: Job | None = None) -> JobStep:
    return JobStep(job or job_at(last), [event(number) for number in range(first, last + 1)])


def committed(hub: Hub, ledger: HeldLedger, *steps: JobStep) -> None:
    """A commit whose steps the tail is told of, as the server does it: after the wake."""
    ledger.commit(sum(len(each.events) for each in steps))
    ledger.tail.follow(steps)


async def test_follow__serves_what_a_commit_brought_without_a_read(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    committed(hub, ledger, step(4, 5), step(6, 6))

    for cursor in (5, 0, 6):
        page = await ledger.tail.after(JOB, cursor)
        assert numbers(page) == list(range(cursor + 1, 7))
        assert (page.job.last_sequence, page.current) == (6, True)
    assert len(ledger.reads) == 1


async def test_follow__leaves_a_gap_to_be_read(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    ledger.commit()  # of which the tail was not told
    committed(hub, ledger, step(5, 5))

    page = await ledger.tail.after(JOB, 3)
    assert (numbers(page), page.current) == ([4, 5], True)
    assert len(ledger.reads) == 2


async def test_follow__leaves_records_to_review_to_be_read(hub: Hub, ledger: HeldLedger) -> None:
    """A watch may end there, and its last message names them."""
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    failed = job_at(4).model_copy(update={"tally": Tally(failed=1, unresolved=1)})
    committed(hub, ledger, step(4, 4, failed))

    await ledger.tail.after(JOB, 3)
    assert len(ledger.reads) == 2


async def test_follow__a_commit_that_is_only_half_taken_over_is_read(hub: Hub, ledger: HeldLedger) -> None:
    """One commit, two units: the second one fails the last record. What was taken over must not pass for the head."""
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    failed = job_at(5).model_copy(update={"tally": Tally(failed=1, unresolved=1)})
    committed(hub, ledger, step(4, 4), step(5, 5, failed))

    assert numbers(await ledger.tail.after(JOB, 3))[0] == 4
    assert numbers(await ledger.tail.after(JOB, 4)) == [5]


async def test_follow__a_read_that_began_before_does_not_undo_it(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 3)
    ledger.held = True
    lagging = await ledger.begin(0)
    committed(hub, ledger, step(4, 4))
    ledger.reads[-1].set()
    assert numbers(await lagging) == [1, 2, 3]

    assert numbers(await ledger.tail.after(JOB, 3)) == [4]
    assert len(ledger.reads) == 2


async def test_follow__keeps_nothing_of_what_nobody_watches(hub: Hub, ledger: HeldLedger) -> None:
    committed(hub, ledger, step(4, 4))
    assert ledger.tail._tails == {}


async def test_follow__keeps_a_bounded_number(hub: Hub, ledger: HeldLedger) -> None:
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    committed(hub, ledger, step(4, KEPT + 10))
    assert len(ledger.tail._tails[JOB].events) == KEPT


async def test_follow__serves_all_that_one_commit_brought_however_much_that_is(hub: Hub, ledger: HeldLedger) -> None:
    """Nobody could want any of it before: that is no reason to drop it."""
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 0)
    committed(hub, ledger, step(4, 100), step(101, PAGE))
    for reads in (1, 2):  # from the commit itself, then from a read that finds no tail
        for _watcher in range(2):
            assert numbers(await ledger.tail.after(JOB, 3)) == list(range(4, PAGE + 1))
        assert (len(ledger.reads), len(ledger.encoded)) == (reads, 3 + reads * (PAGE - 3))
        ledger.tail.forget(JOB)


async def test_follow__encodes_nothing_and_keeps_few_of_events_that_nobody_wants(hub: Hub, ledger: HeldLedger) -> None:
    """Who waits for the end of a job looks at the kinds of its events, and passes nearly all of them over."""
    hub.subscribe(JOB)
    await ledger.tail.after(JOB, 3)
    for head in range(4, KEPT):
        committed(hub, ledger, step(head, head))
        page = await ledger.tail.after(JOB, head - 1)
        assert [(each.sequence, each.was_wanted) for each in page.events] == [(head, False)]
    assert len(ledger.tail._tails[JOB].events) == KEPT_UNWANTED + 1
    assert ledger.encoded == []
    assert len(ledger.reads) == 1

    wanted = await ledger.tail.after(JOB, KEPT - 2)
    assert [each.data() for each in (*wanted.events, *wanted.events)] == [str(KEPT - 1).encode()] * 2
    assert ledger.encoded == [KEPT - 1], "encoded once"
