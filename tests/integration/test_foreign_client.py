"""A client that knows nothing of this project: `buf curl`, in plain text over HTTP/2, by reflection alone."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from ingest_grpc.model import Scope
from tests.integration.buf import buf
from tests.integration.serving import Server

REFLECTIONS = ["grpc-v1", "grpc-v1alpha"]
SERVICES = "ingest_grpc.v1"


@pytest.fixture
async def converting(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path / "data", converts=True, real_time=True, workers=1) as server:
        yield server


class Curl:
    """Calls a server by `buf curl`. `reflection` is the version of the reflection service that it has to use."""

    def __init__(self, server: Server, reflection: str, secret: str = "") -> None:
        self._server = server
        self._options = ["--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", reflection]
        if secret:
            header = f"Authorization: Bearer {secret}"
            self._options += ["--header", header, "--reflect-header", header]

    async def start(self, rpc: str, request: object = None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            str(buf()),
            "curl",
            *self._options,
            "--data",
            json.dumps(request or {}),
            f"http://{self._server.app.address}/{SERVICES}.{rpc}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def call(self, rpc: str, request: object = None) -> dict[str, Any]:
        process = await self.start(rpc, request)
        async with asyncio.timeout(20):
            out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        reply: dict[str, Any] = json.loads(out)
        return reply

    async def failure(self, rpc: str, request: object = None) -> dict[str, Any]:
        """The status of a call that must fail, as buf prints it."""
        process = await self.start(rpc, request)
        async with asyncio.timeout(20):
            out, errors = await process.communicate()
        assert process.returncode != 0, out.decode()
        text = errors.decode()
        status: dict[str, Any] = json.loads(text[text.index("{") :])
        return status


async def messages_of(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    """The messages of a stream, each as soon as it is printed."""
    assert process.stdout is not None
    decoder, text = json.JSONDecoder(), ""
    async for line in process.stdout:
        text += line.decode()
        try:
            message, end = decoder.raw_decode(text.lstrip())
        except json.JSONDecodeError:
            continue
        text = text.lstrip()[end:]
        yield message


@pytest.mark.parametrize("reflection", REFLECTIONS)
async def test_curl__ingests_documents_and_watches_them(converting: Server, reflection: str) -> None:
    curl = Curl(converting, reflection)
    content = base64.b64encode(b"A line of text.").decode()
    first, second = [
        (await curl.call("FileService/CreateFile", {"filename": name, "content": content}))["file"]["fileId"]
        for name in ("a.txt", "b.txt")
    ]
    job = (await curl.call("JobService/CreateJob", {"name": "curl", "jobType": "JOB_TYPE_CONTEXT_GROUNDED_FILES"}))[
        "job"
    ]
    watching = await curl.start(
        "JobService/WatchJob",
        {"jobId": job["jobId"], "afterSequence": "0", "kinds": ["WATCH_KIND_MILESTONE", "WATCH_KIND_RECORD"]},
    )
    stream = messages_of(watching)
    created = await anext(stream)  # streamed: it is here before anything else happened
    assert created["event"]["title"] == "Created"
    added = await curl.call(
        "JobService/AddFiles", {"jobId": job["jobId"], "files": [{"fileId": first}, {"fileId": second}]}
    )
    assert [result["outcome"] for result in added["results"]] == ["ADD_FILE_OUTCOME_ADDED"] * 2
    rest = [message async for message in stream]
    assert await watching.wait() == 0
    titles = [message["event"]["title"] for message in rest if "event" in message]
    assert titles.count("File Added") == titles.count("File Started") == titles.count("File Completed") == 2
    assert titles.index("File Processing Started") < titles.index("File Processing Completed")
    assert rest[-1]["end"]["reason"] == "WATCH_END_REASON_SETTLED"

    got = (await curl.call("JobService/GetJob", {"jobId": job["jobId"]}))["job"]
    assert got["status"] == "JOB_STATUS_READY_TO_START"
    [run] = got["ingestionJobs"]
    assert {"createdAt", "processingAt", "completedAt"} <= run["records"][0].keys()
    listed = await curl.call("JobService/ListJobs", {"pageSize": 1})
    assert [each["jobId"] for each in listed["jobs"]] == [job["jobId"]]
    text = await curl.call("FileService/ReadFile", {"fileId": run["records"][0]["outputFileId"]})
    assert "A line of text." in text["text"]


@pytest.mark.parametrize("reflection", REFLECTIONS)
async def test_curl__shows_the_details_of_an_error(server: Server, reflection: str) -> None:
    curl = Curl(server, reflection)
    status = await curl.failure("JobService/GetJob", {"jobId": "dj-1"})
    assert status["code"] == "invalid_argument"
    info, request = status["details"]
    assert (info["type"], request["type"]) == ("google.rpc.ErrorInfo", "google.rpc.BadRequest")
    decoded = ErrorInfo.FromString(unpadded(info["value"]))
    assert (decoded.reason, decoded.domain) == ("INVALID_ID", "ingest-grpc")
    [violation] = BadRequest.FromString(unpadded(request["value"])).field_violations
    assert violation.field == "job_id"


def unpadded(text: str) -> bytes:
    """Base64 as buf writes it."""
    return base64.b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
@pytest.mark.parametrize(
    "symbol",
    ["google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo", "ingest_grpc.v1.JobService.WatchJob"],
)
async def test_reflection__knows_what_other_tools_decode_with_it(server: Server, version: str, symbol: str) -> None:
    """grpcurl asks for the types of error details, and for methods, by their names."""
    ask: Any = server.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    [answer] = [each async for each in ask([ServerReflectionRequest(file_containing_symbol=symbol)])]
    described = [FileDescriptorProto.FromString(each) for each in answer.file_descriptor_response.file_descriptor_proto]
    assert any(symbol.startswith(f"{each.package}.") for each in described), answer


@pytest.mark.parametrize("reflection", REFLECTIONS)
async def test_curl__needs_the_same_key_for_reflection(server: Server, reflection: str) -> None:
    _, secret = await server.app.keys.create("team", "user", [Scope.READ])
    refused = await Curl(server, reflection).start("ServerService/GetServerInfo")
    await refused.communicate()
    assert refused.returncode != 0
    reply = await Curl(server, reflection, secret).call("ServerService/GetServerInfo")
    assert reply["ledgerId"]
