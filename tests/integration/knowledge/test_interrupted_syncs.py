"""Syncs of several transactions: what is seen between two of them, and what becomes of one that ends there."""

import asyncio
from typing import Any, Self

import pytest

from ingest_grpc.admin.check import check
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.service.knowledge_bases import syncing
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import GetJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import Chunking, DataSource
from tests.integration.calling import failure
from tests.integration.knowledge.library import TEXTS, Library

CANCELLED, COMPLETED, PROCESSING = (
    JobStatus.JOB_STATUS_CANCELLED,
    JobStatus.JOB_STATUS_COMPLETED,
    JobStatus.JOB_STATUS_FILE_PROCESSING,
)


class HeldSync:
    """A sync of slices of one key each that stops before its second one. It stands in for the service's store."""

    def __init__(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(syncing, "SLICE", 1)
        self._store = library.server.app.store
        monkeypatch.setattr(library.server.app.knowledge.syncs, "_store", self)
        self.read = self._store.read
        self.held = asyncio.Event()
        self.go_on = asyncio.Event()
        self.errors: list[Exception] = []
        self.call = asyncio.create_task(library.sync())

    async def write(self, unit: Any) -> Any:
        if getattr(unit, "keywords", {}).get("first") is False:
            self.held.set()
            await self.go_on.wait()
        if self.held.is_set() and self.errors:
            raise self.errors.pop()
        return await self._store.write(unit)

    async def __aenter__(self) -> Self:
        await self.held.wait()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.go_on.set()
        await asyncio.gather(self.call, return_exceptions=True)


@pytest.fixture
async def emptied(library: Library) -> Library:
    """All files are gone since the last sync."""
    library.fill()
    await library.add_source()
    for key in TEXTS:
        library.delete(key)
    return library


async def source_now(library: Library) -> DataSource:
    assert library.source is not None
    request = pb.GetDataSourceRequest(data_source_id=library.source.data_source_id)
    return (await library.server.knowledge.GetDataSource(request)).data_source


async def job_now(library: Library, job_id: str) -> Job:
    return (await library.server.jobs.GetJob(GetJobRequest(job_id=job_id))).job


async def test_between_two_slices__the_job_runs(emptied: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    async with HeldSync(emptied, monkeypatch):
        job_id = (await source_now(emptied)).running_job_id
        job = await job_now(emptied, job_id)
        assert (job.status, job.settled) == (PROCESSING, False)
        reindex = pb.UpdateKnowledgeBaseRequest(
            knowledge_base_id=emptied.id, chunking=Chunking(max_tokens=128), reindex=True
        )
        refused = await failure(emptied.server.channel, "KnowledgeBaseService/UpdateKnowledgeBase", reindex)
        assert refused.reason == Reason.KNOWLEDGE_BASE_BUSY

    job = await job_now(emptied, job_id)
    assert (job.status, job.settled) == (COMPLETED, True)
    assert not (await source_now(emptied)).HasField("running_job_id")
    assert await emptied.files() == {}


async def test_files_that_end_between_two_slices__do_not_settle_the_job(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    await library.add_source()
    library.write("one.md", "# One\n")
    library.write("two.md", "# Two\n")
    async with HeldSync(library, monkeypatch) as sync:
        while not (await library.files())["one.md"].searchable:
            continue
        job = await job_now(library, (await source_now(library)).running_job_id)
        assert (job.status, job.settled) == (PROCESSING, False)

    assert (await sync.call).job.status == COMPLETED
    assert (await library.files())["two.md"].searchable


async def test_cancel_between_two_slices__ends_the_sync(emptied: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    async with HeldSync(emptied, monkeypatch):
        assert emptied.source is not None
        request = pb.CancelSyncRequest(data_source_id=emptied.source.data_source_id)
        job = (await emptied.server.knowledge.CancelSync(request)).job
        assert (job.status, job.settled) == (CANCELLED, True)

    assert len(await emptied.files()) == len(TEXTS) - 1
    await emptied.sync()
    assert await emptied.files() == {}


async def test_source_removed_between_two_slices__gets_nothing_more(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    await library.add_source()
    library.write("one.md", "# One\n")
    library.write("two.md", "# Two\n")
    async with HeldSync(library, monkeypatch):
        source = await source_now(library)
        await library.server.knowledge.RemoveDataSource(
            pb.RemoveDataSourceRequest(data_source_id=source.data_source_id)
        )
        assert (await job_now(library, source.running_job_id)).settled

    assert await library.files() == {}


async def test_sync_that_fails_between_two_slices__lets_its_job_settle(
    emptied: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with HeldSync(emptied, monkeypatch) as sync:
        job_id = (await source_now(emptied)).running_job_id
        sync.errors.append(RuntimeError("the disk is on fire"))

    assert (await job_now(emptied, job_id)).settled
    await emptied.sync()
    assert await emptied.files() == {}


async def test_caller_who_hangs_up_between_two_slices__lets_the_job_settle(
    emptied: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with HeldSync(emptied, monkeypatch) as sync:
        job_id = (await source_now(emptied)).running_job_id
        sync.call.cancel()
        assert (await emptied.settled(Job(job_id=job_id))).status == COMPLETED


async def test_sync_that_fails_as_the_ledger_does__settles_once_that_answers(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed the slice fails the end of the job, too; and a file of the first slice is still in the queue."""
    await library.add_source()
    library.write("one.md", "# One\n")
    library.write("two.md", "# Two\n")
    app = library.server.app
    await app.pool.stop(0)
    async with HeldSync(library, monkeypatch) as sync:
        job_id = (await source_now(library)).running_job_id
        sync.errors += [IngestError(Reason.SERVER_BUSY), IngestError(Reason.SERVER_BUSY)]
    assert not (await job_now(library, job_id)).settled

    await app.syncer.step()
    app.pool.start()
    assert (await library.settled(Job(job_id=job_id))).status == COMPLETED
    await library.sync()
    assert (await library.files())["two.md"].searchable


async def test_sync_that_a_kill_ended__is_finished_by_the_next_one(library: Library) -> None:
    library.fill()
    job_id = (await library.add_source()).job_id
    library.write("new.md", "# New\n")
    library.server.change("UPDATE jobs SET ever_active = 0, status = 'FILE_PROCESSING'")
    await library.server.app.stop()
    assert (await check(library.server.settings)).problems == []
    await library.server.restart()
    assert (await job_now(library, job_id)).settled

    after = await library.sync()

    assert (await job_now(library, job_id)).settled
    assert after.data_source.last_sync.new == 1
    assert after.job.status == COMPLETED
