"""From documents to a dataset over the channel: start, watch, cancel, and what survives a restart."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ingest_grpc.v1.alignment_pb2 import AlignmentEngine as WireEngine
from ingest_grpc.v1.file_service_pb2 import DownloadFileRequest, GetFileRequest
from ingest_grpc.v1.job_pb2 import EventType, Job, JobStatus, JobView
from ingest_grpc.v1.job_service_pb2 import (
    AddFilesRequest,
    CreateJobRequest,
    FileToAdd,
    GetJobRequest,
    StartJobRequest,
    WatchEndReason,
    WatchJobResponse,
)
from tests.integration.serving import GROUNDED, Server
from tests.integration.watching import TERMINAL, Watchers

QUEUED, RUNNING = JobStatus.JOB_STATUS_QUEUED, JobStatus.JOB_STATUS_RUNNING
COMPLETED, FAILED = JobStatus.JOB_STATUS_COMPLETED, JobStatus.JOB_STATUS_FAILED
CANCELLED = JobStatus.JOB_STATUS_CANCELLED
HANDBOOK = b"# Leave\nAsk early.\n\n## Sick leave\n```\n# not a heading\n```\nCall in.\n"


@asynccontextmanager
async def working(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    """A server with a worker, in real time."""
    async with Server(folder, workers=1, real_time=True, **settings) as server:
        yield server


async def markdown_job(server: Server, *texts: bytes, system_prompt: str = "") -> Job:
    """A job that could start at once."""
    files = [await server.upload(f"{number}.md", text) for number, text in enumerate(texts or (HANDBOOK,), start=1)]
    request = CreateJobRequest(
        name="Handbook",
        job_type=GROUNDED,
        system_prompt=system_prompt,
        files=[FileToAdd(file_id=file.file_id) for file in files],
    )
    return (await server.jobs.CreateJob(request)).job


async def start(server: Server, job: Job) -> Job:
    return (await server.jobs.StartJob(StartJobRequest(job_id=job.job_id))).job


async def get(server: Server, job: Job) -> Job:
    return (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job


async def dataset(server: Server, job: Job) -> list[dict[str, Any]]:
    """The lines of a completed job's dataset, as a caller downloads them."""
    [file_id] = (await get(server, job)).alignment_job.output_file_ids
    parts = [part async for part in server.files.DownloadFile(DownloadFileRequest(file_id=file_id))]
    return [json.loads(line) for line in b"".join(part.data for part in parts).splitlines()]


def statuses(messages: list[WatchJobResponse]) -> list[JobStatus.ValueType]:
    """The job's statuses, as the watcher was told of them."""
    return [each.event.job_change.job.status for each in messages if each.event.HasField("job_change")]


async def test_start__from_documents_to_a_dataset(tmp_path: Path) -> None:
    async with working(tmp_path / "data") as server:
        watchers = Watchers(server)
        created = (await server.jobs.CreateJob(CreateJobRequest(name="Handbook", job_type=GROUNDED))).job
        uploaded = [await server.upload("handbook.md", HANDBOOK), await server.upload("report.pdf")]
        files = [FileToAdd(file_id=file.file_id) for file in uploaded]
        await server.jobs.AddFiles(AddFilesRequest(job_id=created.job_id, files=files))
        settled = await watchers.watch(created).rest()
        assert settled[-1].end.job.status == JobStatus.JOB_STATUS_READY_TO_START

        started = (
            await server.jobs.StartJob(
                StartJobRequest(job_id=created.job_id, expected_files_etag=settled[-1].end.job.files_etag)
            )
        ).job
        assert started.alignment_job.alignment_job_id == started.alignment_job_id
        assert started.alignment_job_id.startswith("al-")
        seen = await watchers.watch(created, started.last_sequence - 2, until=TERMINAL).rest()
        watchers.judge()
        assert statuses(seen) == [QUEUED, RUNNING, COMPLETED]
        assert seen[-1].end.reason == WatchEndReason.WATCH_END_REASON_TERMINAL
        changes = [each.event for each in seen if each.event.HasField("alignment_change")]
        assert [event.type for event in changes] == [
            EventType.EVENT_TYPE_ALIGNMENT_ADDED,
            EventType.EVENT_TYPE_ALIGNMENT_CLAIMED,
            EventType.EVENT_TYPE_ALIGNMENT_COMPLETED,
        ]
        job = await get(server, created)
        alignment = job.alignment_job
        assert (job.status, job.settled, alignment.progress, alignment.examples) == (COMPLETED, True, 100.0, 3)
        assert alignment.engine == WireEngine.ALIGNMENT_ENGINE_ASSEMBLE
        assert [(line["heading_path"], line["text"]) for line in await dataset(server, created)] == [
            *[
                (["Leave"], "Ask early."),
                (["Leave", "Sick leave"], "```\n# not a heading\n```\nCall in."),
                (["Title"], ""),
            ][:2],
            line_of_report(await dataset(server, created)),
        ]
        file = (await server.files.GetFile(GetFileRequest(file_id=alignment.output_file_ids[0]))).file
        assert (file.filename, file.content_type) == ("Handbook.jsonl", "application/jsonl")
        basic = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id, view=JobView.JOB_VIEW_BASIC))).job
        assert (basic.alignment_job_id, basic.HasField("alignment_job")) == (job.alignment_job_id, False)
