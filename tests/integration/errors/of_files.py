"""What FileService answers to what is wrong with a call."""

from functools import partial
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import file_service_pb2 as pb
from tests.integration.errors.row import Row, of_one_file, of_output, of_pages

MAX_FILE_BYTES = 3 * 2**20
"""The setting under which the table holds."""

CHUNK = 2 * 2**20

CREATE_FILE = partial(Row, "FileService/CreateFile")
UPLOAD_FILE = partial(Row, "FileService/UploadFile")
LIST_FILES = partial(Row, "FileService/ListFiles")
READ_FILE = partial(Row, "FileService/ReadFile")
DOWNLOAD_FILE = partial(Row, "FileService/DownloadFile")
DELETE_FILE = partial(Row, "FileService/DeleteFile")


def create_file(**changes: Any) -> pb.CreateFileRequest:
    return pb.CreateFileRequest(**{"filename": "a.pdf", "content": b"content", **changes})


def header(**changes: Any) -> pb.UploadFileRequest:
    return pb.UploadFileRequest(header=pb.UploadFileHeader(**{"filename": "a.pdf", **changes}))


def data(content: bytes) -> pb.UploadFileRequest:
    return pb.UploadFileRequest(data=content)


WRONG_SHA256 = "0" * 64
SHA256_OF_CONTENT = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"

_OF_FILES = [
    CREATE_FILE("no filename", Reason.INVALID_FIELD, lambda w: create_file(filename=""), ["filename"]),
    CREATE_FILE(
        "a filename of more than 255 bytes",
        Reason.INVALID_FIELD,
        lambda w: create_file(filename="ä" * 128),
        ["filename"],
    ),
    CREATE_FILE(
        "content above 2 MiB",
        Reason.FILE_TOO_LARGE,
        lambda w: create_file(content=bytes(CHUNK + 1)),
        ["content"],
        {"max_bytes": str(CHUNK)},
    ),
    CREATE_FILE(
        "content that does not have the announced SHA-256",
        Reason.SHA256_MISMATCH,
        lambda w: create_file(sha256=WRONG_SHA256),
        ["sha256"],
        {"expected_sha256": WRONG_SHA256, "actual_sha256": SHA256_OF_CONTENT},
    ),
    CREATE_FILE(
        "a malformed SHA-256, content type, path and request_id",
        Reason.INVALID_FIELD,
        lambda w: create_file(sha256="0" * 63, content_type="pdf", path="x" * 1_025, request_id="ä"),
        ["path", "content_type", "sha256", "request_id"],
    ),
    CREATE_FILE(
        "a request_id of 65 characters",
        Reason.INVALID_FIELD,
        lambda w: create_file(request_id="x" * 65),
        ["request_id"],
    ),
    UPLOAD_FILE("no message", Reason.UPLOAD_INVALID, lambda w: [], ["message[0]"]),
    UPLOAD_FILE("no header", Reason.UPLOAD_INVALID, lambda w: [data(b"x")], ["message[0]"]),
    UPLOAD_FILE("an empty first message", Reason.UPLOAD_INVALID, lambda w: [pb.UploadFileRequest()], ["message[0]"]),
    UPLOAD_FILE("a second header", Reason.UPLOAD_INVALID, lambda w: [header(), data(b"x"), header()], ["message[2]"]),
    UPLOAD_FILE("a data message without bytes", Reason.UPLOAD_INVALID, lambda w: [header(), data(b"")], ["message[1]"]),
    UPLOAD_FILE(
        "a data message above 2 MiB",
        Reason.UPLOAD_INVALID,
        lambda w: [header(), data(b"x"), data(bytes(CHUNK + 1))],
        ["message[2]"],
    ),
    UPLOAD_FILE(
        "bytes that are no message", Reason.INVALID_FIELD, lambda w: [header(), data(b"x"), b"\xff\xff"], ["request"]
    ),
    UPLOAD_FILE(
        "a malformed header",
        Reason.INVALID_FIELD,
        lambda w: [header(filename="../..", size_bytes=-1, sha256="x", request_id="\n")],
        ["header.size_bytes", "header.filename", "header.sha256", "header.request_id"],
    ),
    UPLOAD_FILE(
        "bytes that do not have the announced SHA-256",
        Reason.SHA256_MISMATCH,
        lambda w: [header(sha256=WRONG_SHA256), data(b"con"), data(b"tent")],
        ["sha256"],
        {"expected_sha256": WRONG_SHA256, "actual_sha256": SHA256_OF_CONTENT},
    ),
    UPLOAD_FILE(
        "another size than announced",
        Reason.SIZE_MISMATCH,
        lambda w: [header(size_bytes=8), data(b"content")],
        ["size_bytes"],
        {"expected_bytes": "8", "actual_bytes": "7"},
    ),
    UPLOAD_FILE(
        "an announced size above the limit",
        Reason.FILE_TOO_LARGE,
        lambda w: [header(size_bytes=MAX_FILE_BYTES + 1)],
        (),
        {"max_bytes": str(MAX_FILE_BYTES)},
    ),
    UPLOAD_FILE(
        "more bytes than the limit",
        Reason.FILE_TOO_LARGE,
        lambda w: [header(), *[data(bytes(CHUNK))] * 3],
        (),
        {"max_bytes": str(MAX_FILE_BYTES)},
    ),
    LIST_FILES(
        "an unknown kind",
        Reason.INVALID_FIELD,
        lambda w: pb.ListFilesRequest(kind=99),  # type: ignore[arg-type]
        ["kind"],
    ),
    READ_FILE(
        "a negative offset and limit",
        Reason.INVALID_FIELD,
        lambda w: pb.ReadFileRequest(file_id=w.file_id, offset=-1, limit=-1),
        ["limit", "offset"],
    ),
    DOWNLOAD_FILE(
        "a negative offset and limit",
        Reason.INVALID_FIELD,
        lambda w: pb.DownloadFileRequest(file_id=w.file_id, offset=-1, limit=-1),
        ["offset", "limit"],
    ),
    DELETE_FILE(
        "a file that a job lists",
        Reason.FILE_IN_USE,
        lambda w: pb.DeleteFileRequest(file_id=w.file_id),
        (),
        {"file_id": "", "job_count": "1"},
    ),
    DELETE_FILE(
        "Markdown that a job lists",
        Reason.FILE_IN_USE,
        lambda w: pb.DeleteFileRequest(file_id=w.markdown_id),
        (),
        {"file_id": "", "job_count": "1"},
    ),
]


ROWS = [
    *_OF_FILES,
    *of_one_file("FileService/GetFile", pb.GetFileRequest),
    of_output("FileService/GetFile", pb.GetFileRequest),
    *of_one_file("FileService/ReadFile", pb.ReadFileRequest),
    of_output("FileService/ReadFile", pb.ReadFileRequest),
    *of_one_file("FileService/DownloadFile", pb.DownloadFileRequest),
    of_output("FileService/DownloadFile", pb.DownloadFileRequest),
    *of_one_file("FileService/DeleteFile", pb.DeleteFileRequest),
    *of_pages("FileService/ListFiles", lambda w: pb.ListFilesRequest()),
]
