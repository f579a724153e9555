"""Jobs with texts of 64 KiB: lists, counts, snapshots and feeds hold as few of them as they need at a time."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from sqlite3 import SQLITE_OK, SQLITE_READ
from typing import Any

import pytest

from ingest_grpc.api.watch import feed as feed_of_jobs
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import Job, JobFilter, JobOrder, NewJob, WatchJobsRequest, WatchJobsUntil
from ingest_grpc.service import job_pages
from ingest_grpc.service.feed import PAGE_BYTES, FeedPage
from ingest_grpc.service.job_cache import LISTED_BYTES, ListedJobs, head_of
from ingest_grpc.service.watch_jobs import SNAPSHOT_PAGE_BYTES, Message, WatchJobsService
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.store.interface import ReadUnit, Rows, Store, T
from ingest_grpc.store.sqlite import values
from ingest_grpc.wire.bounded import MAX_REPLY_BYTES
from ingest_grpc.wire.jobs import listed_job
from tests.factories import ALICE, Core

TEXT = "a" * (64 * 1024 - 4) + "\U0001f600"
JOBS = 5
FILTERS = {
    "newest": JobFilter(),
    "by name": JobFilter(order_by=JobOrder.NAME, ascending=True),
    "filtered": JobFilter(name_contains="JOB"),
}


async def created(core: Core, count: int = JOBS) -> list[Job]:
    return [(await core.jobs.create(ALICE, new(number), None)).value.job.job for number in range(count)]


def new(number: int) -> NewJob:
    kind = JobType.CONTEXT_GROUNDED_FILES
    return NewJob(name=f"job {number}", job_type=kind, system_prompt=TEXT, instructions=TEXT)


@dataclass
class SeenReads:
    """A store that remembers what its reads returned."""

    store: Store
    found: list[Any] = field(default_factory=list)

    async def read(self, unit: ReadUnit[T]) -> T:
        found = await self.store.read(unit)
        self.found.append(found)
        return found


# ── lists ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
async def test_page__reads_no_more_jobs_than_fill_a_reply(
    core: Core, wanted: JobFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await created(core)
    monkeypatch.setattr(job_pages, "PAGE_CHARACTERS", jobs[0].prompt_characters)
    first = await core.jobs.list(ALICE, wanted, page_size=1_000, page_token="")
    second = await core.jobs.list(ALICE, wanted, page_size=1_000, page_token=first.next_page_token)
    third = await core.jobs.list(ALICE, wanted, page_size=1_000, page_token=second.next_page_token)

    assert [len(page.items) for page in (first, second, third)] == [2, 2, 1]
    assert {job.job_id for page in (first, second, third) for job in page.items} == {job.job_id for job in jobs}
    assert third.next_page_token == ""


def test_page__that_ends_early_has_more_than_a_reply_may_have() -> None:
    """So a reply has as many jobs as if all had been read."""
    assert job_pages.PAGE_CHARACTERS >= MAX_REPLY_BYTES


async def test_search__reads_no_texts(core: Core) -> None:
    await created(core)
    read = set[str | None]()

    def note(action: int, _table: str | None, column: str | None, *_rest: str | None) -> int:
        if action == SQLITE_READ:
            read.add(column)
        return SQLITE_OK

    async def unit(rows: Rows) -> None:
        rows._connection.set_authorizer(note)  # type: ignore[attr-defined]
        await rows.jobs_where(ALICE.team_id, FILTERS["filtered"], None, 10)
        await rows.count_jobs_where(ALICE.team_id, FILTERS["filtered"], 10)
        rows._connection.set_authorizer(None)  # type: ignore[attr-defined]

    await core.store.read(unit)
    assert "name" in read
    assert not read & {"system_prompt", "instructions"}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
async def test_count__makes_no_jobs(core: Core, wanted: JobFilter, monkeypatch: pytest.MonkeyPatch) -> None:
    await created(core)

    def made(_row: object) -> Job:
        raise AssertionError("a count needs no job")

    monkeypatch.setattr(values, "job_of", made)
    assert await core.store.read(lambda rows: job_pages.count_jobs(rows, ALICE.team_id, wanted)) == JOBS


async def test_count__ends_at_its_limit(core: Core) -> None:
    await created(core)
    wanted = FILTERS["filtered"]
    assert await core.store.read(lambda rows: rows.count_jobs_where(ALICE.team_id, wanted, 3)) == 3
    other = JobFilter(name_contains="JOB 4")
    assert await core.store.read(lambda rows: rows.count_jobs_where(ALICE.team_id, other, 3)) == 1


async def test_listed__keeps_no_long_jobs(core: Core) -> None:
    [job] = await created(core, 1)
    short = job.model_copy(update={"system_prompt": "", "instructions": ""})
    listed = ListedJobs(listed_job)

    assert len(listed.encoded(job)) > LISTED_BYTES
    assert listed.get(head_of(job)) is None
    listed.encoded(short)
    assert listed.get(head_of(short)) is short
    listed.encoded(job)
    assert listed.get(head_of(job)) is None, "nor what it was before"


# ── watches ────────────────────────────────────────────────────────────────────────────────────────────


async def test_snapshot__holds_encoded_jobs_up_to_a_bound(core: Core) -> None:
    jobs = await created(core)
    seen = SeenReads(core.store)
    messages = [message async for message in watched(core, seen)]

    contents = [message.content for message in messages if isinstance(message.content, bytes)]
    assert len(contents) == len(jobs)
    pages = [page for page, _ in seen.found[1:] if isinstance(page, list)]
    assert [[data for _, data in page] for page in pages] == [contents[:2], contents[2:4], contents[4:]]
    assert all(sum(len(data) for _, data in page[:-1]) <= SNAPSHOT_PAGE_BYTES for page in pages)


async def watched(core: Core, store: Any) -> AsyncIterator[Message]:
    """All messages of a watch from the beginning to the head."""
    limits = WatchLimits(per_job=None, per_team=None, per_server=10)
    feed = feed_of_jobs(core.store, core.hub)
    service = WatchJobsService(store, core.hub, feed, core.clock, limits, rotate_seconds=1_200.0)
    request = WatchJobsRequest(until=WatchJobsUntil.HEAD, heartbeat_interval_seconds=15)
    async with aclosing(service.watch(ALICE, request)) as messages:
        async for message in messages:
            yield message


async def test_feed__holds_encoded_jobs_up_to_a_bound_and_nothing_else_of_them(core: Core) -> None:
    jobs = await created(core)
    feed, cursor, pages = feed_of_jobs(core.store, core.hub), 0, list[FeedPage]()
    while not pages or pages[-1].more:
        pages.append(await feed.after(ALICE.team_id, cursor))
        cursor = pages[-1].items[-1].cursor

    assert [sum(item.job_data is not None for item in page.items) for page in pages] == [2, 2, 1]
    items = [item for page in pages for item in page.items]
    assert [item.cursor for item in items] == sorted({item.cursor for item in items})
    assert {item.job.job_id for item in items} == {job.job_id for job in jobs}
    assert all(len(str(dataclasses.asdict(item.job))) < 1_000 for item in items)
    assert all(sum(len(item.job_data or b"") for item in page.items[:-1]) <= PAGE_BYTES for page in pages)
