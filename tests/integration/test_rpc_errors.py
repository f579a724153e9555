"""Every RPC's answers to bad input, over a real channel: the status, its details, and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from ingest_grpc.errors import CATALOGUE, DOMAIN, Code, Reason
from ingest_grpc.v1.file_service_pb2 import CreateFileRequest, UploadFileHeader, UploadFileRequest
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, CancelJobRequest, CreateJobRequest, RemoveFilesRequest
from tests.integration.calling import RPCS, Failure, Sent, call, failure
from tests.integration.errors.of_jobs import add
from tests.integration.errors.row import Row
from tests.integration.errors.table import ROWS, SETTINGS
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.world import World, build_world
from tests.reaching import EVERY_RPC, reaches

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERBS = ("Get", "List", "Read", "Download", "Watch", "Wait", "Search")
READING = {rpc for rpc in RPCS if rpc.split("/")[1].startswith(VERBS)}
ALWAYS_IN_METADATA = {"suggested_fix", "retryable"}
DETAILS = {
    "FAILED_PRECONDITION": "PreconditionFailure",
    "RESOURCE_EXHAUSTED": "QuotaFailure",
    "NOT_FOUND": "ResourceInfo",
    "ALREADY_EXISTS": "ResourceInfo",
}
"""What a status of each code says beside its ErrorInfo."""

UPLOAD = "/ingest_grpc.v1.FileService/UploadFile"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with Server(tmp_path_factory.mktemp("errors"), **SETTINGS) as server:
        yield await build_world(server)


def assert_is(found: Failure, reason: Reason) -> None:
    """The status is that of the catalogue, complete, and small enough for every client."""
    entry = CATALOGUE[reason]
    assert found.reason == reason
    assert found.code.name == entry.code
    assert found.info.domain == DOMAIN
    assert found.info.metadata["suggested_fix"] == entry.suggested_fix.format_map(found.info.metadata)
    assert found.info.metadata["retryable"] == str(entry.retryable).lower()
    assert found.message.startswith(entry.message.format_map(found.info.metadata)), "the metadata holds what varies"
    assert 0 < found.size_bytes <= 4_096
    assert DETAILS.get(entry.code.name, "ErrorInfo") in found.kinds
    if entry.code is Code.RESOURCE_EXHAUSTED and entry.retryable:
        assert "RetryInfo" in found.kinds, "when to come back"


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_row(world: World, row: Row) -> None:
    sent = row.requests(world)
    requests: Sequence[Sent] = sent if isinstance(sent, list) else [sent]  # type: ignore[list-item]
    before = world.server.belongings()
    found = await failure(world.channel, row.rpc, *requests, secret=world.key)
    assert_is(found, row.reason)
    assert list(found.fields) == list(row.fields)
    assert ALWAYS_IN_METADATA | row.metadata.keys() <= found.info.metadata.keys()
    for key, value in row.metadata.items():
        assert value in ("", found.info.metadata[key])
    assert world.server.belongings() == before


async def test_table__has_rows_for_every_rpc_that_can_be_called_wrongly() -> None:
    assert {row.rpc for row in ROWS} == RPCS.keys() - {"ServerService/GetServerInfo"}
    assert len({str(row) for row in ROWS}) == len(ROWS)


# ── credentials ────────────────────────────────────────────────────────────────────────────────────────────────────


@reaches(Reason.CREDENTIALS_MISSING, EVERY_RPC, "no API key, where the server has any")
@reaches(Reason.CREDENTIALS_INVALID, EVERY_RPC, "an unknown or revoked API key")
@reaches(Reason.SCOPE_MISSING, EVERY_RPC, "a key that may read and not write, where something would be written")
@pytest.mark.parametrize("rpc", RPCS)
async def test_credentials__are_judged_before_the_request_is_read(world: World, rpc: str) -> None:
    before = world.server.belongings()
    garbage = b"\xff\xff\xff"
    assert_is(await failure(world.channel, rpc, garbage), Reason.CREDENTIALS_MISSING)
    for secret in ("igk_made-up", world.revoked_key):
        assert_is(await failure(world.channel, rpc, garbage, secret=secret), Reason.CREDENTIALS_INVALID)
    if rpc not in READING:
        found = await failure(world.channel, rpc, garbage, secret=world.read_key)
        assert_is(found, Reason.SCOPE_MISSING)
        assert found.info.metadata["scope"] == "write"
    assert world.server.belongings() == before


@reaches(Reason.INVALID_FIELD, EVERY_RPC, "bytes that are no message")
@pytest.mark.parametrize("rpc", RPCS)
async def test_garbage__is_an_invalid_request(world: World, rpc: str) -> None:
    found = await failure(world.channel, rpc, b"\xff\xff\xff", secret=world.key)
    assert_is(found, Reason.INVALID_FIELD)
    assert found.fields == ["request"]


@reaches(Reason.METHOD_NOT_FOUND, EVERY_RPC, "a method that does not exist")
@pytest.mark.parametrize("name", ["JobService/StopJob", "JobService/", "NoService/GetJob"])
async def test_method__that_does_not_exist(world: World, name: str) -> None:
    assert_is(await failure(world.channel, "JobService/GetJob", b"", name=name), Reason.CREDENTIALS_MISSING)
    found = await failure(world.channel, "JobService/GetJob", b"", name=name, secret=world.key)
    assert_is(found, Reason.METHOD_NOT_FOUND)
    assert found.info.metadata["method"] == f"/ingest_grpc.v1.{name}"


async def test_message__above_the_transport_limit_is_refused_without_details(world: World) -> None:
    before = world.server.belongings()
    request = CreateFileRequest(filename="a.pdf", content=bytes(5 * 2**20))
    found = await failure(world.channel, "FileService/CreateFile", request, secret=world.key)
    assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "")
    assert world.server.belongings() == before


# ── request ids ────────────────────────────────────────────────────────────────────────────────────────────────────

REPLAYED = ("ingest-replayed", "1")


def mutations(world: World, other_job_id: str, variant: str) -> dict[str, list[Sent]]:
    """One request per mutation that takes a request_id; another variant is another payload."""
    request_id = "id-1"
    name = f"{variant}.pdf"
    return {
        "FileService/CreateFile": [CreateFileRequest(filename=name, content=b"same", request_id=request_id)],
        "FileService/UploadFile": [
            UploadFileRequest(header=UploadFileHeader(filename="u.pdf", request_id=request_id)),
            UploadFileRequest(data=name.encode()),
        ],
        "JobService/CreateJob": [CreateJobRequest(name=name, job_type=GROUNDED, request_id=request_id)],
        "JobService/AddFiles": [
            AddFilesRequest(
                job_id=world.job_id,
                files=add(world.unused_file_ids[0]),
                allow_partial=variant == "second",
                request_id=request_id,
            )
        ],
        "JobService/RemoveFiles": [
            RemoveFilesRequest(
                job_id=world.job_id,
                file_ids=[world.unused_file_ids[0], *([world.file_id] if variant == "second" else [])],
                request_id=request_id,
            )
        ],
        "JobService/CancelJob": [
            CancelJobRequest(job_id=world.job_id if variant == "first" else other_job_id, request_id=request_id)
        ],
    }


async def test_request_id__replays_and_refuses_another_payload(tmp_path: Path) -> None:
    """Also over a restart of the server."""
    async with Server(tmp_path / "data", **SETTINGS) as server:
        world = await build_world(server)
        created: Any = await call(
            server.channel, "JobService/CreateJob", CreateJobRequest(name="other", job_type=GROUNDED), secret=world.key
        )
        other = created.messages[0].job.job_id
        replies = {}
        for rpc, requests in mutations(world, other, "first").items():
            replies[rpc] = await call(server.channel, rpc, *requests, secret=world.key)
            assert REPLAYED not in replies[rpc].trailers.items()
        await server.restart()
        before = server.belongings()
        for rpc, requests in mutations(world, other, "first").items():
            again = await call(server.channel, rpc, *requests, secret=world.key)
            assert REPLAYED in again.trailers.items()
            assert results_of(again.messages[0]) == results_of(replies[rpc].messages[0])
        for rpc, requests in mutations(world, other, "second").items():
            found = await failure(server.channel, rpc, *requests, secret=world.key)
            assert_is(found, Reason.REQUEST_ID_REUSED)
            assert found.fields == ["request_id"]
            assert found.info.metadata["request_id"] == "id-1"
        assert server.belongings() == before


def results_of(message: object) -> list[object]:
    """What a replay repeats: ids and per-item results. The resource itself is the current one."""
    names = ("results", "ingestion_job_id", "records_cancelled", "file")
    ids = [getattr(getattr(message, "job", None), "job_id", "")]
    return ids + [getattr(message, name) for name in names if hasattr(message, name)]


async def test_request_id__of_a_call_that_failed_can_be_used_again(world: World) -> None:
    wrong = CreateFileRequest(filename="a.pdf", content=b"x", sha256="0" * 64, request_id="failed")
    assert_is(await failure(world.channel, "FileService/CreateFile", wrong, secret=world.key), Reason.SHA256_MISMATCH)
    right = CreateFileRequest(filename="a.pdf", content=b"x", request_id="failed")
    await call(world.channel, "FileService/CreateFile", right, secret=world.key)


async def test_request_id__belongs_to_a_team(world: World) -> None:
    for secret, content in ((world.key, b"ours"), (world.their_key, b"theirs")):
        request = CreateFileRequest(filename="a.pdf", content=content, request_id="shared")
        reply = await call(world.channel, "FileService/CreateFile", request, secret=secret)
        assert REPLAYED not in reply.trailers.items()


# ── uploads that break ─────────────────────────────────────────────────────────────────────────────────────────────


async def upload_half(server: Server, channel: grpc.aio.Channel) -> "grpc.aio.StreamUnaryCall[bytes, bytes]":
    """An upload of which the server has received the header and a megabyte, and stored them."""
    open_stream: Any = channel.stream_unary(UPLOAD)
    stream: grpc.aio.StreamUnaryCall[bytes, bytes] = open_stream()
    await stream.write(UploadFileRequest(header=UploadFileHeader(filename="half.pdf")).SerializeToString())
    await stream.write(UploadFileRequest(data=bytes(2**20)).SerializeToString())
    staging = server.settings.data_dir / "blobs" / "staging"
    await until(lambda: any(path.stat().st_size for path in staging.iterdir()))
    return stream


@pytest.mark.parametrize("how", ["cancelled", "connection lost"])
async def test_upload__cut_in_the_middle_leaves_nothing(tmp_path: Path, how: str) -> None:
    async with Server(tmp_path / "data") as server:
        before = server.belongings()
        channel = server.new_channel()
        stream = await upload_half(server, channel)
        if how == "cancelled":
            stream.cancel()
        else:
            await channel.close()
        await until(lambda: not len(server.app.server.in_flight))
        await until(lambda: server.belongings() == before)


async def test_upload__cut_by_a_shutdown_leaves_nothing(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server:
        before = server.belongings()
        _stream = await upload_half(server, server.new_channel())
        await server.app.stop()
        assert server.belongings() == before


@reaches(Reason.STORAGE_FULL, EVERY_RPC, "a full disk, where something would be written")
async def test_upload__on_a_full_disk_is_refused(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", min_free_disk_bytes=2**60) as server:
        before = server.belongings()
        found = await failure(server.channel, "FileService/CreateFile", CreateFileRequest(filename="a.pdf"))
        assert_is(found, Reason.STORAGE_FULL)
        assert server.belongings() == before


@reaches(Reason.INTERNAL, EVERY_RPC, "a defect of the service; `call_id` finds it in the log")
async def test_defect__of_the_service_tells_the_caller_nothing_but_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("a secret of the inside")

    async with Server(tmp_path / "data") as server:
        monkeypatch.setattr(server.app.jobs, "cancel", broken)
        request = CancelJobRequest(job_id="dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d")
        found = await failure(server.channel, "JobService/CancelJob", request)
        assert_is(found, Reason.INTERNAL)
        assert found.info.metadata["call_id"]
        assert "secret" not in str(found)
        # And the server serves on.
        await asyncio.gather(*(call(server.channel, "ServerService/GetServerInfo", b"") for _ in range(5)))
