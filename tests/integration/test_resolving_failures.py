"""The ways out of NEEDS_REVIEW, each walked over the channel to READY_TO_START, and the traps beside them.

"The data job remains in needs_review until every failed record is resolved, either fixed and retried, or removed"
(SeekrFlow, "Resolve ingestion failures").
"""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import PreconditionFailure

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentStep
from ingest_grpc.model import RecordError
from ingest_grpc.service.work import Failed
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.v1.file_service_pb2 import UploadFileHeader, UploadFileRequest
from ingest_grpc.v1.ingestion_service_pb2 import ListFileRecordsRequest
from ingest_grpc.v1.job_pb2 import EventType, Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import (
    AddFilesRequest,
    CancelJobRequest,
    CloneJobRequest,
    FileToAdd,
    GetJobRequest,
    ListTimelineEventsRequest,
    RecordIds,
    RemoveFilesRequest,
    RetryFilesRequest,
    StartJobRequest,
    UnresolvedRecords,
)
from tests.integration.serving import WORKER, Server
from tests.integration.watching import detail

NEEDS_REVIEW, READY = JobStatus.JOB_STATUS_NEEDS_REVIEW, JobStatus.JOB_STATUS_READY_TO_START
CANCELLED, PROCESSING = JobStatus.JOB_STATUS_CANCELLED, JobStatus.JOB_STATUS_FILE_PROCESSING
QUEUED, FAILED = JobStatus.JOB_STATUS_QUEUED, JobStatus.JOB_STATUS_FAILED


@pytest.fixture
async def server(quick_folder: Path) -> AsyncIterator[Server]:
    async with Server(quick_folder / "data") as server:
        yield server


async def get(server: Server, job: Job) -> Job:
    return (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job


async def work(server: Server, *failing: str) -> None:
    """Converts all that waits; files of these names fail."""
    while claims := await server.claim(10):
        for claim in claims:
            await (server.fail(claim) if claim.record.filename in failing else server.succeed(claim))


async def reviewed(server: Server, job: Job) -> list[str]:
    """What needs a hand, and that StartJob says the same."""
    job = await get(server, job)
    assert job.status == (NEEDS_REVIEW if job.review_reasons else READY)
    assert job.review_reasons_total == len(job.review_reasons)
    if job.review_reasons:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))
        violations = detail(raised.value, PreconditionFailure).violations
        assert len(violations) == len(job.review_reasons)
        for violation, reason in zip(violations, job.review_reasons, strict=True):
            assert reason.message in violation.description
            assert reason.suggested_fix in violation.description
    return [one.filename or one.message for one in job.review_reasons]


async def failed_job(server: Server, *filenames: str) -> Job:
    """A job with one file that was converted, and these that failed."""
    job = await server.job("good.pdf", *filenames)
    await work(server, *filenames)
    assert await reviewed(server, job) == list(filenames)
    return await get(server, job)


def record_of(job: Job, filename: str) -> str:
    [found] = [one for run in job.ingestion_jobs for one in run.records if one.filename == filename]
    return found.record_id


async def upload_from(server: Server, folder: str, filename: str) -> str:
    """A file that is shown in a folder; two folders may have files of one name."""
    header = UploadFileHeader(filename=filename, path=f"{folder}/{filename}")
    requests = [UploadFileRequest(header=header), UploadFileRequest(data=folder.encode())]
    return (await server.files.UploadFile(iter(requests))).file.file_id


async def add(server: Server, job: Job, file_id: str, replaces: str = "") -> None:
    file = FileToAdd(file_id=file_id, replaces_record_id=replaces)
    await server.jobs.AddFiles(AddFilesRequest(job_id=job.job_id, files=[file]))


# ── the ways ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("named", [True, False], ids=["by name", "all unresolved"])
async def test_way__retry(server: Server, named: bool) -> None:
    job = await failed_job(server, "a.pdf", "b.pdf")
    request = RetryFilesRequest(job_id=job.job_id)
    if named:
        request.records.CopyFrom(RecordIds(record_ids=[record_of(job, name) for name in ("a.pdf", "b.pdf")]))
    else:
        request.all_unresolved.CopyFrom(UnresolvedRecords())
    assert (await server.jobs.RetryFiles(request)).job.status == PROCESSING
    await work(server, "b.pdf")
    assert await reviewed(server, job) == ["b.pdf"], "what fails again needs review again"
    await server.jobs.RetryFiles(RetryFilesRequest(job_id=job.job_id, all_unresolved=UnresolvedRecords()))
    await work(server)
    assert await reviewed(server, job) == []


async def test_way__corrected_upload_of_the_same_name(server: Server) -> None:
    job = await failed_job(server, "a.pdf")
    await add(server, job, (await server.upload("a.pdf", b"corrected")).file_id)
    await work(server)
    assert await reviewed(server, job) == []
    records = (await server.ingestion.ListFileRecords(ListFileRecordsRequest(job_id=job.job_id))).records
    old, new = [record for record in records if record.filename == "a.pdf"]
    assert old.superseded_by == new.record_id
    names = [file.name for file in (await get(server, job)).files]
    assert names.count("a.md") == 2, "the failed one stays in the list, and says what resolved it"


