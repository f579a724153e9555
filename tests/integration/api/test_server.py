"""What the server does beside its calls: health, reflection, start and stop."""

import asyncio
import subprocess
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from ingest_grpc.api.interceptors import errors
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.server import AddressUnavailable, GrpcServer
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, WatchRequest
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.v1 import server_service_pb2
from ingest_grpc.v1.job_service_pb2_grpc import JobServiceStub
from tests.factories import Core
from tests.integration.api.answers import failure_of
from tests.integration.api.conftest import Api, Watch, raw, server_of

JOB_ID = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
Status = health_pb2.HealthCheckResponse.ServingStatus
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "ingest_grpc.v1.FileService",
    "ingest_grpc.v1.IngestionService",
    "ingest_grpc.v1.JobService",
    "ingest_grpc.v1.KnowledgeBaseService",
    "ingest_grpc.v1.ServerService",
]


async def check_health(channel: grpc.aio.Channel, service: str = "") -> int:
    check = channel.unary_unary("/grpc.health.v1.Health/Check", raw, raw)
    reply = await check(health_pb2.HealthCheckRequest(service=service).SerializeToString())
    return health_pb2.HealthCheckResponse.FromString(reply).status


async def reflect(
    channel: grpc.aio.Channel, version: str, request: reflection_pb2.ServerReflectionRequest
) -> reflection_pb2.ServerReflectionResponse:
    name = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    call = channel.stream_stream(name, raw, raw)(iter([request.SerializeToString()]))
    reply = await call.read()
    assert isinstance(reply, bytes)
    return reflection_pb2.ServerReflectionResponse.FromString(reply)


@pytest.mark.parametrize("service", ["", *SERVICES[3:]])
async def test_health__per_service(api: Api, service: str) -> None:
    assert await check_health(api.channel, service) == SERVING


async def test_health__unknown_service_is_not_found(api: Api) -> None:
    assert (await failure_of(check_health(api.channel, "nobody"))).code is grpc.StatusCode.NOT_FOUND


async def test_health__follows_what_the_server_can_do(api: Api) -> None:
    await api.server.set_serving(False)
    assert await check_health(api.channel) == NOT_SERVING
    await api.server.set_serving(True)
    assert await check_health(api.channel, "ingest_grpc.v1.JobService") == SERVING


async def test_health__is_not_serving_for_good_once_drained(api: Api) -> None:
    await api.server.drain()
    await api.server.set_serving(True)

    assert await check_health(api.channel) == NOT_SERVING


async def test_drain_and_stop__are_told_to_watchers_of_the_health(api: Api) -> None:
    watch = api.channel.unary_stream("/grpc.health.v1.Health/Watch", raw, raw)(b"")
    statuses = [await watch.read()]
    await api.server.drain()
    statuses.append(await watch.read())
    async with asyncio.timeout(5):
        await api.server.stop(60)
    failure = await failure_of(watch.read())

    expected = [health_pb2.HealthCheckResponse(status=status).SerializeToString() for status in (SERVING, NOT_SERVING)]
    assert statuses == expected
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")


async def test_stop__ends_idle_reflection(api: Api) -> None:
    call = api.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", raw, raw)()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString())
    await call.read()
    async with asyncio.timeout(5):
        await api.server.stop(60)

    assert (await failure_of(call.read())).reason == "SERVER_DRAINING"


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection__lists_services(api: Api, version: str) -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    reply = await reflect(api.channel, version, request)

    assert sorted(service.name for service in reply.list_services_response.service) == SERVICES


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
@pytest.mark.parametrize(
    "symbol",
    [
        "ingest_grpc.v1.JobService",
        "ingest_grpc.v1.KnowledgeBaseService",
        "ingest_grpc.v1.JobService.WatchJob",
        "ingest_grpc.v1.WatchJobResponse",
        "ingest_grpc.v1.FileRecord",
        "google.rpc.ErrorInfo",
        "grpc.reflection.v1.ServerReflection",
    ],
)
async def test_reflection__finds_symbols(api: Api, version: str, symbol: str) -> None:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    reply = await reflect(api.channel, version, request)

    assert reply.file_descriptor_response.file_descriptor_proto
    assert reply.original_request.file_containing_symbol == symbol


@pytest.mark.parametrize("symbol", ["ingest_grpc.v1.JobService.Nothing", "nothing", "", "."])
async def test_reflection__unknown_symbol_is_not_found(api: Api, symbol: str) -> None:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)

    assert (await reflect(api.channel, "v1", request)).error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_server_info(api: Api) -> None:
    info = await api.info.GetServerInfo(server_service_pb2.GetServerInfoRequest())

    assert (info.version, info.ledger_id, info.default_method) == ("1.2.3", "ledger", 1)
    assert (info.limits.max_create_file_bytes, info.limits.workers) == (2 * 1024 * 1024, 2)
    assert [(protection.name, protection.enforced) for protection in info.protections] == [
        ("seccomp", True),
        ("landlock", False),
    ]


