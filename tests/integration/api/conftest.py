from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import grpc.aio
import pytest

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.interceptors.rate import RateLimit
from ingest_grpc.api.server import GrpcServer
from ingest_grpc.api.servicers.file_service import FileServicer
from ingest_grpc.api.servicers.ingestion_service import IngestionServicer
from ingest_grpc.api.servicers.job_service import JobServicer
from ingest_grpc.api.servicers.knowledge_base_service import KnowledgeBaseServicer
from ingest_grpc.api.servicers.server_service import ServerServicer
from ingest_grpc.api.watch import WatchStreams, event_tail
from ingest_grpc.api.watch import feed as feed_of_jobs
from ingest_grpc.model import Caller, Engine, Method, ServerInfo, WatchRequest
from ingest_grpc.service.positions import ProgressFeed
from ingest_grpc.service.watch import Sources, WatchService
from ingest_grpc.service.watch_jobs import WatchJobsService
from ingest_grpc.service.watch_lag import WatchLag
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.v1.file_service_pb2_grpc import FileServiceStub
from ingest_grpc.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from ingest_grpc.v1.job_service_pb2_grpc import JobServiceStub
from ingest_grpc.v1.server_service_pb2_grpc import ServerServiceStub
from tests.factories import Core

Watch = Callable[[Caller, WatchRequest, Context], Awaitable[None]]
"""What WatchJob does with a request."""


async def server_info() -> ServerInfo:
    return ServerInfo(
        version="1.2.3",
        ledger_id="ledger",
        content_types=["application/pdf"],
        methods=list(Method),
        default_method=Method.SPEED_OPTIMIZED,
        engines=[Engine(name="fake", version="1")],
        protections={"seccomp": True, "landlock": False},
    )


def server_of(core: Core, watch: Watch | None = None, **settings: object) -> GrpcServer:
    """A server on a free port over the real services of a core; `watch` takes the place of the real WatchJob."""
    changed = core.settings.model_copy(update={"address": "127.0.0.1:0", **settings})
    feed = ProgressFeed(core.store, core.board, core.clock)
    limits = WatchLimits(
        per_job=changed.job_max_watchers, per_team=changed.team_max_watchers, per_server=changed.max_watchers
    )
    tail = event_tail(core.store, core.hub)
    sources = Sources(core.store, core.hub, tail, feed, core.clock, limits, WatchLag(core.clock))
    watches = WatchService(sources, rotate_seconds=1200.0)
    job_watches = WatchJobsService(
        core.store, core.hub, feed_of_jobs(core.store, core.hub), core.clock, limits, rotate_seconds=1200.0
    )
    streams = WatchStreams(watches, job_watches, core.clock, write_timeout_seconds=30.0)
    if watch is not None:
        streams.watch = watch  # type: ignore[method-assign, assignment]
    servicers = {
        "JobService": JobServicer(
            core.jobs, core.job_settings, core.retries, core.alignments, core.waits, streams, core.caches
        ),
        "FileService": FileServicer(core.file_services),
        "IngestionService": IngestionServicer(core.ingestion),
        "KnowledgeBaseService": KnowledgeBaseServicer(core.knowledge),
        "ServerService": ServerServicer(server_info, changed),
    }
    rate = RateLimit(changed.team_calls_per_second, core.clock.monotonic)
    return GrpcServer(changed, core.keys.authenticate, servicers, refusals=core.keys.refusals, rate=rate)


def raw(message: bytes) -> bytes:
    """Serializer of calls that send and receive bytes as they are."""
    return message


@dataclass
class Api:
    """A running server and a channel to it."""

    core: Core
    server: GrpcServer
    port: int
    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        self.jobs = JobServiceStub(self.channel)
        self.files = FileServiceStub(self.channel)
        self.ingestion = IngestionServiceStub(self.channel)
        self.info = ServerServiceStub(self.channel)


@pytest.fixture
async def api(core: Core) -> AsyncIterator[Api]:
    server = server_of(core)
    port = await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Api(core, server, port, channel)
    await server.stop(0)
