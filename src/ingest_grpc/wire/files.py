"""Files as messages."""

from ingest_grpc import model
from ingest_grpc.v1 import file_pb2
from ingest_grpc.wire.enums import FILE_KIND
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
    if value.deleted_at is not None:
        set_time(message.deleted_at, value.deleted_at)
    return message
