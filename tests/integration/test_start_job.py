"""From documents to a dataset over the channel: start, watch, cancel, and what survives a restart."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, PreconditionFailure

from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep
from ingest_grpc.model import AlignmentTotals
from ingest_grpc.pipeline.align.assemble import Assembler
from ingest_grpc.pipeline.align.interface import AlignmentTask, OnStanding, Standing
from ingest_grpc.v1.alignment_pb2 import AlignmentEngine as WireEngine
from ingest_grpc.v1.alignment_pb2 import AlignmentStep as WireStep
from ingest_grpc.v1.file_service_pb2 import DownloadFileRequest, GetFileRequest
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.job_pb2 import EventType, Job, JobStatus, JobType, JobView
from ingest_grpc.v1.job_service_pb2 import (
    AddFilesRequest,
    CancelJobRequest,
    CreateJobRequest,
    FileToAdd,
    GetJobRequest,
    StartJobRequest,
    WatchEndReason,
    WatchJobResponse,
)
from tests.chat_server import ChatServer, Reply
from tests.executors import FakeExecutor
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.watching import PROGRESS, TERMINAL, Watchers, detail, kind

QUEUED, RUNNING = JobStatus.JOB_STATUS_QUEUED, JobStatus.JOB_STATUS_RUNNING
COMPLETED, FAILED = JobStatus.JOB_STATUS_COMPLETED, JobStatus.JOB_STATUS_FAILED
CANCELLED = JobStatus.JOB_STATUS_CANCELLED
PRINCIPLES = JobType.JOB_TYPE_PRINCIPLE_FILES
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
    executor = FakeExecutor(b"# Report\nAll is well.\n")
    async with working(tmp_path / "data", executor=executor) as server:
        watchers = Watchers(server)
        created = (await server.jobs.CreateJob(CreateJobRequest(name="Handbook", job_type=GROUNDED))).job
        uploaded = [await server.upload("handbook.md", HANDBOOK), await server.upload("report.pdf")]
        files = [FileToAdd(file_id=file.file_id) for file in uploaded]
        await server.jobs.AddFiles(AddFilesRequest(job_id=created.job_id, files=files))
        settled = (await watchers.watch(created).rest())[-1].end.job
        assert settled.status == JobStatus.JOB_STATUS_READY_TO_START

        request = StartJobRequest(job_id=created.job_id, expected_files_etag=settled.files_etag)
        started = (await server.jobs.StartJob(request)).job
        assert started.alignment_job.alignment_job_id == started.alignment_job_id
        seen = await watchers.watch(created, settled.last_sequence, until=TERMINAL).rest()
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
        lines = await dataset(server, created)
        assert [(line["heading_path"], line["text"]) for line in lines] == [
            (["Leave"], "Ask early."),
            (["Leave", "Sick leave"], "```\n# not a heading\n```\nCall in."),
            (["Report"], "All is well."),
        ]
        outputs = {file.name: file.file_id for file in job.files}
        assert [line["source"] for line in lines] == [
            {"file_id": outputs["handbook.md"], "filename": "handbook.md", "section": 1},
            {"file_id": outputs["handbook.md"], "filename": "handbook.md", "section": 2},
            {"file_id": outputs["report.md"], "filename": "report.md", "section": 1},
        ]
        file = (await server.files.GetFile(GetFileRequest(file_id=alignment.output_file_ids[0]))).file
        assert (file.filename, file.content_type) == ("Handbook.jsonl", "application/jsonl")
        basic = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id, view=JobView.JOB_VIEW_BASIC))).job
        assert (basic.alignment_job_id, basic.HasField("alignment_job")) == (job.alignment_job_id, False)


async def test_start__that_is_refused_says_every_reason(server: Server) -> None:
    job = (await server.jobs.CreateJob(CreateJobRequest(name="job", job_type=PRINCIPLES))).job
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await start(server, job)
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert detail(raised.value, ErrorInfo).reason == "NOT_READY_TO_START"
    failed = detail(raised.value, PreconditionFailure)
    assert [(one.type, one.subject) for one in failed.violations] == [
        ("NO_VIABLE_FILE", job.job_id),
        ("SYSTEM_PROMPT_MISSING", job.job_id),
    ]


async def test_start__once_more_is_refused(server: Server) -> None:
    job = await markdown_job(server)
    await start(server, job)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await start(server, job)
    assert detail(raised.value, ErrorInfo).reason == "JOB_STARTED"


async def test_start__of_other_files_than_were_reviewed(server: Server) -> None:
    job = await markdown_job(server)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await server.jobs.StartJob(StartJobRequest(job_id=job.job_id, expected_files_etag="other"))
    assert raised.value.code() is grpc.StatusCode.ABORTED
    assert detail(raised.value, ErrorInfo).reason == "FILES_ETAG_MISMATCH"


class Held(Assembler):
    """Says how far it is and stays there, until it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.let_go = asyncio.Event()

    async def align(self, task: AlignmentTask, output_fd: int, on_standing: OnStanding) -> AlignmentTotals:
        on_standing(Standing(AlignmentStep.SPLIT, 38.0, 40.0))
        self.entered.set()
        await self.let_go.wait()
        return await super().align(task, output_fd, on_standing)


def hold(server: Server) -> Held:
    """Puts an engine that waits into the place of the one in force."""
    engine = Held()
    server.app.aligner._engines = {AlignmentEngine.ASSEMBLE: engine}
    return engine


