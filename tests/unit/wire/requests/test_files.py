"""Requests of FileService."""

import pytest

from ingest_grpc import model
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.v1 import file_pb2
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.requests import files
from ingest_grpc.wire.requests.files import MAX_CHUNK_BYTES
from tests.unit.wire.values import FILE_ID, JOB_ID, OUTPUT_ID

SHA256 = "ab" * 32


def refused(error: IngestError) -> list[str]:
    return [violation.field for violation in error.violations]


def test_create_file__all_fields() -> None:
    asked = files.create_file(
        pb.CreateFileRequest(
            filename="a.pdf", content=b"x", path="/a.pdf", content_type="Text/X; q=1", sha256=SHA256.upper()
        )
    )

    assert asked.new == model.NewFile(filename="a.pdf", path="/a.pdf", content_type="text/x; q=1", sha256=SHA256)


def test_create_file__content_may_be_empty_or_2_mib() -> None:
    for content in (b"", bytes(MAX_CHUNK_BYTES)):
        assert files.create_file(pb.CreateFileRequest(filename="a.txt", content=content)).new.size_bytes is None


def test_create_file__larger_content_is_too_large() -> None:
    with pytest.raises(IngestError) as raised:
        files.create_file(pb.CreateFileRequest(filename="a.txt", content=bytes(MAX_CHUNK_BYTES + 1)))

    assert raised.value.reason is Reason.FILE_TOO_LARGE
    assert raised.value.metadata == {"max_bytes": "2097152"}


def test_create_file__everything_wrong_is_told_at_once() -> None:
    message = pb.CreateFileRequest(
        filename="/", path="p" * 1_025, content_type="text", sha256="ab", request_id="r" * 65
    )
    with pytest.raises(IngestError) as raised:
        files.create_file(message)

    assert refused(raised.value) == ["filename", "path", "content_type", "sha256", "request_id"]


def test_upload_header__size_0_is_not_absent() -> None:
    with_size = files.upload_header(pb.UploadFileHeader(filename="a.txt", size_bytes=0))
    without = files.upload_header(pb.UploadFileHeader(filename="a.txt"))

    assert (with_size.new.size_bytes, without.new.size_bytes) == (0, None)


def test_upload_header__violations_name_the_header() -> None:
    with pytest.raises(IngestError) as raised:
        files.upload_header(pb.UploadFileHeader(size_bytes=-1, request_id="\n"))

    assert refused(raised.value) == ["header.size_bytes", "header.filename", "header.request_id"]


@pytest.mark.parametrize("message", [None, pb.UploadFileRequest(), pb.UploadFileRequest(data=b"x")])
def test_upload_start__must_be_the_header(message: pb.UploadFileRequest | None) -> None:
    with pytest.raises(IngestError) as raised:
        files.upload_start(message)

    assert raised.value.reason is Reason.UPLOAD_INVALID
    assert refused(raised.value) == ["message[0]"]


@pytest.mark.parametrize(
    "message",
    [
        pb.UploadFileRequest(),
        pb.UploadFileRequest(header=pb.UploadFileHeader(filename="a.txt")),
        pb.UploadFileRequest(data=b""),
        pb.UploadFileRequest(data=bytes(MAX_CHUNK_BYTES + 1)),
    ],
)
def test_upload_data__must_be_1_byte_to_2_mib(message: pb.UploadFileRequest) -> None:
    with pytest.raises(IngestError) as raised:
        files.upload_data(message, 3)

    assert raised.value.reason is Reason.UPLOAD_INVALID
    assert refused(raised.value) == ["message[3]"]


def test_upload_data__largest_message() -> None:
    assert len(files.upload_data(pb.UploadFileRequest(data=bytes(MAX_CHUNK_BYTES)), 1)) == MAX_CHUNK_BYTES


@pytest.mark.parametrize("file_id", [FILE_ID, OUTPUT_ID])
def test_get_file__uploads_and_outputs(file_id: str) -> None:
    assert files.get_file(pb.GetFileRequest(file_id=file_id)) == file_id


def test_get_file__other_ids_are_refused() -> None:
    with pytest.raises(IngestError) as raised:
        files.get_file(pb.GetFileRequest(file_id=JOB_ID))

    assert raised.value.reason is Reason.INVALID_ID
    assert "file-<uuid> or md-file-<uuid>" in raised.value.message


def test_list_files__kind() -> None:
    assert files.list_files(pb.ListFilesRequest()).wanted.kind is None
    assert files.list_files(pb.ListFilesRequest(kind=file_pb2.FILE_KIND_OUTPUT)).wanted.kind is model.FileKind.OUTPUT


@pytest.mark.parametrize(
    ("limit", "used"), [(0, MAX_CHUNK_BYTES), (1, 1), (MAX_CHUNK_BYTES, MAX_CHUNK_BYTES), (2**31 - 1, MAX_CHUNK_BYTES)]
)
def test_read_file__limit(limit: int, used: int) -> None:
    assert files.read_file(pb.ReadFileRequest(file_id=FILE_ID, limit=limit)).limit == used


@pytest.mark.parametrize(("limit", "used"), [(0, None), (1, 1), (2**63 - 1, 2**63 - 1)])
def test_download_file__limit(limit: int, used: int | None) -> None:
    assert files.download_file(pb.DownloadFileRequest(file_id=FILE_ID, limit=limit)).limit == used


def test_parts__negative_offset_and_limit_are_refused() -> None:
    with pytest.raises(IngestError) as read:
        files.read_file(pb.ReadFileRequest(file_id=FILE_ID, offset=-1, limit=-1))
    with pytest.raises(IngestError) as download:
        files.download_file(pb.DownloadFileRequest(file_id=FILE_ID, offset=-(2**63), limit=-1))

    assert sorted(refused(read.value)) == sorted(refused(download.value)) == ["limit", "offset"]


def test_delete_file__method_of_its_request() -> None:
    asked = files.delete_file(pb.DeleteFileRequest(file_id=FILE_ID, force=True, request_id="x"))

    assert asked.force
    assert asked.request is not None
    assert asked.request.method == "/ingest_grpc.v1.FileService/DeleteFile"