async def test_way__corrected_upload_of_another_name(server: Server) -> None:
    job = await failed_job(server, "a.pdf")
    await add(server, job, (await server.upload("better.pdf")).file_id, replaces=record_of(job, "a.pdf"))
    assert (await get(server, job)).status == PROCESSING
    await work(server)
    assert await reviewed(server, job) == []


async def test_way__markdown_by_hand(server: Server) -> None:
    job = await failed_job(server, "a.pdf")
    await add(server, job, (await server.upload("a.md", b"# By hand\n")).file_id, replaces=record_of(job, "a.pdf"))
    assert await reviewed(server, job) == []


async def test_way__removal(server: Server) -> None:
    job = await failed_job(server, "a.pdf")
    await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, record_ids=[record_of(job, "a.pdf")]))
    assert await reviewed(server, job) == []
    await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, record_ids=[record_of(job, "good.pdf")]))
    [left] = await reviewed(server, job)
    assert left.startswith("The job has no viable file"), "at least one viable file must remain"


# ── the traps ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_trap__equal_names_in_two_folders(server: Server) -> None:
    """A third file of the name does not say which of them it corrects: nothing is guessed, the caller names it."""
    job = await server.job("good.pdf")
    for folder in ("east", "west"):
        await add(server, job, await upload_from(server, folder, "report.pdf"))
    await work(server, "report.pdf")
    assert await reviewed(server, job) == ["report.pdf"] * 2
    await add(server, job, await upload_from(server, "corrected", "report.pdf"))
    await work(server)
    assert await reviewed(server, job) == ["report.pdf"] * 2
    for reason in (await get(server, job)).review_reasons:
        await add(server, job, await upload_from(server, reason.record_id, "report.pdf"), replaces=reason.record_id)
    await work(server)
    assert await reviewed(server, job) == []


async def test_trap__cancel_before_start(server: Server) -> None:
    """What was cancelled is unresolved: the job is CANCELLED until a later command, and then it needs review."""
    job = await server.job("a.pdf", "b.pdf")
    await server.succeed((await server.claim())[0])
    cancelled = await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
    assert (cancelled.records_cancelled, cancelled.job.status) == (1, CANCELLED)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))
    assert [one.type for one in detail(raised.value, PreconditionFailure).violations] == ["RECORD_CANCELLED"]
    await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))  # idempotent
    await add(server, job, (await server.upload("c.pdf")).file_id)
    await work(server)
    assert await reviewed(server, job) == ["b.pdf"]
    await server.jobs.RetryFiles(RetryFilesRequest(job_id=job.job_id, all_unresolved=UnresolvedRecords()))
    await work(server)
    assert await reviewed(server, job) == []


async def test_trap__cancel_of_a_job_whose_files_are_done(server: Server) -> None:
    """Nothing is in flight and nothing is lost: StartJob lifts the cancellation."""
    job = await server.finished_job("a.pdf")
    assert (await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))).job.status == CANCELLED
    assert (await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))).job.status == QUEUED


async def test_trap__failed_alignment_then_new_files(server: Server) -> None:
    """Files are frozen while the alignment runs, open again once it failed; then it goes to history."""
    job = await server.finished_job("a.pdf")
    first = (await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))).job.alignment_job_id
    late = (await server.upload("late.pdf")).file_id
    with pytest.raises(grpc.aio.AioRpcError, match="files are frozen"):
        await add(server, job, late)
    [claim] = await server.app.work.claim(WORKER, 1)
    assert isinstance(claim, AlignmentRow)
    refused = Failed(RecordError(reason=Reason.ALIGN_ENDPOINT_REFUSED))
    assert await server.app.aligner._work.finish(claim, AlignmentStep.GENERATE, refused)
    failed = await get(server, job)
    assert (failed.status, failed.alignment_job.error.suggested_fix != "") == (FAILED, True)
    copy = (await server.jobs.CloneJob(CloneJobRequest(job_id=job.job_id))).job
    assert copy.status == READY, "a clone has the same viable files, and none of the history"

    await add(server, job, late)
    changed = await get(server, job)
    assert (changed.status, changed.alignment_job_id) == (PROCESSING, "")
    await work(server)
    assert await reviewed(server, job) == []
    again = (await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))).job
    assert (again.status, again.alignment_job_id == first) == (QUEUED, False)
    retired = EventType.EVENT_TYPE_ALIGNMENT_RETIRED
    request = ListTimelineEventsRequest(job_id=job.job_id, types=[retired])
    [event] = (await server.jobs.ListTimelineEvents(request)).events
    assert event.alignment_change.alignment_job.alignment_job_id == first
