"""Lists are walked page by page while rows are being added: none is missed, none comes twice.

INGEST_WALK_ROWS sets another size than that of every run.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import NewJob
from ingest_grpc.service.keys import LOCAL
from ingest_grpc.store.interface import Tx
from ingest_grpc.v1.ingestion_service_pb2 import ListFileRecordsRequest
from ingest_grpc.v1.job_pb2 import Job
from ingest_grpc.v1.job_service_pb2 import (
    AddFilesRequest,
    FileToAdd,
    ListJobsOrder,
    ListJobsRequest,
    ListTimelineEventsRequest,
)
from tests.integration.serving import Server

ROWS = int(os.environ.get("INGEST_WALK_ROWS", "5000"))
PAGE = min(1_000, ROWS // 10)
BATCH = 1_000
ORDERS = [
    (order, ascending)
    for order in (ListJobsOrder.LIST_JOBS_ORDER_CREATED_AT, ListJobsOrder.LIST_JOBS_ORDER_NAME)
    for ascending in (False, True)
]

Add = Callable[[], Awaitable[object]]


@pytest.fixture
async def server(quick_folder: Path) -> AsyncIterator[Server]:
    async with Server(quick_folder / "data", max_records_per_job=2 * ROWS) as server:
        yield server


async def copies(server: Server, count: int) -> list[str]:
    """So many files with the same bytes, without uploading them one by one."""
    uploaded = await server.upload("a.pdf")
    ids = [new_id(Prefix.FILE) for _ in range(count)]

    async def unit(tx: Tx) -> None:
        one = await tx.file(LOCAL.team_id, uploaded.file_id)
        assert one is not None
        for file_id in ids:
            await tx.insert_file(one.model_copy(update={"file_id": file_id}), shareable=True)

    await server.app.store.write(unit)
    return ids


async def add(server: Server, job: Job, file_ids: list[str]) -> None:
    files = [FileToAdd(file_id=file_id) for file_id in file_ids]
    await server.jobs.AddFiles(AddFilesRequest(job_id=job.job_id, files=files))


async def job_with_records(server: Server) -> tuple[Job, Add]:
    """A job with so many records, and what adds one more."""
    job = await server.job()
    ids = await copies(server, ROWS + 1_000)
    for start in range(0, ROWS, BATCH):
        await add(server, job, ids[start : start + min(BATCH, ROWS - start)])
    more = iter(ids[ROWS:])

    async def add_one() -> None:
        await add(server, job, [next(more)])

    return job, add_one


@pytest.mark.slow
async def test_walk__of_jobs(server: Server) -> None:
    """In four orders at once."""

    async def create(number: int) -> str:
        # Many have the same name, and those that are created at once the same time.
        new = NewJob(name=f"job {number * 7919 % ROWS // 3}", job_type=JobType.CONTEXT_GROUNDED_FILES)
        return (await server.app.jobs.create(LOCAL, new, None)).value.job.job.job_id

    there: set[str] = set()
    for start in range(0, ROWS, 50):
        server.clock.advance(1)
        there |= set(await asyncio.gather(*map(create, range(start, start + 50))))
    walks = {order: ListJobsRequest(page_size=PAGE, order_by=order[0], ascending=order[1]) for order in ORDERS}
    seen: dict[tuple[int, bool], list[str]] = {order: [] for order in ORDERS}
    while walks:
        for order, request in list(walks.items()):
            page = await server.jobs.ListJobs(request)
            seen[order] += [job.job_id for job in page.jobs]
            await create(len(seen[order]))
            request.page_token = page.next_page_token
            if not page.next_page_token:
                del walks[order]
    for found in seen.values():
        assert len(found) == len(set(found)), "none comes twice"
        assert there <= set(found), "none is missed"


@pytest.mark.slow
async def test_walk__of_records_and_of_events(server: Server) -> None:
    job, add_one = await job_with_records(server)
    files: list[str] = []
    records = ListFileRecordsRequest(job_id=job.job_id, page_size=PAGE)
    added = 0
    while True:
        found = await server.ingestion.ListFileRecords(records)
        files += [record.file_id for record in found.records]
        if not found.next_page_token:
            break
        await add_one()
        added += 1
        records.page_token = found.next_page_token
    assert added >= 9
    assert len(files) == len(set(files)) == ROWS + added

    sequences: list[int] = []
    events = ListTimelineEventsRequest(job_id=job.job_id, page_size=PAGE)
    while True:
        page = await server.jobs.ListTimelineEvents(events)
        sequences += [event.sequence for event in page.events]
        if not page.next_page_token:
            break
        if added < 20:
            await add_one()
            added += 1
        events.page_token = page.next_page_token
    assert page.head_sequence >= ROWS + 2 * added
    assert sequences == list(range(1, page.head_sequence + 1))
