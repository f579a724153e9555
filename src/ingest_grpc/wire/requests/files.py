"""Requests of FileService."""

import re
from dataclasses import dataclass

from ingest_grpc import model
from ingest_grpc.errors import IngestError, Reason, Violation
from ingest_grpc.filenames import (
    MAX_FILENAME_BYTES,
    MAX_PATH_CHARACTERS,
    base_name,
    displayable,
    guess_content_type,
    normal_content_type,
)
from ingest_grpc.ids import Prefix
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.requests.fields import Fields

MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""Most bytes of one data message, of CreateFile and of ReadFile."""

MAX_GIVEN_CHARACTERS = 4_096
"""Most characters of a file's name with the folders before it."""

SERVICE = "/ingest_grpc.v1.FileService"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to store."""

    new: model.NewFile
    request: model.Request | None
    content: bytes = b""
    """The whole file, where it comes in one message."""


def create_file(message: pb.CreateFileRequest) -> Upload:
    """Raises INVALID_FIELD, or FILE_TOO_LARGE for content above 2 MiB.

    Takes the content out of the message. So the payload hash is that of all else; the service adds that of the content,
    which it computes anyway.
    """
    content = message.content
    message.ClearField("content")
    with Fields() as fields:
        new = new_file(fields, message, size_bytes=None)
        request = fields.request(message, f"{SERVICE}/CreateFile")
    if len(content) > MAX_CHUNK_BYTES:
        raise IngestError(
            Reason.FILE_TOO_LARGE,
            {"max_bytes": str(MAX_CHUNK_BYTES)},
            violations=[Violation("content", f"has {len(content):,} bytes")],
        )
    return Upload(new, request, content)


def upload_header(message: pb.UploadFileHeader) -> Upload:
    """The payload hash is the header's; the service adds that of the content."""
    with Fields() as fields:
        size_bytes = fields.count("header.size_bytes", message.size_bytes) if message.HasField("size_bytes") else None
        return Upload(
            new_file(fields, message, size_bytes=size_bytes, prefix="header."),
            fields.request(message, f"{SERVICE}/UploadFile", "header.request_id"),
        )


def upload_data(message: pb.UploadFileRequest, index: int) -> bytes:
    """The bytes of a data message; `index` is its place in the stream. Raises UPLOAD_INVALID."""
    kind = message.WhichOneof("message")
    if kind != "data":
        raise _upload_invalid(index, f"is {kind or 'empty'}, expected data")
    if not 0 < len(message.data) <= MAX_CHUNK_BYTES:
        raise _upload_invalid(index, f"has {len(message.data):,} bytes of data, expected 1 to {MAX_CHUNK_BYTES:,}")
    return message.data


def upload_start(message: pb.UploadFileRequest | None) -> Upload:
    """The header, from the first message of the stream; None = the stream was empty. Raises UPLOAD_INVALID."""
    kind = message.WhichOneof("message") if message else "missing"
    if message is None or kind != "header":
        raise _upload_invalid(0, f"is {kind or 'empty'}, expected the header")
    return upload_header(message.header)


def _upload_invalid(index: int, description: str) -> IngestError:
    return IngestError(Reason.UPLOAD_INVALID, violations=[Violation(f"message[{index}]", description)])


def new_file(
    fields: Fields,
    message: pb.CreateFileRequest | pb.UploadFileHeader | pb.CreateUploadRequest,
    *,
    size_bytes: int | None,
    prefix: str = "",
) -> model.NewFile:
    """What a caller announces of a file; violations name the fields behind `prefix`."""
    filename = usable_filename(fields, f"{prefix}filename", message.filename)
    return model.NewFile(
        filename=filename,
        path=displayable(fields.text(f"{prefix}path", message.path, characters=MAX_PATH_CHARACTERS)),
        content_type=content_type(fields, f"{prefix}content_type", message.content_type, filename),
        size_bytes=size_bytes,
        sha256=digest(fields, f"{prefix}sha256", message.sha256),
        external_id=fields.external_id(f"{prefix}external_id", message.external_id),
    )


def usable_filename(fields: Fields, field: str, value: str) -> str:
    """A name without the folders before it; required."""
    if len(value) > MAX_GIVEN_CHARACTERS:
        fields.wrong(field, f"has {len(value):,} characters, at most {MAX_GIVEN_CHARACTERS:,} are allowed")
        return ""
    filename = base_name(value)
    if not filename:
        fields.wrong(field, "has no usable character after its last separator" if value else "is required")
    return fields.text(field, filename, size_bytes=MAX_FILENAME_BYTES)


def content_type(fields: Fields, field: str, value: str, filename: str) -> str:
    """A content type as given, or as the name suggests."""
    normal = normal_content_type(value)
    if value and normal is None:
        fields.wrong(field, "is not of the form type/subtype")
    return normal or guess_content_type(filename)


def digest(fields: Fields, field: str, value: str) -> str | None:
    """A SHA-256 in lower-case hex, None for the empty string."""
    sha256 = value.lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        fields.wrong(field, "must be 64 hexadecimal digits")
    return sha256 or None


def stored_file_id(fields: Fields, value: str) -> str:
    """The id of an upload or of an output."""
    return fields.id("file_id", value, Prefix.FILE, Prefix.OUTPUT_FILE)


def get_file(message: pb.GetFileRequest) -> str:
    """The file's id."""
    with Fields() as fields:
        return stored_file_id(fields, message.file_id)


@dataclass(frozen=True, slots=True)
class ListFiles:
    """A page of files to read."""

    wanted: model.FileFilter
    page_size: int
    page_token: str
    include_total: bool = False


def list_files(message: pb.ListFilesRequest) -> ListFiles:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListFiles(
            model.FileFilter(
                kind=fields.optional_enum("kind", message.kind, enums.FILE_KIND),
                external_id=fields.external_id("external_id", message.external_id),
                filename_contains=fields.text(
                    "filename_contains", message.filename_contains, characters=MAX_FILENAME_BYTES
                ),
            ),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A part of a file to read, in bytes."""

    file_id: str
    offset: int
    limit: int


def read_file(message: pb.ReadFileRequest) -> ReadFile:
    """A limit of 0 or above 2 MiB counts as 2 MiB."""
    with Fields() as fields:
        limit = fields.count("limit", message.limit)
        return ReadFile(
            stored_file_id(fields, message.file_id),
            fields.count("offset", message.offset),
            min(limit, MAX_CHUNK_BYTES) or MAX_CHUNK_BYTES,
        )


@dataclass(frozen=True, slots=True)
class DownloadFile:
    """A part of a file to stream, in bytes; no limit = to its end."""

    file_id: str
    offset: int
    limit: int | None


def download_file(message: pb.DownloadFileRequest) -> DownloadFile:
    """A limit of 0 is none."""
    with Fields() as fields:
        return DownloadFile(
            stored_file_id(fields, message.file_id),
            fields.count("offset", message.offset),
            fields.count("limit", message.limit) or None,
        )


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """A file to delete."""

    file_id: str
    force: bool
    request: model.Request | None


def delete_file(message: pb.DeleteFileRequest) -> DeleteFile:
    """Checks the id."""
    with Fields() as fields:
        return DeleteFile(
            stored_file_id(fields, message.file_id),
            message.force,
            fields.request(message, f"{SERVICE}/DeleteFile"),
        )
