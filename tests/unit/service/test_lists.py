"""Lists are walked page by page while rows come and go: none is missed, none comes twice."""

import base64
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from itertools import product
from typing import Any, TypeAlias

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Step
from ingest_grpc.model import Caller, EventType, FileFilter, FileKind, JobFilter, NewJob
from ingest_grpc.service.paging import decode_token, encode_cursor, encode_token
from ingest_grpc.wire.requests.fields import MAX_TOKEN
from ingest_grpc.wire.requests.jobs import MAX_NAME_CHARACTERS
from tests.factories import ALICE, BOB, Core

List: TypeAlias = Callable[[Core, Caller, str], Awaitable[Any]]


async def jobs(core: Core, caller: Caller, token: str) -> Any:
    return await core.jobs.list(caller, JobFilter(), page_size=2, page_token=token)


async def jobs_by_status(core: Core, caller: Caller, token: str) -> Any:
    statuses = [JobStatus.FILE_PROCESSING, JobStatus.NEEDS_REVIEW]
    return await core.jobs.list(caller, JobFilter(statuses=tuple(statuses)), page_size=2, page_token=token)


async def files(core: Core, caller: Caller, token: str) -> Any:
    return await core.files.list(caller, FileFilter(), page_size=2, page_token=token)


async def uploads(core: Core, caller: Caller, token: str) -> Any:
    return await core.files.list(caller, FileFilter(kind=FileKind.UPLOAD), page_size=2, page_token=token)


async def runs(core: Core, caller: Caller, token: str) -> Any:
    return await core.ingestion.list(
        caller, job_id=None, statuses=(), oldest_first=False, after=None, page_size=2, page_token=token
    )


async def runs_by_status(core: Core, caller: Caller, token: str) -> Any:
    statuses = [IngestionJobStatus.QUEUED, IngestionJobStatus.RUNNING]
    return await core.ingestion.list(
        caller, job_id=None, statuses=statuses, oldest_first=False, after=None, page_size=2, page_token=token
    )


def key(item: Any) -> str:
    for name in ("ingestion_job_id", "file_id", "job_id"):
        if hasattr(item, name):
            return str(getattr(item, name))
    raise AssertionError(item)


NEWEST_FIRST = pytest.mark.parametrize("listing", [jobs, jobs_by_status, files, uploads, runs, runs_by_status])


async def fill(core: Core, count: int, caller: Caller = ALICE, prefix: str = "") -> None:
    for number in range(count):
        await core.create(await core.upload(f"{prefix}{number}.pdf", caller=caller), caller=caller)


@NEWEST_FIRST
async def test_walk__newest_first_while_rows_are_added(core: Core, listing: List) -> None:
    await fill(core, 5)
    await fill(core, 1, BOB)
    whole = [key(item) for page in [await listing(core, ALICE, "")] for item in page.items]
    seen: list[str] = []
    token = ""
    for round_ in range(10):
        page = await listing(core, ALICE, token)
        seen += [key(item) for item in page.items]
        await fill(core, 1, prefix=f"during-{round_}-")
        token = page.next_page_token
        if not token:
            break

    assert len(seen) == len(set(seen)) == 5
    assert seen[:2] == whole


async def test_walk__of_records_oldest_first_while_they_are_added(core: Core) -> None:
    created = await core.create(*await core.uploads(5))
    job_id = created.job.job.job_id
    seen: list[str] = []
    token = ""
    for round_ in range(20):
        page = await core.ingestion.list_records(
            ALICE, job_id=job_id, ingestion_job_id=None, statuses=(), show_deleted=False, page_size=2, page_token=token
        )
        seen += [record.record_id for record in page.items]
        if round_ < 2:
            await core.add(job_id, await core.upload(f"late-{round_}.pdf"))
        token = page.next_page_token
        if not token:
            break

    everything = await core.ingestion.list_records(
        ALICE, job_id=job_id, ingestion_job_id=None, statuses=(), show_deleted=False, page_size=100, page_token=""
    )
    assert seen == [record.record_id for record in everything.items]
    assert len(seen) == 7


