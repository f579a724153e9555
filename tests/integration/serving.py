"""A whole server in this process, as its callers meet it: on a port of its own, through raw stubs."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import grpc
import grpc.aio

from ingest_grpc.app import App
from ingest_grpc.blobs.hold import LOCK
from ingest_grpc.clock import ManualClock
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.hub import Signal
from ingest_grpc.lifecycle import Step
from ingest_grpc.model import Engine, RecordError
from ingest_grpc.service.work import Done, Failed, Retry
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.v1.file_pb2 import File
from ingest_grpc.v1.file_service_pb2 import CreateFileRequest
from ingest_grpc.v1.file_service_pb2_grpc import FileServiceStub
from ingest_grpc.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from ingest_grpc.v1.job_pb2 import Job, JobType
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, CreateJobRequest, FileToAdd
from ingest_grpc.v1.job_service_pb2_grpc import JobServiceStub
from ingest_grpc.v1.knowledge_base_service_pb2_grpc import KnowledgeBaseServiceStub
from ingest_grpc.v1.server_service_pb2_grpc import ServerServiceStub
from ingest_grpc.worker.executors.interface import Executor
from ingest_grpc.worker.runner import output_key
from tests.executors import FakeExecutor

if TYPE_CHECKING:  # the generated stubs make these when they are given an asynchronous channel
    from ingest_grpc.v1.file_service_pb2_grpc import FileServiceAsyncStub
    from ingest_grpc.v1.ingestion_service_pb2_grpc import IngestionServiceAsyncStub
    from ingest_grpc.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from ingest_grpc.v1.knowledge_base_service_pb2_grpc import KnowledgeBaseServiceAsyncStub
    from ingest_grpc.v1.server_service_pb2_grpc import ServerServiceAsyncStub

GROUNDED = JobType.JOB_TYPE_CONTEXT_GROUNDED_FILES
WORKER = "worker-1"


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Lets others run until the condition holds. For states of this process that nothing signals."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


class Server:
    """Starts and stops an App in `folder`.

    Unless it `converts` for real, with workers of its own, records move by `claim` and `succeed`. Unless it runs in
    `real_time`, its clock stands still until `pass_time` moves it. `restart` does what a restart of the process does.
    """

    def __init__(
        self,
        folder: Path,
        *,
        executor: Executor | None = None,
        real_time: bool = False,
        converts: bool = False,
        **settings: Any,
    ) -> None:
        defaults = {"address": "127.0.0.1:0", "workers": 0, "min_free_disk_bytes": 0, "shutdown_grace_seconds": 0.0}
        self.settings = Settings.model_validate({**defaults, **settings, "data_dir": folder})
        self.clock = ManualClock()
        self._real_time = real_time
        self._executor = executor if converts else executor or FakeExecutor()
        self.app = self._new_app()
        self._stack = AsyncExitStack()

    def _new_app(self) -> App:
        clock = None if self._real_time else self.clock
        return App(self.settings, clock=clock, executor=self._executor)

    async def __aenter__(self) -> Self:
        await self.app.start()
        self._connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()
        await self.app.stop()

    async def restart(self) -> None:
        """At another port: the stubs are new as well."""
        await self._stack.aclose()
        await self.app.stop()
        self.app = self._new_app()
        await self.app.start()
        self._connect()

    def _connect(self) -> None:
        self.channel = self.new_channel()
        self.jobs: JobServiceAsyncStub = JobServiceStub(self.channel)
        self.files: FileServiceAsyncStub = FileServiceStub(self.channel)
        self.ingestion: IngestionServiceAsyncStub = IngestionServiceStub(self.channel)
        self.knowledge: KnowledgeBaseServiceAsyncStub = KnowledgeBaseServiceStub(self.channel)
        self.info: ServerServiceAsyncStub = ServerServiceStub(self.channel)

    def new_channel(self, **options: int) -> grpc.aio.Channel:
        """A connection of its own, closed with the server. Options without the prefix "grpc."; `__` stands for "."."""
        given = {"use_local_subchannel_pool": 1, **options}
        arguments = [(f"grpc.{name.replace('__', '.')}", value) for name, value in given.items()]
        channel = grpc.aio.insecure_channel(self.app.address, options=arguments)
        self._stack.push_async_callback(channel.close)
        return channel

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    async def pass_time(self, seconds: float) -> None:
        """Moves the clock once every watcher sleeps, and wakes those whose time has come."""
        await self.quiet()
        self.clock.advance(seconds)
        self.app.hub.tick(self.clock.monotonic())
        self.app.streams.tick()

    async def quiet(self) -> None:
        """Every watcher has been sent everything and sleeps."""

        def sleeps(signal: Signal) -> bool:
            return signal._waiter is not None and not signal._waiter.done() and not signal._set

        await until(lambda: all(map(sleeps, chain.from_iterable(self.app.hub._signals.values()))))

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    async def upload(self, filename: str, content: bytes | None = None, content_type: str = "") -> File:
        """A file whose bytes are its name unless given."""
        content = filename.encode() if content is None else content
        request = CreateFileRequest(filename=filename, content=content, content_type=content_type)
        return (await self.files.CreateFile(request)).file

    async def job(self, *filenames: str) -> Job:
        """A new job with files of these names."""
        files = [FileToAdd(file_id=(await self.upload(name)).file_id) for name in filenames]
        return (await self.jobs.CreateJob(CreateJobRequest(name="job", job_type=GROUNDED, files=files))).job

    async def add(self, job: Job, *filenames: str) -> None:
        files = [FileToAdd(file_id=(await self.upload(name)).file_id) for name in filenames]
        await self.jobs.AddFiles(AddFilesRequest(job_id=job.job_id, files=files))

    async def finished_job(self, *filenames: str) -> Job:
        """A job whose files were all converted."""
        job = await self.job(*filenames)
        for claim in await self.claim(len(filenames)):
            await self.succeed(claim)
        return job

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    async def claim(self, limit: int = 1) -> list[RecordRow]:
        """Records, where nothing else can be claimed."""
        claims = await self.app.work.claim(WORKER, limit)
        return [claim for claim in claims if isinstance(claim, RecordRow)]

    async def succeed(self, claim: RecordRow) -> None:
        """Stores an output and reports it, as the runner does."""
        async with self.app.blobs.writer(output_key(claim)) as writer:
            await writer.write(b"# Title\n")
            stored = await writer.commit()
        assert await self.app.work.finish(claim, Done(stored, Engine(name="fake", version="1"), 1))
        await self.app.blobs.settle(stored.key)

    async def fail(self, claim: RecordRow, reason: Reason = Reason.PDF_UNREADABLE) -> None:
        assert await self.app.work.finish(claim, Failed(RecordError(reason=reason, step=Step.PARSE)))

    async def give_back(self, claim: RecordRow) -> None:
        error = RecordError(reason=Reason.SERVICE_UNAVAILABLE, step=Step.PARSE)
        assert await self.app.work.finish(claim, Retry(error, 60.0))

    # ── what is left ───────────────────────────────────────────────────────────────────────────────────

    def belongings(self) -> dict[str, object]:
        """All rows by table, and all files of the blobs: what a refused call must leave as it was."""
        with closing(sqlite3.connect(f"file:{self.settings.ledger_path}?mode=ro", uri=True)) as ledger:
            tables = [row[0] for row in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows: dict[str, object] = {name: ledger.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
        blobs = self.settings.data_dir / "blobs"
        # By name, and not by path: a blob has a second one until a moment after it was settled.
        rows["on disk"] = sorted({path.name for path in blobs.rglob("*") if path.is_file()} - {LOCK})
        return rows

    def change(self, sql: str, parameters: Iterable[object] = ()) -> None:
        """Changes the ledger behind the server's back, as compaction and restore will."""
        with closing(sqlite3.connect(self.settings.ledger_path, isolation_level=None)) as ledger:
            ledger.execute(sql, tuple(parameters))
