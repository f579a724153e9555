"""How much of a job its caller gets back where files are added and removed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.v1.job_pb2 import Job, JobView
from ingest_grpc.v1.job_service_pb2 import AddFileOutcome, AddFilesRequest, FileToAdd, RemoveFilesRequest
from tests.integration.serving import Server

BASIC = JobView.JOB_VIEW_BASIC


@pytest.fixture
async def server(quick_folder: Path) -> AsyncIterator[Server]:
    async with Server(quick_folder / "data") as server:
        yield server


def records(job: Job) -> int:
    return sum(each.count for each in job.record_counts)


def has_details(job: Job) -> bool:
    return bool(job.files or job.ingestion_jobs or job.timeline)


@pytest.mark.parametrize("validate_only", [True, False])
async def test_add_files__answers_with_little_where_little_is_asked_for(server: Server, validate_only: bool) -> None:
    job = await server.job("a.txt")
    naming = [FileToAdd(file_id=(await server.upload("b.txt")).file_id)]
    request = AddFilesRequest(job_id=job.job_id, files=naming, view=BASIC, validate_only=validate_only)
    added = await server.jobs.AddFiles(request)
    assert [result.outcome for result in added.results] == [AddFileOutcome.ADD_FILE_OUTCOME_ADDED]
    assert records(added.job) == 2
    assert not has_details(added.job)


async def test_remove_files__answers_with_little_where_little_is_asked_for(server: Server) -> None:
    job = await server.job("a.txt", "b.txt")
    first, second = [record.record_id for record in job.ingestion_jobs[0].records]
    removed = await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, record_ids=[first], view=BASIC))
    assert (records(removed.job), has_details(removed.job)) == (1, False)
    removed = await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, record_ids=[second]))
    assert (records(removed.job), has_details(removed.job)) == (0, True)