async def test_progress__streams_to_watchers(tmp_path: Path) -> None:
    async with working(tmp_path / "data") as server:
        engine = hold(server)
        watchers = Watchers(server)
        job = await markdown_job(server)
        await start(server, job)
        await engine.entered.wait()
        watch = watchers.watch(job, kinds=[PROGRESS], until=TERMINAL)
        seen = await watch.through(lambda message: kind(message) == "progress")
        [snapshot] = [each for each in seen if each.records.HasField("alignment_job")]
        assert snapshot.records.alignment_job.status == RecordStatus.RECORD_STATUS_RUNNING
        told = seen[-1].progress.alignment
        assert (told.current_step, told.progress, told.step_progress) == (WireStep.ALIGNMENT_STEP_SPLIT, 38.0, 40.0)
        shown = (await get(server, job)).alignment_job
        assert (shown.current_step, shown.progress) == (WireStep.ALIGNMENT_STEP_SPLIT, 38.0)
        engine.let_go.set()
        await watch.rest()
        watchers.judge()


async def test_queue_position__streams_to_watchers(server: Server, watchers: Watchers) -> None:
    await server.job("a.pdf", "b.pdf")
    job = await markdown_job(server)
    started = await start(server, job)
    assert started.alignment_job.queue_position == 3
    watch = watchers.watch(job, kinds=[PROGRESS])
    first = (await watch.through(lambda message: kind(message) == "progress"))[-1]
    await server.claim()
    await server.pass_time(1)
    [second] = await watch.take(1)
    assert [each.progress.alignment.queue_position for each in (first, second)] == [3, 2]


async def test_cancel__stops_a_running_alignment_within_a_second(tmp_path: Path) -> None:
    async with working(tmp_path / "data") as server:
        engine = hold(server)
        job = await markdown_job(server)
        await start(server, job)
        await engine.entered.wait()
        async with asyncio.timeout(1.0):
            cancelled = await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
            await until(lambda: not server.app.pool._running)
        assert cancelled.alignment_cancelled
        assert cancelled.job.status == CANCELLED
        engine.let_go.set()
        again = await start(server, job)
        assert again.alignment_job_id != cancelled.job.alignment_job_id
        seen = await Watchers(server).watch(job, until=TERMINAL).rest()
        assert seen[-1].end.job.status == COMPLETED


async def test_restart__goes_on_with_what_ran(tmp_path: Path) -> None:
    async with working(tmp_path / "data") as server:
        engine = hold(server)
        watchers = Watchers(server)
        job = await markdown_job(server)
        await start(server, job)
        await engine.entered.wait()
        watch = watchers.watch(job, 0, until=TERMINAL)
        seen = await watch.through(lambda message: message.event.type == EventType.EVENT_TYPE_ALIGNMENT_CLAIMED)
        cursor = seen[-1].sequence
        watch.leave()
        await server.restart()
        seen = await watchers.watch(job, cursor, resumes=watch, channel=server.channel, until=TERMINAL).rest()
        assert seen[-1].end.job.status == COMPLETED
        watchers.judge()
        assert (await get(server, job)).alignment_job.attempt == 2


# ── with a model ───────────────────────────────────────────────────────────────────────────────────────────


def model_at(chat: ChatServer, **settings: Any) -> dict[str, Any]:
    """Settings of a server that asks this model."""
    return {
        "align_engine": "generate",
        "align_endpoint_url": chat.url,
        "align_model": "test-model",
        "align_attempts": 1,
        "backoff_base_seconds": 0.01,
        **settings,
    }


async def test_generate__asks_the_model_and_counts_its_tokens(tmp_path: Path) -> None:
    async with ChatServer() as chat, working(tmp_path / "data", **model_at(chat)) as server:
        job = await markdown_job(server, system_prompt="Be kind.")
        await start(server, job)
        seen = await Watchers(server).watch(job, until=TERMINAL).rest()
        assert seen[-1].end.job.status == COMPLETED
        alignment = (await get(server, job)).alignment_job
        assert (alignment.engine, alignment.engine_version) == (WireEngine.ALIGNMENT_ENGINE_GENERATE, "test-model")
        assert (alignment.sections, alignment.examples) == (2, 2)
        assert (alignment.prompt_tokens, alignment.completion_tokens) == (20, 10)
        lines = await dataset(server, job)
        assert [line["messages"][-1]["content"] for line in lines] == ["Ask early.", "Call in."]


async def test_generate__goes_on_after_a_failed_attempt_without_asking_twice(tmp_path: Path) -> None:
    async with ChatServer() as chat, working(tmp_path / "data", **model_at(chat, align_concurrency=1)) as server:
        chat.scripts = [chat.script, lambda asked: Reply(503)]
        job = await markdown_job(server)
        await start(server, job)
        seen = await Watchers(server).watch(job, until=TERMINAL).rest()
        assert seen[-1].end.job.status == COMPLETED
        alignment = (await get(server, job)).alignment_job
        assert (alignment.attempt, alignment.failures, alignment.prompt_tokens) == (2, 1, 20)
        asked = [each.section.splitlines()[-1] for each in chat.asked]
        assert asked == ["Ask early.", "Call in.", "Call in."]


async def test_generate__of_an_endpoint_that_refuses_fails_the_job_and_says_why(tmp_path: Path) -> None:
    async with ChatServer(lambda asked: Reply(401)) as chat, working(tmp_path / "data", **model_at(chat)) as server:
        job = await markdown_job(server)
        await start(server, job)
        seen = await Watchers(server).watch(job, until=TERMINAL).rest()
        assert seen[-1].end.job.status == FAILED
        alignment = (await get(server, job)).alignment_job
        assert (alignment.error.message, alignment.error.detail) == (
            "The model's endpoint refused the request.",
            "HTTP 401",
        )
        assert alignment.current_step == WireStep.ALIGNMENT_STEP_GENERATE
