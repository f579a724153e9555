"""Files: import from elsewhere, and change what is kept with them."""

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask

from ingest_grpc.client.effects import Operation
from ingest_grpc.client.messages import File, ImportFileRequest, UpdateFileRequest
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import IMPORT_FILE, UPDATE_FILE


def import_file(
    session: Session,
    url: str,
    *,
    filename: str = "",
    content_type: str = "",
    external_id: str = "",
    request_id: str | None = None,
) -> Operation[File]:
    """Let the server read a file itself: s3://, gs://, az:// or file://, as far as its settings allow.

    Its bytes are read once they are needed; if they have changed by then, that fails with SOURCE_CHANGED.
    """
    request = ImportFileRequest(
        url=url,
        filename=filename,
        content_type=content_type,
        external_id=external_id,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, IMPORT_FILE, request)).file


def update_file(
    session: Session,
    file_id: str,
    *,
    filename: str | None = None,
    metadata: Mapping[str, str | float | bool] | None = None,
    expires_at: datetime | None = None,
    never_expires: bool = False,
    etag: str = "",
    request_id: str | None = None,
) -> Operation[File]:
    """Change what is given, and leave the rest. `metadata` replaces all there was; {} clears it.

    `expires_at` needs a time zone; `never_expires` takes an expiry back. With the `etag` of a File the change
    fails (ETAG_MISMATCH) if somebody else was quicker. Raises IngestCallError, and ValueError for both of them.
    """
    if expires_at is not None and (never_expires or expires_at.tzinfo is None):
        raise ValueError("expires_at needs a time zone, and does not go with never_expires")
    given = {
        "filename": filename is not None,
        "metadata": metadata is not None,
        "expires_at": expires_at is not None or never_expires,
    }
    request = UpdateFileRequest(
        file_id=file_id,
        update_mask=FieldMask(paths=[name for name, is_given in given.items() if is_given]),
        filename=filename,
        etag=etag,
        request_id=request_id or session.new_request_id(),
    )
    if metadata:
        request.metadata.update(dict(metadata))
    if expires_at is not None:
        request.expires_at.FromDatetime(expires_at)
    return (yield from call(session, UPDATE_FILE, request)).file
