"""Files as messages."""

from ingest_grpc import model
from ingest_grpc.v1 import file_pb2
from ingest_grpc.wire.enums import FILE_KIND
from ingest_grpc.wire.requests.files import MAX_CHUNK_BYTES
from ingest_grpc.wire.times import set_time


def file(value: model.File) -> file_pb2.File:
    """A File message."""
    message = file_pb2.File(
        file_id=value.file_id,
        kind=FILE_KIND.numbers[value.kind],
        filename=value.filename,
        path=value.path,
        content_type=value.content_type,
        size_bytes=value.size_bytes,
        sha256=value.sha256,
        user_id=value.user_id,
        team_id=value.team_id,
    )
    set_time(message.created_at, value.created_at)
    message.etag = value.etag
    if value.deleted_at is not None:
        set_time(message.deleted_at, value.deleted_at)
    if value.external_id is not None:
        message.external_id = value.external_id
    if value.metadata:
        message.metadata.update(dict(value.metadata))
    if value.expires_at is not None:
        set_time(message.expires_at, value.expires_at)
    if (source := value.import_source) is not None:
        message.import_source.url, message.import_source.etag = source.url, source.etag
        if source.fetched_at is not None:
            set_time(message.import_source.fetched_at, source.fetched_at)
    return message


def upload(value: model.Upload) -> file_pb2.Upload:
    """An Upload message."""
    message = file_pb2.Upload(
        upload_id=value.upload_id,
        filename=value.new.filename,
        path=value.new.path,
        content_type=value.new.content_type,
        size_bytes=value.new.size_bytes,
        sha256=value.new.sha256,
        external_id=value.new.external_id,
        committed_bytes=value.committed_bytes,
        max_chunk_bytes=MAX_CHUNK_BYTES,
        file_id=value.file_id,
        user_id=value.user_id,
        team_id=value.team_id,
    )
    set_time(message.created_at, value.created_at)
    set_time(message.expires_at, value.expires_at)
    return message
