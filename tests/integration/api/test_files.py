"""FileService over a real channel, above all uploads that break."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest

from ingest_grpc.model import Caller, File, Mutation, NewFile, Request
from ingest_grpc.service.keys import LOCAL
from ingest_grpc.v1 import file_pb2
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.v1.file_service_pb2_grpc import FileServiceStub
from tests.integration.api.answers import failure_of
from tests.integration.api.conftest import Api

DATA = bytes(range(256)) * 20_000


def messages(header: pb.UploadFileHeader, data: bytes = DATA, chunk: int = 1_000_000) -> Iterator[pb.UploadFileRequest]:
    yield pb.UploadFileRequest(header=header)
    for start in range(0, len(data), chunk):
        yield pb.UploadFileRequest(data=data[start : start + chunk])


async def stored_files(api: Api) -> list[file_pb2.File]:
    return list((await api.files.ListFiles(pb.ListFilesRequest())).files)


async def download(api: Api, file_id: str, offset: int = 0, limit: int = 0) -> tuple[pb.DownloadStart, bytes]:
    call = api.files.DownloadFile(pb.DownloadFileRequest(file_id=file_id, offset=offset, limit=limit))
    received = [message async for message in call]
    return received[0].start, b"".join(message.data for message in received[1:])


async def test_upload__and_download(api: Api) -> None:
    sha256 = hashlib.sha256(DATA).hexdigest()
    header = pb.UploadFileHeader(
        filename="dir/big.bin", path="/mnt/big.bin", size_bytes=len(DATA), sha256=sha256, request_id="one"
    )
    uploaded = (await api.files.UploadFile(messages(header))).file
    start, data = await download(api, uploaded.file_id)

    assert (uploaded.filename, uploaded.path, uploaded.size_bytes) == ("big.bin", "/mnt/big.bin", len(DATA))
    assert (uploaded.sha256, start.file) == (sha256, uploaded)
    assert data == DATA


async def test_download__of_a_part(api: Api) -> None:
    file = await api.core.upload("a.txt", b"0123456789", caller=LOCAL)
    start, data = await download(api, file.file_id, offset=3, limit=4)

    assert (start.offset, data) == (3, b"3456")


async def test_read__text_is_not_split(api: Api) -> None:
    file = await api.core.upload("a.md", "aäöü".encode(), caller=LOCAL)
    reply = await api.files.ReadFile(pb.ReadFileRequest(file_id=file.file_id, limit=4))

    assert (reply.data, reply.text, reply.eof) == ("aä".encode(), "aä", False)


async def test_create_file__empty_content(api: Api) -> None:
    created = (await api.files.CreateFile(pb.CreateFileRequest(filename="empty.pdf"))).file

    assert (created.size_bytes, created.content_type) == (0, "application/pdf")


async def test_create_file__replay_is_told_in_the_trailer(api: Api) -> None:
    request = pb.CreateFileRequest(filename="a.txt", content=b"abc", request_id="one")
    first, second = api.files.CreateFile(request), api.files.CreateFile(request)

    assert (await first).file == (await second).file
    replayed = [dict(await call.trailing_metadata()).get("ingest-replayed") for call in (first, second)]
    assert sorted(replayed, key=str) == ["1", None]


async def test_upload__same_request_id_with_other_content_is_refused(api: Api) -> None:
    header = pb.UploadFileHeader(filename="a.txt", request_id="one")
    await api.files.UploadFile(messages(header, b"abc"))
    failure = await failure_of(api.files.UploadFile(messages(header, b"abd")))

    assert failure.reason == "REQUEST_ID_REUSED"
    assert len(await stored_files(api)) == 1


@pytest.mark.parametrize("announced", [{"sha256": "0" * 64}, {"size_bytes": 5}])
async def test_upload__that_is_not_what_it_announced_leaves_nothing(api: Api, announced: dict[str, str | int]) -> None:
    header = pb.UploadFileHeader(filename="a.txt", **announced)  # type: ignore[arg-type]
    failure = await failure_of(api.files.UploadFile(messages(header, b"abc")))

    assert failure.reason in {"SHA256_MISMATCH", "SIZE_MISMATCH"}
    assert not await stored_files(api)


HEADER = pb.UploadFileRequest(header=pb.UploadFileHeader(filename="a.txt"))


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ([], "message[0]"),
        ([pb.UploadFileRequest(data=b"x")], "message[0]"),
        ([HEADER, HEADER], "message[1]"),
        ([HEADER, pb.UploadFileRequest(data=b"x"), pb.UploadFileRequest()], "message[2]"),
    ],
)
async def test_upload__malformed_stream_leaves_nothing(
    api: Api, stream: list[pb.UploadFileRequest], field: str
) -> None:
    failure = await failure_of(api.files.UploadFile(iter(stream)))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_INVALID")
    assert failure.fields == [field]
    assert not await stored_files(api)


@pytest.fixture
def received(api: Api, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Is set when the service received a chunk of an upload."""
    event = asyncio.Event()
    upload = api.core.files.upload

    async def watched(
        caller: Caller, new: NewFile, chunks: AsyncIterable[bytes], request: Request | None
    ) -> Mutation[File]:
        async def seen() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                event.set()
                yield chunk

        return await upload(caller, new, seen(), request)

    monkeypatch.setattr(api.core.files, "upload", watched)
    return event


if TYPE_CHECKING:
    UploadCall = grpc.aio.StreamUnaryCall[pb.UploadFileRequest, pb.UploadFileResponse]


async def half_upload(channel: grpc.aio.Channel, received: asyncio.Event) -> "UploadCall":
    """An upload of which the service received something, but not the end."""
    received.clear()
    call: UploadCall = FileServiceStub(channel).UploadFile()
    await call.write(HEADER)
    await call.write(pb.UploadFileRequest(data=b"half of it"))
    await received.wait()
    return call


async def test_upload__cancelled_leaves_nothing(api: Api, received: asyncio.Event) -> None:
    """grpc.aio reports a cancelled stream as ended: half a file would be stored almost every time."""
    for _ in range(20):
        call = await half_upload(api.channel, received)
        call.cancel()
        await api.server.in_flight.wait()

    assert not await stored_files(api)


async def test_upload__broken_connection_leaves_nothing(api: Api, received: asyncio.Event) -> None:
    for _ in range(5):
        own = grpc.aio.insecure_channel(f"127.0.0.1:{api.port}", options=[("grpc.use_local_subchannel_pool", 1)])
        call = await half_upload(own, received)
        await own.close()
        await api.server.in_flight.wait()
        assert call.done()

    assert not await stored_files(api)


async def test_delete__file_of_a_job_only_by_force(api: Api) -> None:
    file = await api.core.upload(caller=LOCAL)
    added = await api.core.create(file, caller=LOCAL)
    refused = await failure_of(api.files.DeleteFile(pb.DeleteFileRequest(file_id=file.file_id)))
    deleted = await api.files.DeleteFile(pb.DeleteFileRequest(file_id=file.file_id, force=True))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FILE_IN_USE")
    assert list(deleted.job_ids) == [added.job.job.job_id]
    assert deleted.file.HasField("deleted_at")