async def test_walk__of_events(core: Core) -> None:
    created = await core.create(*await core.uploads(5))
    job_id = created.job.job.job_id
    await core.claim(5)
    seen: list[int] = []
    token = ""
    while True:
        page = await core.jobs.list_events(
            ALICE,
            job_id,
            after_sequence=2,
            types=[EventType.RECORD_ADDED, EventType.RECORD_CLAIMED],
            page_size=3,
            page_token=token,
        )
        seen += [event.sequence for event in page.events]
        token = page.next_page_token
        if not token:
            break
    wanted = [event.sequence for event in await core.events(job_id) if event.type in ("RECORD_ADDED", "RECORD_CLAIMED")]
    assert seen == [sequence for sequence in wanted if sequence > 2]


async def test_events__beyond_the_head_are_refused(core: Core) -> None:
    job_id = (await core.create()).job.job.job_id
    assert await core.events(job_id, after=1) == []
    with pytest.raises(IngestError) as caught:
        await core.events(job_id, after=2)
    assert caught.value.reason is Reason.SEQUENCE_IN_FUTURE
    assert caught.value.metadata == {"after_sequence": "2", "head_sequence": "1", "earliest_sequence": "1"}


@NEWEST_FIRST
async def test_token__of_another_team_is_refused(core: Core, listing: List) -> None:
    for caller in (ALICE, BOB):
        await fill(core, 3, caller)
    token = (await listing(core, ALICE, "")).next_page_token
    assert token
    await refused(listing(core, BOB, token))


async def refused(call: Awaitable[Any]) -> None:
    with pytest.raises(IngestError) as caught:
        await call
    assert caught.value.reason is Reason.INVALID_PAGE_TOKEN


async def test_token__of_another_filter_or_list_is_refused(core: Core) -> None:
    await fill(core, 3)
    token = (await jobs(core, ALICE, "")).next_page_token
    assert token
    for other in (jobs_by_status, files, uploads, runs, runs_by_status):
        await refused(other(core, ALICE, token))
    by_status = (await jobs_by_status(core, ALICE, "")).next_page_token
    swapped = [JobStatus.NEEDS_REVIEW, JobStatus.FILE_PROCESSING]
    page = await core.jobs.list(ALICE, JobFilter(statuses=tuple(swapped)), page_size=2, page_token=by_status)
    assert len(page.items) == 1, "the order of a filter's values does not matter"


GARBAGE = ["x", "====", "🙂", "a" * 10_000, " ", "AAAA-_AAAA", base64.urlsafe_b64encode(bytes(17)).decode()]


@NEWEST_FIRST
async def test_token__that_is_garbage_is_refused(core: Core, listing: List) -> None:
    for token in GARBAGE:
        await refused(listing(core, ALICE, token))


async def test_token__with_a_cursor_that_no_row_can_have(core: Core) -> None:
    """Whoever knows how tokens are made can forge one; it harms nobody."""
    filters = JobFilter().model_dump(mode="json")
    for cursor in ((0, -1), (0, -(2**63))):
        assert (await jobs(core, ALICE, encode_cursor("team-a", "jobs", filters, cursor))).items == []
    forged: list[tuple[str | int, int]] = [(0, 2**63), (2**70, 1), ("\ud800", 1)]
    for place in forged:
        await refused(jobs(core, ALICE, encode_cursor("team-a", "jobs", filters, place)))


def test_token__keeps_its_cursor() -> None:
    for cursor in (0, 1, 2**40, 2**63 - 1):
        assert decode_token("t", "l", ["f"], encode_token("t", "l", ["f"], cursor)) == cursor
    assert decode_token("t", "l", None, "") is None


def test_token__of_the_longest_name_may_be_sent_back() -> None:
    longest = "\N{GRINNING FACE}" * MAX_NAME_CHARACTERS
    assert len(encode_cursor("team", "jobs", {}, (longest, 2**63 - 1))) <= MAX_TOKEN


