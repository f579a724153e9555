"""The caches of encoded jobs: what they may keep, and what they must not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import Job, JobFilter, NewJob
from ingest_grpc.service.job_cache import ENTRY_BYTES, JobReplies, ListedJobs, Replies, head_of
from ingest_grpc.store.interface import ReadUnit, Store, T
from tests.factories import ALICE, BOB, Core

NEW = NewJob(name="a job", job_type=JobType.CONTEXT_GROUNDED_FILES)


def encoded(job: Job) -> bytes:
    return f"{job.job_id} {job.last_sequence}".encode()


@dataclass
class SlowReads:
    """A store whose reads wait to be let go after they have read."""

    store: Store
    reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    has_read: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, unit: ReadUnit[T]) -> T:
        self.reads += 1
        found = await self.store.read(unit)
        self.has_read.set()
        await self.gate.wait()
        return found


@pytest.fixture
def slow(core: Core) -> SlowReads:
    return SlowReads(core.store)


@pytest.fixture
def replies(slow: SlowReads) -> JobReplies:
    return JobReplies(slow, encoded)  # type: ignore[arg-type]


async def created(core: Core) -> Job:
    return (await core.jobs.create(ALICE, NEW, None)).value.job.job


async def test_replies__are_read_once_until_the_job_changes(core: Core, slow: SlowReads, replies: JobReplies) -> None:
    slow.gate.set()
    job = await created(core)

    assert await replies.of_job(ALICE.team_id, job.job_id) == encoded(job)
    assert await replies.of_job(ALICE.team_id, job.job_id) == encoded(job)
    assert slow.reads == 1
    replies.changed([job.row_id + 1])
    await replies.of_job(ALICE.team_id, job.job_id)
    assert slow.reads == 1
    replies.changed([job.row_id])
    assert len(replies) == 0
    await replies.of_job(ALICE.team_id, job.job_id)
    assert slow.reads == 2


async def test_replies__a_read_that_a_commit_overtook_is_not_kept(
    core: Core, slow: SlowReads, replies: JobReplies
) -> None:
    """It has read the old job when the commit comes; kept, it would be served for ever."""
    job = await created(core)
    reading = asyncio.create_task(replies.of_job(ALICE.team_id, job.job_id))
    await slow.has_read.wait()
    cancelled = (await core.jobs.cancel(ALICE, job.job_id, None)).value.job
    replies.changed([job.row_id])
    slow.gate.set()

    assert await reading == encoded(job)  # it began before: what it saw was true then
    assert len(replies) == 0
    assert await replies.of_job(ALICE.team_id, job.job_id) == encoded(cancelled) != encoded(job)
    assert len(replies) == 1


async def test_replies__nobody_joins_a_read_that_began_before_a_commit(
    core: Core, slow: SlowReads, replies: JobReplies
) -> None:
    job = await created(core)
    first = asyncio.create_task(replies.of_job(ALICE.team_id, job.job_id))
    joined = asyncio.create_task(replies.of_job(ALICE.team_id, job.job_id))
    await slow.has_read.wait()
    cancelled = (await core.jobs.cancel(ALICE, job.job_id, None)).value.job
    replies.changed([job.row_id])
    late = asyncio.create_task(replies.of_job(ALICE.team_id, job.job_id))
    slow.gate.set()

    assert await first == await joined == encoded(job)
    assert await late == encoded(cancelled)
    assert slow.reads == 2


async def test_replies__of_another_team_are_not_found(core: Core, slow: SlowReads, replies: JobReplies) -> None:
    slow.gate.set()
    job = await created(core)
    await replies.of_job(ALICE.team_id, job.job_id)

    with pytest.raises(IngestError) as refused:
        await replies.of_job(BOB.team_id, job.job_id)
    assert refused.value.reason is Reason.JOB_NOT_FOUND


async def test_replies__take_no_more_room_than_they_may(core: Core) -> None:
    jobs = [await created(core) for _ in range(5)]
    replies = JobReplies(core.store, encoded, kept_bytes=3 * (len(encoded(jobs[0])) + ENTRY_BYTES))
    for job in jobs:
        await replies.of_job(ALICE.team_id, job.job_id)

    assert len(replies) == 3


async def test_replies__that_are_empty_take_room_too() -> None:
    """A list of nothing has an empty reply, and there is one for every filter that a caller can think of."""
    replies = Replies(kept_bytes=3 * ENTRY_BYTES)

    async def nothing(topic: int) -> tuple[int, bytes]:
        return topic, b""

    for number in range(5):
        await replies.of(number, partial(nothing, number))
    assert len(replies) == 3
    replies.changed(range(5))
    assert len(replies) == 0
    for number in range(5):
        await replies.of(number, partial(nothing, number))
    assert len(replies) == 3, "what is dropped gives its room back"


async def test_replies__a_purged_job_is_gone(core: Core) -> None:
    job = await created(core)
    await core.caches.replies.of_job(ALICE.team_id, job.job_id)
    await core.job_settings.delete(ALICE, job.job_id, "", None)
    [deleted] = await core.store.write(lambda tx: tx.begin_purges(2**62, 10))
    gone = False
    while not gone:
        gone = await core.store.write(lambda tx: tx.purge_slice(deleted, core.clock.now(), 100))

    with pytest.raises(IngestError) as refused:
        await core.caches.replies.of_job(ALICE.team_id, job.job_id)
    assert refused.value.reason is Reason.JOB_NOT_FOUND


ACTS: dict[str, Callable[[Core, str], object]] = {
    "cancel": lambda core, job_id: core.jobs.cancel(ALICE, job_id, None),
    "delete": lambda core, job_id: core.job_settings.delete(ALICE, job_id, "", None),
}


@pytest.mark.parametrize("act", ACTS)
async def test_lists__show_a_change_at_once(core: Core, act: str) -> None:
    job = await created(core)
    before = await core.jobs.list(ALICE, JobFilter(show_deleted=True), page_size=10, page_token="")
    shown = [core.caches.listed.encoded(one) for one in before.items]
    await ACTS[act](core, job.job_id)  # type: ignore[misc]
    after = await core.jobs.list(ALICE, JobFilter(show_deleted=True), page_size=10, page_token="")

    assert [core.caches.listed.encoded(one) for one in after.items] != shown
    [changed] = after.items
    assert changed.last_sequence > job.last_sequence


async def test_listed__keeps_one_version_of_each_job_and_a_bounded_number(core: Core) -> None:
    listed = ListedJobs(encoded, kept=2)
    jobs = [await created(core) for _ in range(3)]
    for job in jobs:
        listed.encoded(job)

    assert [listed.get(head_of(job)) for job in jobs] == [None, *jobs[1:]]
    newer = jobs[2].model_copy(update={"last_sequence": 7})
    assert listed.get(head_of(newer)) is None
    assert listed.encoded(newer) == encoded(newer)
    assert listed.get(head_of(jobs[2])) is None


async def test_pages__of_a_team_go_with_every_change_of_its_jobs(core: Core) -> None:
    """As the server does it: what a commit says drops what lists and jobs answered before."""
    reads = 0
    pages = core.caches.pages

    async def page() -> tuple[str, bytes]:
        nonlocal reads
        reads += 1
        return ALICE.team_id, b"page"

    async def asked() -> int:
        """How often it was read so far, if it is asked for twice now."""
        await pages.of((ALICE.team_id, b"first"), page)
        await pages.of((ALICE.team_id, b"first"), page)
        return reads

    assert await asked() == 1
    job = await created(core)
    assert await asked() == 2
    await core.jobs.create(BOB, NEW, None)
    assert await asked() == 2
    await core.jobs.cancel(ALICE, job.job_id, None)
    assert await asked() == 3
    await core.job_settings.delete(ALICE, job.job_id, "", None)
    assert await asked() == 4
    [deleted] = await core.store.write(lambda tx: tx.begin_purges(2**62, 10))
    while not await core.store.write(lambda tx: tx.purge_slice(deleted, core.clock.now(), 100)):
        continue
    assert await asked() == 5