@asynccontextmanager
async def serving(core: Core, watch: Watch) -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel]]:
    """A server whose WatchJob is `watch`, and a channel to it."""
    server = server_of(core, watch)
    port = await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            yield server, channel
        finally:
            await server.stop(0)


class Held:
    """A watch that runs until it is cancelled and then takes a moment to clean up."""

    def __init__(self) -> None:
        self.running = asyncio.Event()
        self.cleaned_up = False

    async def watch(self, _caller: Caller, _request: WatchRequest, _context: Context) -> None:
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(100):
                await asyncio.sleep(0)
            self.cleaned_up = True


async def test_stop__returns_after_the_last_handler_cleaned_up(core: Core) -> None:
    held = Held()
    async with serving(core, held.watch) as (server, channel):
        call = JobServiceStub(channel).WatchJob(pb.WatchJobRequest(job_id=JOB_ID))
        await held.running.wait()
        await server.stop(0)

        assert held.cleaned_up
        assert not len(server.in_flight)
        assert (await failure_of(call.read())).code is grpc.StatusCode.UNAVAILABLE


async def test_cancelled_call__ends_its_handler(core: Core) -> None:
    held = Held()
    async with serving(core, held.watch) as (server, channel):
        call = JobServiceStub(channel).WatchJob(pb.WatchJobRequest(job_id=JOB_ID))
        await held.running.wait()
        call.cancel()
        await server.in_flight.wait()

        assert held.cleaned_up


async def flood(_caller: Caller, _request: WatchRequest, context: Context) -> None:
    """Writes until the caller's buffers are full, and then gives up on it."""
    message = pb.WatchJobResponse(heartbeat=pb.WatchHeartbeat(ledger_id="x" * 100_000)).SerializeToString()
    try:
        while True:
            async with asyncio.timeout(0.2):
                await context.write(message)
    except TimeoutError:
        raise IngestError(Reason.WATCHER_TOO_SLOW, {"seconds": "0.2"}) from None


async def test_error__for_a_caller_who_does_not_read_does_not_hold_the_handler(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "SEND_SECONDS", 0.2)
    async with serving(core, flood) as (server, channel):
        call = JobServiceStub(channel).WatchJob(pb.WatchJobRequest(job_id=JOB_ID))
        await call.read()
        async with asyncio.timeout(5):
            await server.in_flight.wait()

        # The status still arrives once the caller reads on.
        failure = await failure_of(_read_all(call))
        assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "WATCHER_TOO_SLOW")


async def _read_all(call: "grpc.aio.UnaryStreamCall[Any, Any]") -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_start__address_in_use_is_an_error(api: Api) -> None:
    server = server_of(api.core, address=f"127.0.0.1:{api.port}")
    with pytest.raises(AddressUnavailable, match="cannot listen"):
        await server.start()


async def test_tls__serves_only_over_tls(core: Core, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subject = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *subject], check=True, capture_output=True)
    server = server_of(core, tls_certificate=certificate, tls_key=key)
    port = await server.start()
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
        assert await check_health(channel) == SERVING
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        assert (await failure_of(check_health(channel))).code is grpc.StatusCode.UNAVAILABLE
    await server.stop(0)


def refused_at_once(address: str, calls: int, most_waiting: int, refused: threading.Event) -> list[grpc.StatusCode]:
    """How calls to one method ended that were all made at once; tells when no more than `most_waiting` wait."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary("/ingest_grpc.v1.ServerService/GetServerInfo", raw, raw)
        made = [call.future(b"", timeout=10) for _ in range(calls)]

        def look(_: object) -> None:
            if sum(each.done() for each in made) >= calls - most_waiting:
                refused.set()

        for one in made:
            one.add_done_callback(look)
        return [one.code() for one in made]


async def test_waiting_calls__beyond_the_limit_are_refused_before_anybody_looks_at_them(core: Core) -> None:
    limit, taken_already = 5, 2
    server = server_of(core, max_pending_requests=limit)
    address = f"127.0.0.1:{await server.start()}"
    refused = threading.Event()
    calling = asyncio.get_running_loop().run_in_executor(
        None, refused_at_once, address, 20, limit + taken_already, refused
    )
    assert refused.wait(10), "the event loop stands still meanwhile"
    codes = Counter(await calling)
    await server.stop(0)
    assert codes.keys() == {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}
    assert limit <= codes[grpc.StatusCode.OK] <= limit + taken_already
