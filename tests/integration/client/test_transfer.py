import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.client import AsyncClient, Client, ClientClosed, IngestCallError
from ingest_grpc.client.messages import (
    DownloadFileRequest,
    DownloadFileResponse,
    DownloadStart,
    File,
    GetFileRequest,
    GetFileResponse,
    UploadFileRequest,
    UploadFileResponse,
)
from ingest_grpc.client.sources import CHUNK_BYTES
from tests.integration.client.network import Context, Network

Use = Callable[..., Awaitable[Any]]

CONTENT = bytes(range(256)) * (CHUNK_BYTES // 256) * 5 + b"the rest"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
STORED = File(file_id="file-1", size_bytes=len(CONTENT), sha256=SHA256)


@pytest.fixture(params=["async", "blocking"])
def use(request: pytest.FixtureRequest, client: AsyncClient, blocking: Client) -> Use:
    """Calls a method by name, with the one client or the other."""

    async def asynchronously(method: str, *args: Any, **options: Any) -> Any:
        return await getattr(client, method)(*args, **options)

    async def in_a_thread(method: str, *args: Any, **options: Any) -> Any:
        return await asyncio.to_thread(getattr(blocking, method), *args, **options)

    return asynchronously if request.param == "async" else in_a_thread


async def store(requests: AsyncIterator[UploadFileRequest], _context: Context) -> UploadFileResponse:
    header = (await anext(requests)).header
    content = b"".join([request.data async for request in requests])
    assert (header.size_bytes, header.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return UploadFileResponse(file=STORED)


async def test_upload__a_path_arrives_whole(network: Network, use: Use, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(CONTENT)
    network.uploads = [store]
    seen: list[int] = []
    assert await use("upload", path, on_progress=lambda done, total: seen.append(done)) == STORED
    assert seen[-1] == len(CONTENT)
    assert seen == sorted(seen)


async def test_upload__is_repeated_after_a_cut(network: Network, use: Use) -> None:
    async def cut(requests: AsyncIterator[UploadFileRequest], context: Context) -> UploadFileResponse:
        ids.append((await anext(requests)).header.request_id)
        await anext(requests)
        await network.abort(context, "UNAVAILABLE")
        raise AssertionError

    async def accept(requests: AsyncIterator[UploadFileRequest], context: Context) -> UploadFileResponse:
        header = await anext(requests)
        ids.append(header.header.request_id)

        async def all_requests() -> AsyncIterator[UploadFileRequest]:
            yield header
            async for request in requests:
                yield request

        return await store(all_requests(), context)

    ids: list[str] = []
    network.uploads = [cut, cut, accept]
    assert await use("upload", CONTENT, filename="large.bin") == STORED
    assert len(ids) == 3
    assert len(set(ids)) == 1


async def test_upload__a_refusal_in_the_middle_is_told_as_it_is(network: Network, use: Use) -> None:
    async def refuse(requests: AsyncIterator[UploadFileRequest], context: Context) -> UploadFileResponse:
        await anext(requests)
        await network.abort(context, "INVALID_ARGUMENT", "FILE_TOO_LARGE")
        raise AssertionError

    for _ in range(10):  # whether the client is just writing when the refusal arrives is up to chance
        network.uploads = [refuse]
        with pytest.raises(IngestCallError) as raised:
            await use("upload", CONTENT * 4, filename="large.bin")
        assert raised.value.reason == "FILE_TOO_LARGE"


async def test_upload__an_answer_before_the_end_is_taken(network: Network, use: Use) -> None:
    async def known_already(requests: AsyncIterator[UploadFileRequest], _context: Context) -> UploadFileResponse:
        await anext(requests)
        return UploadFileResponse(file=STORED)

    for _ in range(10):
        network.uploads = [known_already]
        assert await use("upload", CONTENT * 4, filename="large.bin") == STORED


class BreakingFile:
    """A file that can be read once, for its digest, and fails in the middle of the second time."""

    name = "a.bin"

    def __init__(self) -> None:
        self.position = 0
        self.rewinds = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> None:
        self.position = position
        self.rewinds += 1

    def read(self, size: int) -> bytes:
        if self.rewinds > 1 and self.position:
            raise OSError("the disk is gone")
        start, self.position = self.position, min(self.position + size, len(CONTENT))
        return CONTENT[start : self.position]


async def test_upload__an_error_of_the_disk_reaches_caller_and_server(network: Network, use: Use) -> None:
    cut = asyncio.Event()

    async def receive(requests: AsyncIterator[UploadFileRequest], context: Context) -> UploadFileResponse:
        try:
            return await store(requests, context)
        except BaseException:
            cut.set()
            raise

    network.uploads = [receive]
    with pytest.raises(OSError, match="the disk is gone"):
        await use("upload", BreakingFile())
    await network.ended.wait()
    assert cut.is_set()


async def test_upload__cancelling_the_task_ends_it(network: Network, client: AsyncClient) -> None:
    started = asyncio.Event()

    async def hang(requests: AsyncIterator[UploadFileRequest], _context: Context) -> UploadFileResponse:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    network.uploads = [hang]
    task = asyncio.create_task(client.upload(CONTENT, filename="large.bin"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await network.ended.wait()


def serve(network: Network, pieces: int | None) -> Callable[..., AsyncIterator[DownloadFileResponse]]:
    """Sends so many pieces of 1 MiB from the offset asked for, then breaks; None = all of them."""

    async def script(request: DownloadFileRequest, context: Context) -> AsyncIterator[DownloadFileResponse]:
        yield DownloadFileResponse(start=DownloadStart(file=STORED, offset=request.offset))
        offsets = range(request.offset, len(CONTENT), CHUNK_BYTES)
        for offset in offsets[:pieces]:
            yield DownloadFileResponse(data=CONTENT[offset : offset + CHUNK_BYTES])
        if pieces is not None:
            await network.abort(context, "UNAVAILABLE")

    return script


async def test_download__goes_on_where_it_broke(network: Network, use: Use, tmp_path: Path) -> None:
    network.downloads = [serve(network, 2), serve(network, 0), serve(network, 1), serve(network, None)]
    target = tmp_path / "copy.bin"
    assert await use("download", "file-1", target) == STORED
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]
    assert [request.offset // CHUNK_BYTES for request in network.requests] == [0, 2, 2, 3]


async def test_download__leaves_nothing_when_it_fails(network: Network, use: Use, tmp_path: Path) -> None:
    async def refuse(request: DownloadFileRequest, context: Context) -> AsyncIterator[DownloadFileResponse]:
        yield DownloadFileResponse(start=DownloadStart(file=STORED))
        yield DownloadFileResponse(data=CONTENT[:CHUNK_BYTES])
        await network.abort(context, "UNAUTHENTICATED", "CREDENTIALS_INVALID")

    network.downloads = [refuse]
    with pytest.raises(IngestCallError, match="CREDENTIALS_INVALID"):
        await use("download", "file-1", tmp_path / "copy.bin")
    assert list(tmp_path.iterdir()) == []


async def test_call__waits_for_a_server_that_is_away(network: Network, use: Use) -> None:
    async def answer(request: GetFileRequest, _context: Context) -> GetFileResponse:
        return GetFileResponse(file=File(file_id=request.file_id))

    network.get_files = [answer]
    await network.stop()
    calling = asyncio.ensure_future(use("get_file", "file-7"))
    await asyncio.sleep(0)
    await network.start()
    assert (await calling).file_id == "file-7"


async def test_call__carries_the_key(network: Network) -> None:
    async def answer(_request: GetFileRequest, context: Context) -> GetFileResponse:
        metadata = dict(context.invocation_metadata() or ())
        return GetFileResponse(file=File(file_id=str(metadata["authorization"])))

    network.get_files = [answer, answer]
    async with AsyncClient(network.target, api_key="secret") as client:
        assert (await client.get_file("x")).file_id == "Bearer secret"

    def blocking() -> File:
        with Client(network.target, api_key="secret") as client:
            return client.get_file("x")

    assert (await asyncio.to_thread(blocking)).file_id == "Bearer secret"


async def test_closed_client__says_so(client: AsyncClient) -> None:
    await client.aclose()
    with pytest.raises(ClientClosed):
        await client.get_file("file-1")