async def test_filters__by_status(core: Core) -> None:
    queued = await core.create(await core.upload("queued.pdf"))
    await core.cancel((await core.create(await core.upload("cancelled.pdf"))).job.job.job_id)
    ready = await core.create(await core.markdown())

    async def ids(*statuses: JobStatus) -> list[str]:
        page = await core.jobs.list(ALICE, JobFilter(statuses=tuple(statuses)), page_size=10, page_token="")
        return [job.job_id for job in page.items]

    assert await ids(JobStatus.FILE_PROCESSING) == [queued.job.job.job_id]
    assert await ids(JobStatus.READY_TO_START, JobStatus.FILE_PROCESSING) == [
        ready.job.job.job_id,
        queued.job.job.job_id,
    ]
    assert await ids(JobStatus.RUNNING) == []


async def test_ingestion_jobs__of_a_job_after_one_of_them(core: Core) -> None:
    created = await core.create(await core.upload("1.pdf"))
    job_id = created.job.job.job_id
    added = [await core.add(job_id, await core.upload(f"{number}.pdf")) for number in (2, 3)]
    ids = [one.ingestion_job_id for one in (created, *added)]
    await fill(core, 1, prefix="other-job-")

    async def listed(after: str | None, *, oldest_first: bool) -> list[str]:
        page = await core.ingestion.list(
            ALICE, job_id=job_id, statuses=(), oldest_first=oldest_first, after=after, page_size=10, page_token=""
        )
        return [run.ingestion_job_id for run in page.items]

    assert await listed(None, oldest_first=True) == ids
    assert await listed(ids[0], oldest_first=True) == ids[1:]
    assert await listed(ids[2], oldest_first=False) == ids[1::-1]


async def test_names__are_found_whatever_their_case(core: Core) -> None:
    """In any alphabet: `lower` of SQLite would know ASCII only."""
    file = await core.upload("ÄRZTE Bericht.pdf")
    await core.upload("Arzte.pdf")
    new = NewJob(name="Große ΠΌΛΗ", job_type=JobType.CONTEXT_GROUNDED_FILES)
    job = (await core.jobs.create(ALICE, new, None)).value.job.job

    for text in ("ärzte b", "ÄRZTE BERICHT", ""):
        files = await core.files.list(ALICE, FileFilter(filename_contains=text), page_size=10, page_token="")
        assert file.file_id in [each.file_id for each in files.items]
        assert len(files.items) == (1 if text else 2)
    for text in ("GROSSE", "große", "πόλη"):
        wanted = JobFilter(name_contains=text)
        jobs = await core.jobs.list(ALICE, wanted, page_size=10, page_token="", include_total=True)
        assert [each.job_id for each in jobs.items] == [job.job_id]


async def test_ingestion_jobs__have_all_that_is_named(core: Core) -> None:
    there = []
    for base, source in (("kb-1", "ds-1"), ("kb-2", "ds-2")):
        job_id = (await core.create(await core.upload(f"{base}.pdf"))).job.job.job_id
        run = (await core.add(job_id, await core.upload(f"{source}.pdf"))).ingestion_job_id
        there += [(job_id, None, None), (job_id, base, source)]
        with closing(sqlite3.connect(core.settings.ledger_path)) as connection, connection:
            feeds = "UPDATE ingestion_jobs SET knowledge_base_id = ?, data_source_id = ? WHERE ingestion_job_id = ?"
            connection.execute(feeds, (base, source, run))
    await core.create()  # another commit: the writer forgets what was changed behind it
    jobs, bases, sources = ((None, *dict.fromkeys(column)) for column in zip(*there[1::2], strict=True))

    for named in product(jobs, bases, sources):
        wanted = [run for run in there if all(one in (None, its) for one, its in zip(named, run, strict=True))]
        for statuses, oldest_first in product([(), tuple(IngestionJobStatus)], [True, False]):
            job_id, base_id, source_id = named
            page = await core.ingestion.list(
                ALICE,
                job_id=job_id,
                knowledge_base_id=base_id,
                data_source_id=source_id,
                statuses=statuses,
                oldest_first=oldest_first,
                after=None,
                page_size=10,
                page_token="",
            )
            found = [(run.job_id, run.knowledge_base_id, run.data_source_id) for run in page.items]
            assert found == (wanted if oldest_first else wanted[::-1])


