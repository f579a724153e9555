"""Storage that fails under a real server: never an OK without a durable row, and healed soon after the relief."""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.errors import call_error
from ingest_grpc.client.messages import EventType
from ingest_grpc.v1.file_service_pb2 import CreateFileRequest
from ingest_grpc.v1.file_service_pb2_grpc import FileServiceStub
from ingest_grpc.v1.job_pb2 import JobType
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest, GetJobRequest, ListJobsRequest
from ingest_grpc.v1.job_service_pb2_grpc import JobServiceStub
from tests.acceptance.faults import FAULTY, fault, start_job
from tests.acceptance.faulty_disk import COMPILER, FaultyDisk, small_disk
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server
from tests.acceptance.watchers import IMPATIENT, RawWatcher

if TYPE_CHECKING:  # what the generated stubs make of an asynchronous channel
    from ingest_grpc.v1.job_service_pb2_grpc import JobServiceAsyncStub

pytestmark = pytest.mark.acceptance
needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler builds the failing disk")

LOCKED_SECONDS = float(os.environ.get("INGEST_TEST_LOCKED_SECONDS", "2"))
HEALED_SECONDS = 5.0
FAULTS = int(os.environ.get("INGEST_TEST_FAULTS", "1"))
OK, FULL, UNAVAILABLE = (
    ("OK", ""),
    ("RESOURCE_EXHAUSTED", "STORAGE_FULL"),
    ("UNAVAILABLE", "STORAGE_UNAVAILABLE"),
)


class Caller:
    """Creates one job per request id, repeats nothing by itself, and remembers what was acknowledged."""

    def __init__(self, server: Server, channel: grpc.aio.Channel) -> None:
        self.jobs: JobServiceAsyncStub = JobServiceStub(channel)
        self.files = FileServiceStub(channel)
        self.acknowledged: dict[str, str] = {}
        self._health: Any = HealthStub(channel)
        self._server = server

    async def create(self, key: str) -> tuple[str, str]:
        """Code and reason with which the call ended."""
        request = CreateJobRequest(name=key, job_type=JobType.JOB_TYPE_CONTEXT_GROUNDED_FILES, request_id=key)
        try:
            answer = await self.jobs.CreateJob(request, timeout=30)
        except grpc.aio.AioRpcError as error:
            return error.code().name, call_error(error.code(), error.details(), error.trailing_metadata()).reason
        assert self.acknowledged.setdefault(key, answer.job.job_id) == answer.job.job_id
        return "OK", ""

    async def healed(self, *keys: str) -> float:
        """Repeats these calls until all are acknowledged; after how many seconds they were."""
        began = time.monotonic()
        for key in keys:
            while (await self.create(key))[0] != "OK":
                assert time.monotonic() - began < HEALED_SECONDS, f"{key} is not served {HEALED_SECONDS:g} s after"
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def is_serving(self) -> bool:
        answer = await self._health.Check(HealthCheckRequest(), timeout=10)
        return bool(answer.status == HealthCheckResponse.SERVING)

    async def serving_is(self, wanted: bool) -> None:
        """Wait until health says so."""
        async with asyncio.timeout(10):
            while await self.is_serving() != wanted:  # noqa: ASYNC110 - nothing in this process signals it
                await asyncio.sleep(0.05)

    async def judge(self) -> None:
        """After a kill exactly the acknowledged jobs exist, and the ledger adds up."""
        await self._server.kill()
        await self._server.start()
        async with grpc.aio.insecure_channel(self._server.address, options=IMPATIENT) as channel:
            stub: JobServiceAsyncStub = JobServiceStub(channel)
            found = (await stub.ListJobs(ListJobsRequest(page_size=1_000), timeout=30)).jobs
        assert {job.name: job.job_id for job in found} == self.acknowledged
        assert len(found) == len(self.acknowledged)
        assert await self._server.terminate() == 0


@contextlib.asynccontextmanager
async def served(server: Server) -> AsyncIterator[Caller]:
    async with server, grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel:
        caller = Caller(server, channel)
        assert await caller.create("before") == ("OK", "")
        yield caller


@pytest.fixture
def faulty(tmp_path: Path) -> tuple[Server, FaultyDisk]:
    server = Server(tmp_path / "server", workers=0, min_free_disk_bytes=0)
    disk = FaultyDisk(tmp_path, server.data)
    server.environment = disk.environment
    return server, disk


@needs_a_compiler
async def test_full_disk__refuses_and_keeps_serving(faulty: tuple[Server, FaultyDisk]) -> None:
    server, disk = faulty
    async with served(server) as caller:
        job_id = caller.acknowledged["before"]
        watcher = RawWatcher(server.address, job_id, after_sequence=0)
        watcher.start()
        await watcher.reached(1, 10)
        with disk.failing("full"):
            assert [await caller.create(f"full {number}") for number in range(5)] == [FULL] * 5
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await caller.files.CreateFile(CreateFileRequest(filename="a.txt", content=b"x"), timeout=10)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert (await caller.jobs.GetJob(GetJobRequest(job_id=job_id), timeout=10)).job.job_id == job_id
            assert await caller.is_serving()
        await caller.healed(*(f"full {number}" for number in range(5)))
        assert watcher.reconnects == 0
        await watcher.stop()
        await caller.judge()
        await judge_folder(server)


