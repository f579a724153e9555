import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_grpc.client.effects import Operation
from ingest_grpc.client.errors import ClientError, ContentMismatch, IngestCallError, ProtocolError
from ingest_grpc.client.messages import (
    CreateFileResponse,
    DownloadFileRequest,
    DownloadFileResponse,
    DownloadStart,
    File,
    FileKind,
    ListFilesResponse,
    ReadFileRequest,
    ReadFileResponse,
    UploadFileRequest,
    UploadFileResponse,
)
from ingest_grpc.client.operations import files
from ingest_grpc.client.sources import CHUNK_BYTES
from tests.unit.client.world import World, failure, script

STORED = File(file_id="file-1")
SMALL = b"# Title\n"
LARGE = bytes(range(256)) * (CHUNK_BYTES // 256) * 2 + b"the rest"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sent_content(requests: list[UploadFileRequest]) -> bytes:
    return b"".join(request.data for request in requests[1:])


def test_upload__a_small_file_goes_in_one_call() -> None:
    world = World(CreateFile=script(CreateFileResponse(file=STORED)))
    seen: list[tuple[int, int]] = []
    file = world.run(
        files.upload(world.session, SMALL, filename="a.md", on_progress=lambda done, total: seen.append((done, total)))
    )
    assert file == STORED
    request = world.requests[0]
    assert (request.filename, request.content, request.sha256) == ("a.md", SMALL, sha256(SMALL))
    assert request.request_id == "request-1"
    assert seen == [(8, 8)]


def test_upload__a_large_file_is_streamed_with_its_digest() -> None:
    world = World(UploadFile=script(UploadFileResponse(file=STORED)))
    seen: list[int] = []
    world.run(
        files.upload(
            world.session,
            LARGE,
            filename="a.bin",
            path="docs/a.bin",
            content_type="text/plain",
            on_progress=lambda done, total: seen.append(done),
        )
    )
    (requests,) = world.requests
    header = requests[0].header
    assert (header.filename, header.path, header.content_type) == ("a.bin", "docs/a.bin", "text/plain")
    assert (header.size_bytes, header.sha256) == (len(LARGE), sha256(LARGE))
    assert sent_content(requests) == LARGE
    assert max(len(request.data) for request in requests) == CHUNK_BYTES
    assert seen == [0, CHUNK_BYTES, 2 * CHUNK_BYTES, len(LARGE)]


def test_upload__is_repeated_whole_under_the_same_request_id() -> None:
    world = World(UploadFile=script(failure(), UploadFileResponse(file=STORED)))
    source = io.BytesIO(b"not this" + LARGE)
    source.seek(8)
    assert world.run(files.upload(world.session, source, filename="a.bin")) == STORED
    first, second = world.requests
    assert first == second
    assert sent_content(second) == LARGE
    assert not source.closed


def test_upload__gives_up_after_its_attempts() -> None:
    def refuse(_request: object) -> None:
        raise failure()

    world = World(UploadFile=refuse)
    with pytest.raises(IngestCallError):
        world.run(files.upload(world.session, LARGE, filename="a.bin"))
    assert len(world.requests) == files.UPLOAD_ATTEMPTS


def test_upload__needs_a_name() -> None:
    world = World()
    with pytest.raises(ValueError, match="needs filename="):
        world.run(files.upload(world.session, SMALL))


def test_create_file__refuses_what_only_upload_can_send() -> None:
    world = World()
    with pytest.raises(ValueError, match=r"a\.bin has 2097153 bytes: use upload"):
        world.run(files.create_file(world.session, bytes(2 * 1024 * 1024 + 1), filename="a.bin"))


def test_list_files__walks_all_pages() -> None:
    pages = (
        ListFilesResponse(files=[File(file_id="1"), File(file_id="2")], next_page_token="t1"),
        ListFilesResponse(files=[], next_page_token="t2"),
        ListFilesResponse(files=[File(file_id="3")]),
    )
    tokens: list[str] = []
    answers = iter(pages)

    def handle(request: object) -> ListFilesResponse:
        tokens.append(request.page_token)  # type: ignore[attr-defined]
        return next(answers)

    world = World(ListFiles=handle)
    listed = list(world.iterate(files.list_files(world.session, kind="UPLOAD", page_size=2)))
    assert [file.file_id for file in listed] == ["1", "2", "3"]
    assert tokens == ["", "t1", "t2"]
    assert (world.requests[0].kind, world.requests[0].page_size) == (FileKind.FILE_KIND_UPLOAD, 2)


def text(content: str, *, eof: bool = False) -> ReadFileResponse:
    return ReadFileResponse(data=content.encode(), text=content, eof=eof)


def test_read_text__puts_the_parts_together() -> None:
    world = World(ReadFile=script(text("Grüße "), text("aus "), text("Köln", eof=True)))
    assert world.run(files.read_text(world.session, "md-file-1")) == "Grüße aus Köln"
    assert [request.offset for request in world.requests] == [0, 8, 12]


def test_read_text__of_an_empty_file() -> None:
    world = World(ReadFile=script(ReadFileResponse(eof=True)))
    assert world.run(files.read_text(world.session, "file-1")) == ""


def test_read_text__refuses_bytes() -> None:
    world = World(ReadFile=script(ReadFileResponse(data=b"\xff")))
    with pytest.raises(ClientError, match="file-1 is not UTF-8 text"):
        world.run(files.read_text(world.session, "file-1"))


def test_read_text__does_not_read_for_ever() -> None:
    world = World(ReadFile=script(text("a"), ReadFileResponse()))
    with pytest.raises(ProtocolError, match="no end at byte 1"):
        world.run(files.read_text(world.session, "file-1"))
    assert world.requests[0] == ReadFileRequest(file_id="file-1")


CONTENT = b"0123456789"


def server(*cuts: int, content: bytes = CONTENT, digest: str = sha256(CONTENT)) -> World:
    """Serves downloads in pieces of two bytes; each stream but the last breaks after so many pieces."""
    broken = iter(cuts)

    def handle(request: DownloadFileRequest) -> Iterator[object]:
        file = File(file_id=request.file_id, size_bytes=len(CONTENT), sha256=digest)
        pieces = [content[at : at + 2] for at in range(request.offset, len(content), 2)]
        messages: list[object] = [DownloadFileResponse(start=DownloadStart(file=file, offset=request.offset))]
        messages += [DownloadFileResponse(data=piece) for piece in pieces]
        cut = next(broken, None)
        return iter(messages if cut is None else [*messages[:cut], failure()])

    return World(DownloadFile=handle)


def test_download__goes_on_where_it_broke() -> None:
    world = server(3, 0, 2)
    target = io.BytesIO()
    seen: list[tuple[int, int]] = []
    file = world.run(
        files.download(world.session, "file-1", target, on_progress=lambda done, total: seen.append((done, total)))
    )
    assert target.getvalue() == CONTENT
    assert file.size_bytes == 10
    assert [request.offset for request in world.requests] == [0, 4, 4, 6]
    assert [done for done, _total in seen] == [2, 4, 6, 8, 10]
    assert world.slept == [1.0, 2.0, 1.0]  # the second stream brought nothing
    assert all(call.cancelled for call in world.calls)


def test_download__that_breaks_after_its_last_byte_is_complete() -> None:
    world = server(6)
    target = io.BytesIO()
    world.run(files.download(world.session, "file-1", target))
    assert target.getvalue() == CONTENT
    assert len(world.requests) == 1


@pytest.mark.parametrize(
    "world", [server(content=b"0123456780"), server(content=b"01234567"), server(content=CONTENT + b"x")]
)
def test_download__refuses_other_bytes(world: World) -> None:
    with pytest.raises(ContentMismatch, match="file-1 should have 10 bytes"):
        world.run(files.download(world.session, "file-1", io.BytesIO()))


def test_download__refuses_a_stream_that_starts_elsewhere() -> None:
    elsewhere = DownloadFileResponse(start=DownloadStart(offset=4))
    world = World(DownloadFile=script([elsewhere]))
    with pytest.raises(ProtocolError, match="does not start at byte 0"):
        world.run(files.download(world.session, "file-1", io.BytesIO()))


def test_download__gives_up_when_nothing_comes_any_more() -> None:
    world = server(3, *[0] * 100)
    with pytest.raises(IngestCallError):
        world.run(files.download(world.session, "file-1", io.BytesIO()))
    assert sum(world.slept) < world.session.timeout


def test_download__goes_on_as_long_as_something_comes() -> None:
    world = server(2, 2, 2, 2)

    def slow(_done: int, _total: int) -> None:
        world.now += world.session.timeout

    target = io.BytesIO()
    world.run(files.download(world.session, "file-1", target, on_progress=slow))
    assert target.getvalue() == CONTENT


@pytest.mark.parametrize("method", [files.create_file, files.upload])
def test_upload__leaves_no_file_open(method: Callable[..., Operation[File]], tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(SMALL)
    opened: list[bool] = []

    def refuse(_request: object) -> None:
        opened.append(is_open(path))
        raise failure("UNAUTHENTICATED")

    world = World(CreateFile=refuse)
    with pytest.raises(IngestCallError):
        world.run(method(world.session, path))
    assert (opened, is_open(path)) == ([True], False)


def is_open(path: Path) -> bool:
    return any(link.exists() and link.samefile(path) for link in Path("/proc/self/fd").iterdir())


def test_download__raises_at_once_what_will_not_pass() -> None:
    world = World(DownloadFile=script([failure("FAILED_PRECONDITION", "OUTPUT_NOT_READY")]))
    with pytest.raises(IngestCallError, match="OUTPUT_NOT_READY"):
        world.run(files.download(world.session, "md-file-1", io.BytesIO()))
    assert world.slept == []


def test_get_and_delete_file() -> None:
    world = World(GetFile=script(CreateFileResponse(file=STORED)), DeleteFile=script(None))
    assert world.run(files.get_file(world.session, "file-1")) == STORED
    world.run(files.delete_file(world.session, "file-1", force=True))
    assert (world.requests[1].force, world.requests[1].request_id) == (True, "request-2")
