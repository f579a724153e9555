"""Every RPC of the contract as its callers use it: real documents, real conversions, a real channel, raw stubs."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import ingestion_service_pb2 as ingestion
from ingest_grpc.v1 import job_service_pb2 as jobs
from ingest_grpc.v1.file_pb2 import File, FileKind
from ingest_grpc.v1.ingestion_pb2 import FileRecord, IngestionJobStatus, Method, RecordStatus
from ingest_grpc.v1.job_pb2 import EventType, Job, JobStatus, JobView
from ingest_grpc.v1.job_service_pb2 import AddFileOutcome, RemoveFileOutcome
from ingest_grpc.v1.server_service_pb2 import GetServerInfoRequest
from tests.integration.calling import RPCS, call
from tests.integration.serving import GROUNDED, Server
from tests.integration.watching import Watchers, sequences

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").iterdir())
WORDS = {
    "operations-handbook.pdf": "handbook",
    "supplier-agreement.docx": "agreement",
    "quarterly-review.pptx": "quarter",
    "price-list.xlsx": "| ",
    "visitor-guide.html": "visitor",
    "orders-march.csv": "Café Morgenrot",
    "delayed-delivery.eml": "delivery",
}
FAILING = {"payroll-summary.pdf": "PDF_UNREADABLE", "stock-count-draft.txt": "EMPTY_FILE"}
MARKDOWN = "onboarding-checklist.md"
CHUNK = 1_000

COMPLETED, FAILED = RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_FAILED
CANCELLED = RecordStatus.RECORD_STATUS_CANCELLED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("rpcs")
    async with Server(folder, converts=True, real_time=True, workers=2) as server:
        yield server


@dataclass(frozen=True)
class Ingested:
    """The example documents, uploaded in pieces and converted: the job as it was at the end, and what was uploaded."""

    job: Job
    uploads: dict[str, File]

    @property
    def records(self) -> dict[str, FileRecord]:
        return {record.filename: record for run in self.job.ingestion_jobs for record in run.records}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ingested(server: Server) -> Ingested:
    uploads = {path.name: await upload_in_pieces(server, path) for path in EXAMPLES}
    adding = [jobs.FileToAdd(file_id=file.file_id) for file in uploads.values()]
    request = jobs.CreateJobRequest(name="Examples", description="all of them", job_type=GROUNDED, files=adding)
    created = (await server.jobs.CreateJob(request)).job
    watchers = Watchers(server)
    seen = await watchers.watch(created, 0).rest()
    assert sequences(seen) == list(range(1, seen[-1].sequence + 1))
    watchers.judge()
    return Ingested((await server.jobs.GetJob(jobs.GetJobRequest(job_id=created.job_id))).job, uploads)


async def upload_in_pieces(server: Server, path: Path) -> File:
    content = path.read_bytes()

    async def messages() -> AsyncIterator[files.UploadFileRequest]:
        sha256 = hashlib.sha256(content).hexdigest()
        header = files.UploadFileHeader(filename=path.name, size_bytes=len(content), sha256=sha256.upper())
        yield files.UploadFileRequest(header=header)
        for start in range(0, len(content), CHUNK):
            yield files.UploadFileRequest(data=content[start : start + CHUNK])

    return (await server.files.UploadFile(messages())).file


async def text_of(server: Server, file_id: str) -> str:
    return (await server.files.ReadFile(files.ReadFileRequest(file_id=file_id))).text


async def pages_of(server: Server, rpc: str, request: object, field: str, page_size: int = 2) -> list[Sequence[object]]:
    """All pages of a list, each as its items."""
    pages: list[Sequence[object]] = []
    token = ""
    while token or not pages:
        asked = type(request)()
        asked.CopyFrom(request)  # type: ignore[attr-defined]
        asked.MergeFrom(type(request)(page_size=page_size, page_token=token))  # type: ignore[attr-defined, call-arg]
        [page] = (await call(server.channel, rpc, asked)).messages  # type: ignore[arg-type]
        pages.append(list(getattr(page, field)))
        token = page.next_page_token  # type: ignore[attr-defined]
    return pages


# ── documents in, Markdown out ─────────────────────────────────────────────────────────────────────────────────────


async def test_examples__become_markdown(server: Server, ingested: Ingested) -> None:
    assert {name for name, record in ingested.records.items() if record.status == COMPLETED} == set(WORDS)
    for name, word in WORDS.items():
        record = ingested.records[name]
        text = await text_of(server, record.output_file_id)
        assert word.lower() in text.lower()
        assert len(text.encode()) == record.bytes_out
        assert record.engine.name
        assert record.created_at.ToMicroseconds() <= record.processing_at.ToMicroseconds()
        assert record.processing_at.ToMicroseconds() <= record.completed_at.ToMicroseconds()
        assert not record.HasField("error")
        assert (record.attempt, record.failures) == (1, 0)


async def test_examples__that_must_fail_say_why(ingested: Ingested) -> None:
    failed = {name: record for name, record in ingested.records.items() if record.status == FAILED}
    assert failed.keys() == FAILING.keys()
    assert ingested.job.status == JobStatus.JOB_STATUS_NEEDS_REVIEW
    assert {reason.filename for reason in ingested.job.review_reasons} == FAILING.keys()
    assert all(reason.suggested_fix for reason in ingested.job.review_reasons)


async def test_job__lists_every_file_and_counts_every_record(ingested: Ingested) -> None:
    job = ingested.job
    assert len(job.files) == len(EXAMPLES)
    [markdown] = [file for file in job.files if not file.HasField("record_id")]
    assert (markdown.name, markdown.file_id) == (MARKDOWN, ingested.uploads[MARKDOWN].file_id)
    counts = {RecordStatus.Name(each.status): each.count for each in job.record_counts}
    assert counts == {
        "RECORD_STATUS_QUEUED": 0,
        "RECORD_STATUS_RUNNING": 0,
        "RECORD_STATUS_COMPLETED": 7,
        "RECORD_STATUS_FAILED": 2,
        "RECORD_STATUS_CANCELLED": 0,
    }
    assert job.settled
    assert (job.user_id, job.team_id) == ("local", "local")


async def test_timeline__has_the_milestones_and_their_metadata(server: Server, ingested: Ingested) -> None:
    [run] = ingested.job.ingestion_jobs
    told = [(event.title, dict(event.metadata)) for event in ingested.job.timeline]
    assert told == [
        ("Created", {}),
        (
            "File Processing Started",
            {"ingestion_job_id": run.ingestion_job_id, "status": "running", "record_count": 9},
        ),
        (
            "File Processing Completed",
            {"ingestion_job_id": run.ingestion_job_id, "status": "failed", "record_count": 9},
        ),
    ]
    listed = await pages_of(
        server, "JobService/ListTimelineEvents", jobs.ListTimelineEventsRequest(job_id=ingested.job.job_id), "events", 7
    )
    numbers = [event.sequence for page in listed for event in page]  # type: ignore[attr-defined]
    assert numbers == list(range(1, ingested.job.last_sequence + 1))
    only = jobs.ListTimelineEventsRequest(
        job_id=ingested.job.job_id, types=[EventType.EVENT_TYPE_RECORD_FAILED], after_sequence=2
    )
    reply = await server.jobs.ListTimelineEvents(only)
    assert [event.record_change.record.status for event in reply.events] == [FAILED, FAILED]
    assert (reply.earliest_sequence, reply.head_sequence) == (1, ingested.job.last_sequence)


async def test_ingestion_job__is_read_alone_and_in_lists(server: Server, ingested: Ingested) -> None:
    [run] = ingested.job.ingestion_jobs
    reply = await server.ingestion.GetIngestionJob(
        ingestion.GetIngestionJobRequest(ingestion_job_id=run.ingestion_job_id)
    )
    assert reply.ingestion_job == run
    assert (reply.records_total, reply.records_truncated) == (9, False)
    assert run.status == IngestionJobStatus.INGESTION_JOB_STATUS_PARTIALLY_COMPLETED
    assert (run.documents_total, run.documents_processed, run.documents_failed) == (9, 7, 2)
    assert run.bytes_in == sum(file.size_bytes for name, file in ingested.uploads.items() if name != MARKDOWN)
    listed = await server.ingestion.ListIngestionJobs(
        ingestion.ListIngestionJobsRequest(job_id=ingested.job.job_id, statuses=[run.status], oldest_first=True)
    )
    assert [each.ingestion_job_id for each in listed.ingestion_jobs] == [run.ingestion_job_id]
    assert not listed.ingestion_jobs[0].records
    of_job = ingestion.ListFileRecordsRequest(job_id=ingested.job.job_id)
    pages = await pages_of(server, "IngestionService/ListFileRecords", of_job, "records", 4)
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [record for page in pages for record in page] == list(run.records)
    of_run = ingestion.ListFileRecordsRequest(ingestion_job_id=run.ingestion_job_id, statuses=[FAILED])
    failed = (await server.ingestion.ListFileRecords(of_run)).records
    assert {record.filename for record in failed} == FAILING.keys()


async def test_basic_view__has_no_lists(server: Server, ingested: Ingested) -> None:
    reply = await server.jobs.GetJob(jobs.GetJobRequest(job_id=ingested.job.job_id, view=JobView.JOB_VIEW_BASIC))
    assert not reply.job.files
    assert not reply.job.ingestion_jobs
    assert not reply.job.timeline
    assert reply.job.review_reasons == ingested.job.review_reasons
    assert reply.job.record_counts == ingested.job.record_counts


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_file__is_as_it_was_uploaded(server: Server, ingested: Ingested) -> None:
    for path in EXAMPLES:
        file = ingested.uploads[path.name]
        content = path.read_bytes()
        assert (file.filename, file.kind) == (path.name, FileKind.FILE_KIND_UPLOAD)
        assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert (await server.files.GetFile(files.GetFileRequest(file_id=file.file_id))).file == file
        start, *parts = [
            message async for message in server.files.DownloadFile(files.DownloadFileRequest(file_id=file.file_id))
        ]
        assert start.start.file == file
        assert b"".join(part.data for part in parts) == content


async def test_file__is_read_in_parts(server: Server) -> None:
    file = await server.upload("notes.txt", "äöü and more".encode())
    first = await server.files.ReadFile(files.ReadFileRequest(file_id=file.file_id, limit=3))
    assert (first.text, first.data, first.eof) == ("ä", "ä".encode(), False)  # no character is cut in two
    rest = await server.files.ReadFile(files.ReadFileRequest(file_id=file.file_id, offset=2))
    assert (rest.text, rest.eof) == ("öü and more", True)
    beyond = await server.files.ReadFile(files.ReadFileRequest(file_id=file.file_id, offset=99))
    assert (beyond.data, beyond.eof) == (b"", True)
    part = files.DownloadFileRequest(file_id=file.file_id, offset=7, limit=3)
    start, data = [message async for message in server.files.DownloadFile(part)]
    assert (start.start.offset, data.data) == (7, b"and")


async def test_files__are_paged_newest_first(server: Server, ingested: Ingested) -> None:
    uploads = [await server.upload(f"{number}.bin") for number in range(5)]
    request = files.ListFilesRequest(kind=FileKind.FILE_KIND_UPLOAD)
    pages = await pages_of(server, "FileService/ListFiles", request, "files")
    found = [file for page in pages for file in page]
    assert found[:5] == uploads[::-1]
    assert len({file.file_id for file in found}) == len(found)  # type: ignore[attr-defined]
    outputs = (await server.files.ListFiles(files.ListFilesRequest(kind=FileKind.FILE_KIND_OUTPUT))).files
    wanted = {record.output_file_id for record in ingested.records.values() if record.status == COMPLETED}
    assert wanted <= {file.file_id for file in outputs}
    assert {file.content_type for file in outputs} == {"text/markdown"}


async def test_equal_bytes__are_stored_once_and_live_as_long_as_one_file(server: Server) -> None:
    blobs = server.settings.data_dir / "blobs"

    def stored() -> set[str]:  # by name: until a moment after it was settled a blob has two paths
        return {path.name for path in blobs.rglob("*") if path.is_file()}

    before = stored()
    first, second = [await server.upload(name, b"the same bytes") for name in ("one.txt", "two.txt")]
    assert first.file_id != second.file_id
    assert len(stored() - before) == 1
    for file in (first, second):
        reply = await server.files.DeleteFile(files.DeleteFileRequest(file_id=file.file_id))
        assert reply.file.HasField("deleted_at")
        if file is first:
            assert await text_of(server, second.file_id) == "the same bytes"
    assert stored() == before


async def test_file__of_a_job_is_deleted_by_force_alone(server: Server) -> None:
    job = await server.job("used.md")
    [listed] = job.files
    reply = await server.files.DeleteFile(files.DeleteFileRequest(file_id=listed.file_id, force=True))
    assert list(reply.job_ids) == [job.job_id]
    assert not (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job.files


# ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_jobs__are_paged_newest_first_and_filtered(server: Server, ingested: Ingested) -> None:
    made = [await server.job() for _ in range(5)]
    pages = await pages_of(server, "JobService/ListJobs", jobs.ListJobsRequest(), "jobs")
    found = [job.job_id for page in pages for job in page]  # type: ignore[attr-defined]
    assert found[:5] == [job.job_id for job in reversed(made)]
    assert len(set(found)) == len(found)
    assert {len(page) for page in pages[:-1]} == {2}
    only = jobs.ListJobsRequest(statuses=[JobStatus.JOB_STATUS_FILE_PROCESSING, JobStatus.JOB_STATUS_CANCELLED])
    assert ingested.job.job_id not in {job.job_id for job in (await server.jobs.ListJobs(only)).jobs}
    review = jobs.ListJobsRequest(statuses=[JobStatus.JOB_STATUS_NEEDS_REVIEW], page_size=5_000)
    assert ingested.job.job_id in {job.job_id for job in (await server.jobs.ListJobs(review)).jobs}


async def test_add_files__tells_the_outcome_of_each(server: Server) -> None:
    job = await server.job("a.txt")
    await Watchers(server).watch(job).rest()
    [run] = (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job.ingestion_jobs
    new, ready = await server.upload("b.txt"), await server.upload("c.md")
    unknown = "file-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
    named = [jobs.FileToAdd(file_id=file_id) for file_id in (*run.file_ids, new.file_id, ready.file_id, unknown)]
    reply = await server.jobs.AddFiles(
        jobs.AddFilesRequest(job_id=job.job_id, files=named, allow_partial=True, method=Method.METHOD_SPEED_OPTIMIZED)
    )
    assert [AddFileOutcome.Name(result.outcome).removeprefix("ADD_FILE_OUTCOME_") for result in reply.results] == [
        "ALREADY_PRESENT",
        "ADDED",
        "MARKDOWN_READY",
        "NOT_FOUND",
    ]
    assert reply.results[0].record_id == run.records[0].record_id
    assert reply.results[2].output_file_id == ready.file_id
    assert [each.ingestion_job_id for each in reply.job.ingestion_jobs] == [
        run.ingestion_job_id,
        reply.ingestion_job_id,
    ]
    await Watchers(server).watch(job).rest()
    settled = (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job
    assert settled.status == JobStatus.JOB_STATUS_READY_TO_START


async def test_corrected_upload__resolves_what_failed(server: Server) -> None:
    job = (
        await server.jobs.CreateJob(
            jobs.CreateJobRequest(
                name="job",
                job_type=GROUNDED,
                files=[{"file_id": (await server.upload("a.txt", b"")).file_id}],  # type: ignore[list-item]
            )
        )
    ).job
    await Watchers(server).watch(job).rest()
    [failed] = (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job.ingestion_jobs[0].records
    assert failed.status == FAILED
    corrected = await server.upload("other.txt", b"with content")
    naming = jobs.FileToAdd(file_id=corrected.file_id, replaces_record_id=failed.record_id)
    reply = await server.jobs.AddFiles(jobs.AddFilesRequest(job_id=job.job_id, files=[naming]))
    assert reply.results[0].supersedes_record_id == failed.record_id
    await Watchers(server).watch(job).rest()
    resolved = (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job
    assert resolved.status == JobStatus.JOB_STATUS_READY_TO_START
    assert resolved.ingestion_jobs[0].records[0].superseded_by == reply.results[0].record_id


async def test_remove_files__by_record_by_source_and_by_output(server: Server) -> None:
    job = await server.job("a.txt", "b.txt", "c.txt", "notes.md")
    await Watchers(server).watch(job).rest()
    first, second, third = (
        (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job.ingestion_jobs[0].records
    )
    [notes] = [file.file_id for file in job.files if not file.HasField("record_id")]
    request = jobs.RemoveFilesRequest(
        job_id=job.job_id,
        record_ids=[first.record_id, first.record_id],
        file_ids=[second.file_id, third.output_file_id, notes, "file-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"],
    )
    reply = await server.jobs.RemoveFiles(request)
    outcomes = [RemoveFileOutcome.Name(each.outcome).removeprefix("REMOVE_FILE_OUTCOME_") for each in reply.results]
    assert outcomes == ["REMOVED", "ALREADY_REMOVED", "REMOVED", "REMOVED", "REMOVED", "NOT_FOUND"]
    assert not reply.job.files
    kept = ingestion.ListFileRecordsRequest(job_id=job.job_id, show_deleted=True)
    assert [record.deleted for record in (await server.ingestion.ListFileRecords(kept)).records] == [True] * 3
    assert await text_of(server, first.output_file_id)  # what was made stays readable


async def test_cancel_job__cancels_what_is_in_flight_and_repeats_without_effect(server: Server) -> None:
    await server.app.pool.stop(0)  # nothing is claimed from here on: what is queued stays queued
    job = await server.job("cancelled-1.txt", "cancelled-2.txt")
    reply = await server.jobs.CancelJob(jobs.CancelJobRequest(job_id=job.job_id))
    assert (reply.records_cancelled, reply.job.status) == (2, JobStatus.JOB_STATUS_CANCELLED)
    again = await server.jobs.CancelJob(jobs.CancelJobRequest(job_id=job.job_id))
    assert (again.records_cancelled, again.job) == (0, reply.job)
    [run] = (await server.jobs.GetJob(jobs.GetJobRequest(job_id=job.job_id))).job.ingestion_jobs
    assert [record.status for record in run.records] == [CANCELLED] * 2
    assert all(record.HasField("cancelled_at") for record in run.records)
    server.app.pool.start()


# ── the server ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_server_info__tells_what_is_in_force(server: Server) -> None:
    info = await server.info.GetServerInfo(GetServerInfoRequest())
    assert all([info.version, info.ledger_id])
    assert info.embedders == ["wordllama"]
    assert info.limits.workers == 2
    assert info.limits.max_file_bytes == server.settings.max_file_bytes
    assert (info.limits.max_chunk_bytes, info.limits.max_files_per_call) == (2 * 2**20, 1_000)
    assert "application/pdf" in info.content_types
    assert info.default_method == Method.METHOD_SPEED_OPTIMIZED
    assert list(info.methods) == [Method.METHOD_SPEED_OPTIMIZED, Method.METHOD_ACCURACY_OPTIMIZED]
    assert {engine.name for engine in info.engines} >= {"xberg"}
    assert {each.name for each in info.protections if each.enforced} >= {"resource_limits", "no_new_privileges"}


@pytest.mark.parametrize("name", ["", *sorted({f"ingest_grpc.v1.{rpc.split('/')[0]}" for rpc in RPCS})])
async def test_health__of_every_service(server: Server, name: str) -> None:
    health: Any = health_pb2_grpc.HealthStub(server.channel)
    reply = await health.Check(health_pb2.HealthCheckRequest(service=name))
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
