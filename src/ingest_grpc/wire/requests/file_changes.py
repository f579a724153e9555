"""The request of FileService that changes a file."""

from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc import model
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.files import SERVICE, stored_file_id, usable_filename
from ingest_grpc.wire.requests.metadata import metadata
from ingest_grpc.wire.times import microseconds_of

UPDATABLE = ("filename", "metadata", "expires_at")
LAST_SECOND = 253_402_300_799
"""Of the year 9999, where Timestamps end."""


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """What to change in a file, and the etag the change is based on, empty for none."""

    file_id: str
    update: model.FileUpdate
    etag: str
    request: model.Request | None


def update_file(message: pb.UpdateFileRequest) -> UpdateFile:
    """Fields in the mask, or without a mask those that are present; a masked field that is absent is cleared."""
    with Fields() as fields:
        wanted = _wanted(fields, message)
        values: dict[str, object] = {}
        if "filename" in wanted:
            values["filename"] = usable_filename(fields, "filename", message.filename)
        if "metadata" in wanted:
            values["metadata"] = metadata(fields, "metadata", message.metadata)
        if "expires_at" in wanted:
            values["expires_at"] = _time(fields, message.expires_at) if message.HasField("expires_at") else None
        return UpdateFile(
            stored_file_id(fields, message.file_id),
            model.FileUpdate.model_validate(values),
            message.etag,
            fields.request(message, f"{SERVICE}/UpdateFile"),
        )


def _wanted(fields: Fields, message: pb.UpdateFileRequest) -> set[str]:
    """The names of the fields to change."""
    if not message.HasField("update_mask"):
        return {name for name in UPDATABLE if message.HasField(name)}  # type: ignore[arg-type]
    for index, path in enumerate(message.update_mask.paths):
        if path not in UPDATABLE:
            fields.wrong(f"update_mask.paths[{index}]", f"{path!r} is not one of {', '.join(UPDATABLE)}")
    return set(message.update_mask.paths) & set(UPDATABLE)


def _time(fields: Fields, timestamp: Timestamp) -> int:
    if not (0 <= timestamp.seconds <= LAST_SECOND and 0 <= timestamp.nanos < 1_000_000_000):
        fields.wrong("expires_at", "is not a time between 1970 and 9999")
    return microseconds_of(timestamp)