@needs_a_compiler
async def test_io_error__at_a_commit_is_told_and_healed(faulty: tuple[Server, FaultyDisk]) -> None:
    """Whether the change was stored is unknown; with the same request_id it has one effect.

    Calls that waited behind the failed commit are not lost: they run once the ledger is open again.
    """
    server, disk = faulty
    async with served(server) as caller:
        for fault in range(FAULTS):
            keys = [f"{fault}-{number}" for number in range(10)]
            with disk.failing("fsync"):
                calls = [asyncio.create_task(caller.create(key)) for key in keys]
                first, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
                assert {call.result() for call in first} == {UNAVAILABLE}
                await caller.serving_is(False)
                assert (await caller.jobs.ListJobs(ListJobsRequest(), timeout=10)).jobs, "reads go on"
            await caller.healed(*keys)
            assert set(await asyncio.gather(*calls)) <= {UNAVAILABLE, OK}
            await caller.serving_is(True)
        assert server.log().count("the ledger was reopened") == FAULTS
        await caller.judge()
        await judge_folder(server)


@needs_a_compiler
async def test_io_error__that_stays_ends_the_process(faulty: tuple[Server, FaultyDisk]) -> None:
    server, disk = faulty
    async with served(server) as caller:
        with disk.failing("fsync"):
            assert await caller.create("lost") == UNAVAILABLE
            assert await server.ended(20) == 1
        assert "reopening the ledger failed (5 of 5)" in server.log()
        await server.start()
        await caller.healed("lost")
        await caller.judge()


@needs_a_compiler
async def test_io_error__that_stays_ends_the_process_though_a_conversion_runs(tmp_path: Path) -> None:
    """It outlasts the grace, and the ledger does not take it back."""
    server = Server(tmp_path / "server", FAULTY, workers=1, min_free_disk_bytes=0, shutdown_grace_seconds=0.5)
    disk = FaultyDisk(tmp_path, server.data)
    server.environment = disk.environment
    async with served(server) as caller, AsyncClient(server.address) as client:
        watcher = RawWatcher(server.address, await start_job(client, [fault("spin")]), after_sequence=0)
        watcher.start()
        await watcher.saw(EventType.EVENT_TYPE_RECORD_CLAIMED, 1, seconds=10)
        with disk.failing("fsync"):
            assert await caller.create("lost") == UNAVAILABLE
            assert await server.ended(20) == 1
        assert "claims are given back by the next start" in server.log()
        await server.nothing_left()
        await watcher.stop()


@contextlib.contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another process' transaction."""
    foreign = sqlite3.connect(server.data / "ledger.sqlite3", isolation_level=None)
    try:
        foreign.execute("BEGIN IMMEDIATE")
        yield
    finally:
        foreign.close()


async def test_locked_ledger__is_waited_for(tmp_path: Path) -> None:
    async with served(Server(tmp_path / "server", workers=0)) as caller:
        with locked(caller._server):
            calls = [asyncio.create_task(caller.create(f"waits {number}")) for number in range(10)]
            done, _ = await asyncio.wait(calls, timeout=LOCKED_SECONDS)
            assert not done
            assert (await caller.jobs.ListJobs(ListJobsRequest(), timeout=10)).jobs, "reads go on"
        async with asyncio.timeout(HEALED_SECONDS):
            assert set(await asyncio.gather(*calls)) == {("OK", "")}


async def test_locked_ledger__for_too_long_is_told_and_healed(tmp_path: Path) -> None:
    async with served(Server(tmp_path / "server", workers=0, busy_timeout_seconds=0.5)) as caller:
        with locked(caller._server):
            assert await caller.create("refused") == UNAVAILABLE
            assert await caller.is_serving(), "the next one may be served"
        await caller.healed("refused")


async def test_small_disk__that_fills_up(tmp_path: Path) -> None:
    """The same without a shim: a file system of 24 MB, filled by somebody else."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(small_disk(tmp_path / "small", 24))
        except (PermissionError, FileNotFoundError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        async with served(Server(folder, workers=0, min_free_disk_bytes=0, log_level="ERROR")) as caller:
            filler = folder / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"x" * 4_096):
                    pass
            ended = [await caller.create(f"full {number}") for number in range(50)]
            assert set(ended) <= {FULL, ("OK", "")}, "room that the log has already is used up first"
            assert ended[-1] == FULL
            filler.unlink()
            await caller.healed(*(f"full {number}" for number in range(50)))
            await caller.judge()
