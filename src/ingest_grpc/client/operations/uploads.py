"""Uploads that go on where they broke off: by steps of one's own, and as `upload` does them for large files."""

from functools import partial

import grpc

from ingest_grpc.client.effects import Call, Operation, Run, Sleep, do
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import (
    CompleteUploadRequest,
    CreateUploadRequest,
    File,
    GetUploadRequest,
    Upload,
    WriteUploadRequest,
)
from ingest_grpc.client.retry import ATTEMPT_SECONDS, Session, call, is_transient, repeat
from ingest_grpc.client.rpcs import COMPLETE_UPLOAD, CREATE_UPLOAD, GET_UPLOAD, WRITE_UPLOAD
from ingest_grpc.client.sources import Content, OnProgress
from ingest_grpc.units import MIB

CHUNK_BYTES = 2 * MIB
"""Most bytes of one WriteUpload."""

SLOWEST_BYTES_PER_SECOND = 4 * MIB
"""How slowly a server may move a complete upload to where its files are."""


def create_upload(
    session: Session,
    filename: str,
    *,
    path: str = "",
    content_type: str = "",
    size_bytes: int | None = None,
    sha256: str = "",
    external_id: str = "",
    request_id: str | None = None,
) -> Operation[Upload]:
    """Begin an upload that survives broken connections and restarts. `upload` does all its steps for you."""
    request = CreateUploadRequest(
        filename=filename,
        path=path,
        content_type=content_type,
        size_bytes=size_bytes,
        sha256=sha256,
        external_id=external_id,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, CREATE_UPLOAD, request)).upload


def write_upload(session: Session, upload_id: str, offset: int, data: bytes) -> Operation[int]:
    """Append at most 2 MiB at `offset`; returns how many bytes are durable now. The same bytes may be sent again.

    Raises IngestCallError, with the reason UPLOAD_OFFSET and `committed_bytes` in its metadata if they do not fit.
    """
    request = WriteUploadRequest(upload_id=upload_id, offset=offset, data=data)
    return (yield from call(session, WRITE_UPLOAD, request)).committed_bytes


def get_upload(session: Session, upload_id: str) -> Operation[Upload]:
    """How far an upload has come."""
    return (yield from call(session, GET_UPLOAD, GetUploadRequest(upload_id=upload_id))).upload


def complete_upload(
    session: Session, upload_id: str, *, sha256: str = "", request_id: str | None = None
) -> Operation[File]:
    """Make a file of an upload; called again, it returns the same file."""
    request = CompleteUploadRequest(
        upload_id=upload_id, sha256=sha256, request_id=request_id or session.new_request_id()
    )
    return (yield from call(session, COMPLETE_UPLOAD, request)).file


def upload_in_parts(
    session: Session, content: Content, request: CreateUploadRequest, report: OnProgress
) -> Operation[File]:
    """Upload a measured source, from wherever an earlier try under the same request_id has come."""
    upload = (yield from call(session, CREATE_UPLOAD, request)).upload
    report(upload.committed_bytes, content.size_bytes)
    yield from _fill(session, content, upload, report)
    # The server now moves the bytes to where they stay: the larger, the longer.
    deadline = session.clock() + session.timeout + content.size_bytes / SLOWEST_BYTES_PER_SECOND
    completion = CompleteUploadRequest(
        upload_id=upload.upload_id, sha256=content.sha256, request_id=session.new_request_id()
    )
    completed = yield from repeat(
        session,
        lambda: do(Call(COMPLETE_UPLOAD, completion, deadline - session.clock())),
        deadline=deadline,
    )
    return completed.file


def _fill(session: Session, content: Content, upload: Upload, report: OnProgress) -> Operation[None]:
    """Write all bytes; the session's timeout counts from the last write that got through."""
    backoff = session.backoff()
    deadline = session.clock() + session.timeout
    committed = upload.committed_bytes
    while committed < content.size_bytes and not upload.HasField("file_id"):
        data = yield from do(Run(partial(content.part, committed, CHUNK_BYTES)))
        request = WriteUploadRequest(upload_id=upload.upload_id, offset=committed, data=data)
        try:
            committed = (yield from do(Call(WRITE_UPLOAD, request, ATTEMPT_SECONDS))).committed_bytes
        except IngestCallError as error:
            delay = backoff.delay(error.retry_after)
            if not _may_go_on(error, committed) or session.clock() + delay >= deadline:
                raise
            yield Sleep(delay)
            upload = yield from get_upload(session, upload.upload_id)
            committed = upload.committed_bytes
        else:
            report(committed, content.size_bytes)
            backoff.reset()
            deadline = session.clock() + session.timeout


def _may_go_on(error: IngestCallError, offset: int) -> bool:
    """Whether it helps to ask the server how far it has come.

    It may have fewer bytes than we believe (a restored ledger). Other bytes at their place are another matter: the
    source was changed. What a broken connection is reported as depends on the moment it broke in.
    """
    if error.reason == "UPLOAD_OFFSET":
        return int(error.metadata.get("committed_bytes", offset)) < offset
    cut = not error.reason and error.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
    return cut or is_transient(error)
