"""Requests of FileService about resumable uploads and imports."""

from dataclasses import dataclass
from urllib.parse import unquote

from ingest_grpc import model
from ingest_grpc.ids import Prefix
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.files import (
    MAX_CHUNK_BYTES,
    SERVICE,
    Upload,
    content_type,
    digest,
    new_file,
    usable_filename,
)

MAX_URL_CHARACTERS = 2_048


def create_upload(message: pb.CreateUploadRequest) -> Upload:
    """What is announced of the file to be."""
    with Fields() as fields:
        size_bytes = fields.count("size_bytes", message.size_bytes) if message.HasField("size_bytes") else None
        return Upload(
            new_file(fields, message, size_bytes=size_bytes), fields.request(message, f"{SERVICE}/CreateUpload")
        )


@dataclass(frozen=True, slots=True)
class WriteUpload:
    """Bytes for an upload."""

    upload_id: str
    offset: int
    data: bytes


def write_upload(message: pb.WriteUploadRequest) -> WriteUpload:
    """1 byte to 2 MiB."""
    with Fields() as fields:
        if not 0 < len(message.data) <= MAX_CHUNK_BYTES:
            fields.wrong("data", f"has {len(message.data):,} bytes, expected 1 to {MAX_CHUNK_BYTES:,}")
        return WriteUpload(
            fields.id("upload_id", message.upload_id, Prefix.UPLOAD),
            fields.count("offset", message.offset),
            message.data,
        )


def get_upload(message: pb.GetUploadRequest) -> str:
    """The upload's id."""
    with Fields() as fields:
        return fields.id("upload_id", message.upload_id, Prefix.UPLOAD)


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    """An upload to make a file of."""

    upload_id: str
    sha256: str | None
    request: model.Request | None


def complete_upload(message: pb.CompleteUploadRequest) -> CompleteUpload:
    """Checks the id and the form of the digest."""
    with Fields() as fields:
        return CompleteUpload(
            fields.id("upload_id", message.upload_id, Prefix.UPLOAD),
            digest(fields, "sha256", message.sha256),
            fields.request(message, f"{SERVICE}/CompleteUpload"),
        )


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An object to import."""

    new: model.NewImport
    request: model.Request | None


def import_file(message: pb.ImportFileRequest) -> ImportFile:
    """Whether the URL may be imported is the service's to say. Its last part is the name, unless one is given."""
    with Fields() as fields:
        url = fields.required_text("url", message.url, characters=MAX_URL_CHARACTERS)
        filename = usable_filename(fields, "filename", message.filename or unquote(url.rpartition("/")[2]) or "object")
        return ImportFile(
            model.NewImport(
                url=url,
                filename=filename,
                content_type=content_type(fields, "content_type", message.content_type, filename),
                external_id=fields.external_id("external_id", message.external_id),
            ),
            fields.request(message, f"{SERVICE}/ImportFile"),
        )
