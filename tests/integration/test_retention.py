"""Retention as callers meet it: logs that begin late, watchers under a compaction, outputs that are gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from ingest_grpc.admin.check import check
from ingest_grpc.v1.file_service_pb2 import DownloadFileRequest, GetFileRequest, ReadFileRequest
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.ingestion_service_pb2 import ListFileRecordsRequest
from ingest_grpc.v1.job_pb2 import EventKind, Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, FileToAdd, GetJobRequest, ListTimelineEventsRequest
from tests.integration.serving import Server, until
from tests.integration.watching import HEAD, NEVER, Watchers, detail, kind, kinds, sequences

DAY = 86_400.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Events are kept for a second, so that streams live longer than they."""
    async with Server(tmp_path / "data", event_retention_days=1 / DAY) as server:
        yield server
        report = await check(server.settings)
        assert report.problems == []


async def current(server: Server, job: Job) -> Job:
    return (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job


async def compact(server: Server) -> None:
    server.clock.advance(1.001)
    await server.app.compactor.step()


async def test_log__begins_with_its_milestones_and_says_where_it_is_whole(server: Server) -> None:
    job = await server.finished_job("a.pdf", "b.pdf")
    head = (await current(server, job)).last_sequence
    await compact(server)
    await server.add(job, "c.pdf")
    page = await server.jobs.ListTimelineEvents(ListTimelineEventsRequest(job_id=job.job_id, after_sequence=1))
    assert page.earliest_sequence == head + 1
    old = [event for event in page.events if event.sequence <= head]
    new = [event.sequence for event in page.events if event.sequence > head]
    assert {event.kind for event in old} == {EventKind.EVENT_KIND_MILESTONE}
    assert new == list(range(head + 1, page.head_sequence + 1))


async def test_watch__before_the_kept_log_is_told_and_from_there_on_served(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    head = (await current(server, job)).last_sequence
    await compact(server)
    for cursor in (0, 1, head - 1):
        watch = watchers.watch(job, cursor, until=HEAD)
        assert await watch.rest() == []
        assert watch.reason == "SEQUENCE_COMPACTED"
        assert watch.info.metadata["earliest_sequence"] == str(head + 1)
        assert watch.info.metadata["head_sequence"] == str(head)
    assert kinds(await watchers.watch(job, head, until=HEAD).rest()) == ["end"]
    assert kinds(await watchers.watch(job, until=HEAD).rest()) == ["snapshot", "records", "synced", "end"]


async def test_watch__at_the_head_goes_on_through_a_compaction(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    head = (await current(server, job)).last_sequence
    watch = watchers.watch(job, 0, until=NEVER, heartbeat_interval_seconds=60)
    assert sequences(await watch.take(head)) == list(range(1, head + 1))
    await server.quiet()
    await compact(server)
    await server.quiet()
    await server.add(job, "b.pdf")
    assert sequences(await watch.take(2)) == [head + 1, head + 2]
    watch.leave()


async def test_watch__that_lags_behind_a_compaction_is_told(server: Server, watchers: Watchers) -> None:
    """It was woken, but what it was woken for is gone by the time it reads."""
    job = await server.finished_job("a.pdf")
    watch = watchers.watch(job, until=NEVER)
    await watch.through(lambda message: kind(message) == "synced")
    await server.quiet()
    notes = await server.upload("notes.md")
    held = asyncio.Event()
    read = server.app.store.read

    async def slowly(unit: object) -> object:
        await held.wait()
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = slowly  # type: ignore[assignment, method-assign]
    server.app.tail.follow = lambda steps: None  # type: ignore[method-assign]  # else it had no need to read
    request = AddFilesRequest(job_id=job.job_id, files=[FileToAdd(file_id=notes.file_id)])
    adding = asyncio.ensure_future(_call(server.jobs.AddFiles(request)))
    await until(lambda: server.app.streams._watches._sources.tail._reads)
    await compact(server)
    held.set()
    await adding
    assert await watch.rest() == []
    assert watch.reason == "SEQUENCE_COMPACTED"


async def _call(call: Awaitable[object]) -> None:
    await call


async def test_heartbeat__tells_the_earliest_sequence_after_a_compaction(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    head = (await current(server, job)).last_sequence
    await compact(server)
    watch = watchers.watch(job, head, until=NEVER)
    [beat] = await watch.take(1)
    assert beat.heartbeat.earliest_sequence == head + 1
    watch.leave()


@pytest.fixture
async def forgetful(tmp_path: Path) -> AsyncIterator[Server]:
    """Outputs are kept for 10 days."""
    async with Server(tmp_path / "data", output_retention_days=10.0) as server:
        yield server
        report = await check(server.settings)
        assert report.problems == []


async def test_outputs__that_expired_are_not_found_and_say_why(forgetful: Server) -> None:
    server = forgetful
    job = await server.finished_job("a.pdf")
    records = ListFileRecordsRequest(job_id=job.job_id)
    [before] = (await server.ingestion.ListFileRecords(records)).records
    assert not before.HasField("output_expired_at")
    server.clock.advance(11 * DAY)
    await server.app.compactor.step()
    await server.app.janitor.step()
    [record] = (await server.ingestion.ListFileRecords(records)).records
    assert record.status == RecordStatus.RECORD_STATUS_COMPLETED
    assert record.HasField("output_expired_at")
    shown = await current(server, job)
    assert (shown.status, shown.expired_outputs) == (JobStatus.JOB_STATUS_NEEDS_REVIEW, 1)
    assert [file.HasField("expired_at") for file in shown.files] == [True]
    file_id = record.output_file_id
    calls: list[Awaitable[object]] = [
        server.files.GetFile(GetFileRequest(file_id=file_id)),
        server.files.ReadFile(ReadFileRequest(file_id=file_id)),
        server.files.DownloadFile(DownloadFileRequest(file_id=file_id)).read(),
    ]
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND
        assert detail(raised.value, ErrorInfo).reason == "OUTPUT_EXPIRED"
        assert detail(raised.value, ErrorInfo).metadata["file_id"] == file_id
