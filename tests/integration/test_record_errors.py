"""The six errors of the field's own catalogue, each from its real cause, through the whole server."""

import sys
from pathlib import Path

import pytest

from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.v1.error_reason_pb2 import ErrorReason
from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus, Step
from ingest_grpc.v1.job_pb2 import Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest, FileToAdd, GetJobRequest
from ingest_grpc.worker.executors.interface import Executor
from ingest_grpc.worker.executors.local import LocalExecutor
from tests import documents
from tests.integration.serving import GROUNDED, Server
from tests.integration.watching import Watchers
from tests.reaching import A_RECORD, reaches

TEXTS = {
    "EMPTY_FILE": ("The file appears to be empty.", "Upload a file with content."),
    "PDF_UNREADABLE": (
        "The PDF may be corrupted, password-protected, or in an unsupported format.",
        "Upload a valid, unprotected PDF.",
    ),
    "PDF_PAGE_TOO_LARGE": (
        "The PDF contains pages that exceed the maximum supported size.",
        "Re-export the PDF with smaller page dimensions.",
    ),
    "FILE_NOT_FOUND": (
        "The file was not found or is not owned by the current user.",
        "Re-upload the file or verify the correct file_id.",
    ),
    "SERVICE_UNAVAILABLE": ("Service temporarily unavailable.", "Retry the job after a brief wait."),
    "INTERNAL": ("Internal processing failure.", "If the issue persists, contact support."),
}
CHILD = Path(__file__).with_name("executor_child.py")


def converting(folder: Path, executor: Executor | None = None) -> Server:
    """A server that converts for real, and tries only once, or twice where the fault is its own."""
    limits = {"max_failures": 1, "max_orphaned": 1, "backoff_base_seconds": 0.01}
    return Server(folder / "data", executor=executor, converts=True, real_time=True, workers=1, **limits)


async def outcome(server: Server, *file_ids: str) -> tuple[Job, list[FileRecord]]:
    """The job of these files once it is settled, and its records."""
    files = [FileToAdd(file_id=file_id) for file_id in file_ids]
    job = (await server.jobs.CreateJob(CreateJobRequest(name="job", job_type=GROUNDED, files=files))).job
    watchers = Watchers(server)
    await watchers.watch(job, 0).rest()
    watchers.judge()
    job = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job
    return job, [record for run in job.ingestion_jobs for record in run.records]


def assert_failed(
    record: FileRecord, reason: str, step: str = "PARSE", *, retryable: bool = False, failures: int = 1
) -> None:
    message, fix = TEXTS[reason]
    assert record.status == RecordStatus.RECORD_STATUS_FAILED
    assert ErrorReason.Name(record.error.reason) == f"ERROR_REASON_{reason}"
    assert (record.error.message, record.error.suggested_fix) == (message, fix)
    assert record.error.retryable == retryable
    assert Step.Name(record.error.step) == f"STEP_{step}"
    assert record.HasField("failed_at")
    assert not record.HasField("completed_at")
    assert record.failures == failures


@reaches(Reason.EMPTY_FILE, A_RECORD, "a file without a byte, whatever its type")
@reaches(Reason.PDF_UNREADABLE, A_RECORD, "a PDF that is cut off or needs a password")
@reaches(Reason.PDF_PAGE_TOO_LARGE, A_RECORD, "a PDF with a page of 20,000 points")
async def test_documents__that_cannot_be_converted(tmp_path: Path) -> None:
    cases = {
        "empty.pdf": (b"", "EMPTY_FILE"),
        "empty.docx": (b"", "EMPTY_FILE"),
        "empty.txt": (b"", "EMPTY_FILE"),
        "empty.md": (b"", "EMPTY_FILE"),
        "empty.unknown": (b"", "EMPTY_FILE"),
        "encrypted.pdf": (documents.encrypted_pdf(), "PDF_UNREADABLE"),
        "cut.pdf": (documents.pdf()[:200], "PDF_UNREADABLE"),
        "vast.pdf": (documents.pdf(size=(20_000.0, 20_000.0)), "PDF_PAGE_TOO_LARGE"),
    }
    async with converting(tmp_path) as server:
        files = [await server.upload(name, content) for name, (content, _) in cases.items()]
        good = await server.upload("good.pdf", documents.pdf())
        job, records = await outcome(server, *(file.file_id for file in files), good.file_id)
    for record, (_, reason) in zip(records, cases.values(), strict=False):
        assert_failed(record, reason)
    assert records[-1].status == RecordStatus.RECORD_STATUS_COMPLETED
    assert job.status == JobStatus.JOB_STATUS_NEEDS_REVIEW
    assert [(one.message, one.suggested_fix) for one in job.review_reasons] == [
        TEXTS[reason] for _, reason in cases.values()
    ]
    assert [file.suggested_fix for file in job.files] == [*(TEXTS[reason][1] for _, reason in cases.values()), ""]


@reaches(Reason.FILE_NOT_FOUND, A_RECORD, "a file whose bytes are gone")
async def test_bytes__that_are_gone(tmp_path: Path) -> None:
    async with converting(tmp_path) as server:
        before = set((tmp_path / "data" / "blobs").rglob("*"))
        file = await server.upload("lost.pdf", documents.pdf())
        # Under both of its names: the note that it is not settled yet may still be there.
        for path in set((tmp_path / "data" / "blobs").rglob("*")) - before:
            if path.is_file():
                path.unlink(missing_ok=True)
        _, [record] = await outcome(server, file.file_id)
    assert_failed(record, "FILE_NOT_FOUND", "FETCH")


@reaches(Reason.SERVICE_UNAVAILABLE, A_RECORD, "a converter that cannot be started, or a storage that does not answer")
async def test_converter__that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = LocalExecutor(Settings(data_dir=tmp_path, workers=1), command=("/bin/false",))
    monkeypatch.setattr(executor._pool, "_patience_seconds", 0.1)
    async with converting(tmp_path, executor) as server:
        file = await server.upload("fine.pdf", documents.pdf())
        _, [record] = await outcome(server, file.file_id)
    assert_failed(record, "SERVICE_UNAVAILABLE", retryable=True, failures=0)
    assert record.orphaned_count == 2


@reaches(Reason.INTERNAL, A_RECORD, "a defect of the converter")
async def test_converter__with_a_defect(tmp_path: Path) -> None:
    executor = LocalExecutor(Settings(data_dir=tmp_path, workers=1), command=(sys.executable, "-I", str(CHILD)))
    async with converting(tmp_path, executor) as server:
        file = await server.upload("has a defect", b"anything")
        _, [record] = await outcome(server, file.file_id)
    assert_failed(record, "INTERNAL", retryable=True)
    assert "defect" not in record.error.detail, "what went wrong inside is for the log alone"


async def test_failure__that_may_pass_is_tried_again(tmp_path: Path) -> None:
    """The whole way of a retry over the wire: queued again with its error and the time of the next attempt."""
    async with Server(tmp_path / "data") as server:
        job = await server.job("a.pdf")
        [claim] = await server.claim()
        await server.give_back(claim)
        [again] = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.ingestion_jobs[0].records
        assert again.status == RecordStatus.RECORD_STATUS_QUEUED
        assert ErrorReason.Name(again.error.reason) == "ERROR_REASON_SERVICE_UNAVAILABLE"
        assert again.next_attempt_at.ToMicroseconds() == server.clock.now() + 60_000_000
        assert not again.HasField("queue_position")
        assert (again.attempt, again.failures, again.orphaned_count) == (1, 0, 1)