async def test_records__of_a_run_with_filters(core: Core) -> None:
    created = await core.create(*await core.uploads(3))
    done, removed = await core.claim(2)
    await core.succeed(done)
    await core.remove(created.job.job.job_id, records=[removed.record.record_id])

    async def listed(*statuses: RecordStatus, show_deleted: bool = False) -> list[RecordStatus]:
        page = await core.ingestion.list_records(
            ALICE,
            job_id=None,
            ingestion_job_id=created.ingestion_job_id,
            statuses=statuses,
            show_deleted=show_deleted,
            page_size=10,
            page_token="",
        )
        return [record.status for record in page.items]

    assert await listed() == [RecordStatus.COMPLETED, RecordStatus.QUEUED]
    assert await listed(show_deleted=True) == [RecordStatus.COMPLETED, RecordStatus.CANCELLED, RecordStatus.QUEUED]
    assert await listed(RecordStatus.QUEUED) == [RecordStatus.QUEUED]
    assert await listed(RecordStatus.CANCELLED) == []


async def test_records__of_a_step(core: Core) -> None:
    """Where a running one is, the progress board says; where a failed one failed, its error."""
    created = await core.create(*await core.uploads(6))
    job_id = created.job.job.job_id
    done, failed, fetching, storing, *_ = await core.claim(5)
    await core.succeed(done)
    await core.fail(failed)  # in PARSE
    core.board.report(fetching.job_row, fetching.record, Step.FETCH)
    core.board.report(storing.job_row, storing.record, Step.STORE)

    async def listed(*steps: Step, statuses: tuple[RecordStatus, ...] = ()) -> list[str]:
        found, token = [], ""
        while True:
            page = await core.ingestion.list_records(
                ALICE,
                job_id=job_id,
                ingestion_job_id=None,
                statuses=statuses,
                show_deleted=False,
                page_size=2,
                page_token=token,
                steps=steps,
            )
            found += [record.filename for record in page.items]
            token = page.next_page_token
            if not token:
                return found

    assert await listed(Step.PARSE) == ["2.pdf"]
    assert await listed(Step.STORE) == ["4.pdf"]
    assert await listed(Step.FETCH) == ["3.pdf", "5.pdf"], "a claim begins there"
    assert await listed(Step.FETCH, Step.PARSE, Step.STORE) == [f"{number}.pdf" for number in (2, 3, 4, 5)]
    assert await listed(Step.PARSE, statuses=(RecordStatus.RUNNING,)) == []
    assert await listed(Step.PARSE, statuses=(RecordStatus.COMPLETED,)) == []


@pytest.mark.parametrize("other_team", [False, True])
async def test_reads__of_what_is_not_there_and_of_another_teams(core: Core, other_team: bool) -> None:
    created = await core.create(await core.upload())
    caller = BOB if other_team else ALICE
    job_id = created.job.job.job_id if other_team else "dj-00000000-0000-0000-0000-000000000000"
    run_id = created.ingestion_job_id if other_team else "ij-00000000-0000-0000-0000-000000000000"
    assert run_id is not None
    calls: list[tuple[Awaitable[object], Reason]] = [
        (core.jobs.get(caller, job_id), Reason.JOB_NOT_FOUND),
        (core.jobs.get_detail(caller, job_id), Reason.JOB_NOT_FOUND),
        (core.jobs.cancel(caller, job_id, None), Reason.JOB_NOT_FOUND),
        (core.add(job_id, await core.upload(caller=caller), caller=caller), Reason.JOB_NOT_FOUND),
        (core.remove(job_id, records=["x"], caller=caller), Reason.JOB_NOT_FOUND),
        (core.events(job_id, caller=caller), Reason.JOB_NOT_FOUND),
        (core.ingestion.get(caller, run_id), Reason.INGESTION_JOB_NOT_FOUND),
    ]
    for call, reason in calls:
        with pytest.raises(IngestError) as caught:
            await call
        assert caught.value.reason is reason
        assert caught.value.resource is not None
