"""The request of FileService that changes a file."""

from dataclasses import dataclass

from ingest_grpc import model
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.files import SERVICE, stored_file_id, usable_filename
from ingest_grpc.wire.requests.metadata import metadata

UPDATABLE = ("filename", "metadata", "expires_at")


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """What to change in a file, and the etag the change is based on, empty for none."""

    file_id: str
    update: model.FileUpdate
    etag: str
    request: model.Request | None


def update_file(message: pb.UpdateFileRequest) -> UpdateFile:
    """Fields in the mask, or where it is empty those that are present; a masked field that is absent is cleared."""
    with Fields() as fields:
        wanted = fields.changed(message, UPDATABLE)
        values: dict[str, object] = {}
        if "filename" in wanted:
            values["filename"] = usable_filename(fields, "filename", message.filename)
        if "metadata" in wanted:
            values["metadata"] = metadata(fields, "metadata", message.metadata)
        if "expires_at" in wanted:
            values["expires_at"] = fields.time("expires_at", message)
        return UpdateFile(
            stored_file_id(fields, message.file_id),
            model.FileUpdate.model_validate(values),
            fields.etag("etag", message.etag),
            fields.request(message, f"{SERVICE}/UpdateFile"),
        )
