"""Files: upload, read, download, delete, list."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ingest_grpc.client.effects import Feed, Open, Operation, Receive, Run, Send, Sleep, do
from ingest_grpc.client.errors import ClientError, ContentMismatch, IngestCallError, ProtocolError
from ingest_grpc.client.messages import (
    CreateFileRequest,
    CreateUploadRequest,
    DeleteFileRequest,
    DeleteFileResponse,
    DownloadFileRequest,
    File,
    FileKind,
    GetFileRequest,
    ListFilesRequest,
    ReadFileRequest,
    ReadFileResponse,
    UploadFileHeader,
    UploadFileRequest,
)
from ingest_grpc.client.operations.common import enum_number, pages
from ingest_grpc.client.operations.uploads import upload_in_parts
from ingest_grpc.client.retry import Session, call, is_transient, repeat
from ingest_grpc.client.rpcs import (
    CREATE_FILE,
    DELETE_FILE,
    DOWNLOAD_FILE,
    GET_FILE,
    LIST_FILES,
    READ_FILE,
    UPLOAD_FILE,
)
from ingest_grpc.client.sources import Content, OnProgress, Sink, Source, Target
from ingest_grpc.units import MIB

SMALL_FILE_BYTES = 1 * MIB
MAX_CREATE_FILE_BYTES = 2 * MIB
RESUMABLE_BYTES = 64 * MIB
"""Files above this are uploaded in parts, so that a broken upload goes on where it was."""

UPLOAD_ATTEMPTS = 10
DOWNLOAD_STALL_SECONDS = 60.0


def create_file(
    session: Session,
    source: Source,
    *,
    filename: str | None = None,
    path: str = "",
    content_type: str = "",
    external_id: str = "",
    request_id: str | None = None,
) -> Operation[File]:
    """Store a small file (at most 2 MiB) in one call. `upload` takes any size.

    Raises IngestCallError, OSError, and ValueError for a source that is too large or has no name.
    """
    content = Content(source, filename)
    try:
        yield Run(content.measure)
        if content.size_bytes > MAX_CREATE_FILE_BYTES:
            raise ValueError(f"{content.filename} has {content.size_bytes} bytes: use upload")
        announced = Announced(content, path, content_type, external_id, request_id or session.new_request_id())
        return (yield from _create(session, announced))
    finally:
        content.close()


def upload(
    session: Session,
    source: Source,
    *,
    filename: str | None = None,
    path: str = "",
    content_type: str = "",
    external_id: str = "",
    on_progress: OnProgress | None = None,
    request_id: str | None = None,
) -> Operation[File]:
    """Store a file of any permitted size: a path, bytes, or an open binary file.

    The SHA-256 is sent along, so what is stored is what was read. A broken upload is repeated under the same
    request_id and so never stored twice; progress then starts again at 0. Above 64 MiB it goes on where it broke
    off, also after a restart of the server, and in another process that names the same request_id within a day.
    `path` is for display only, `external_id` a key of your own, unique among your team's files.
    Raises IngestCallError, OSError, and ValueError for a source without a name.
    """
    content = Content(source, filename)
    request_id = request_id or session.new_request_id()
    report = on_progress or _ignore_progress
    try:
        yield Run(content.measure)
        announced = Announced(content, path, content_type, external_id, request_id)
        if content.size_bytes <= SMALL_FILE_BYTES:
            file = yield from _create(session, announced)
            report(content.size_bytes, content.size_bytes)
            return file
        if content.size_bytes > RESUMABLE_BYTES:
            request = CreateUploadRequest(**announced.fields(), size_bytes=content.size_bytes)
            return (yield from upload_in_parts(session, content, request, report))
        header = UploadFileHeader(**announced.fields(), size_bytes=content.size_bytes)
        return (yield from repeat(session, lambda: _send(content, header, report), attempts=UPLOAD_ATTEMPTS))
    finally:
        content.close()


def get_file(session: Session, file_id: str) -> Operation[File]:
    """What is known of a file."""
    return (yield from call(session, GET_FILE, GetFileRequest(file_id=file_id))).file


def list_files(
    session: Session,
    *,
    kind: str | int = 0,
    external_id: str = "",
    filename_contains: str = "",
    page_size: int = 0,
) -> Feed[File]:
    """The team's files that pass all filters (kind UPLOAD or OUTPUT, …), newest first, of all pages."""
    request = ListFilesRequest(
        kind=enum_number(FileKind, kind),
        external_id=external_id,
        filename_contains=filename_contains,
        page_size=page_size,
    )
    return pages(session, LIST_FILES, request, lambda page: page.files)


def read_file(session: Session, file_id: str, *, offset: int = 0, limit: int = 0) -> Operation[ReadFileResponse]:
    """A part of a file, at most 2 MiB: bytes, and text where it is text."""
    return (yield from call(session, READ_FILE, ReadFileRequest(file_id=file_id, offset=offset, limit=limit)))


def read_text(session: Session, file_id: str) -> Operation[str]:
    """The whole of a text file, for example of an output. Raises ClientError if it is not UTF-8 text."""
    parts: list[str] = []
    offset = 0
    while True:
        part = yield from read_file(session, file_id, offset=offset)
        if part.data and not part.HasField("text"):
            raise ClientError(f"{file_id} is not UTF-8 text: download it")
        parts.append(part.text)
        offset += len(part.data)
        if part.eof:
            return "".join(parts)
        if not part.data:
            raise ProtocolError(f"reading {file_id} came to no end at byte {offset}")


def download(
    session: Session, file_id: str, target: Target, *, on_progress: OnProgress | None = None
) -> Operation[File]:
    """Write a file's bytes to a path or an open binary file, and verify their SHA-256.

    A broken download goes on where it stopped. A path appears only once it is complete.
    Raises IngestCallError, ContentMismatch and OSError.
    """
    # Opened here and not in a thread, as the sources of uploads are: whoever cancels must find it to close it.
    sink = Sink(target)
    try:
        file = yield from _fill(session, file_id, sink, on_progress or _ignore_progress)
        if (sink.size_bytes, sink.sha256) != (file.size_bytes, file.sha256):
            raise ContentMismatch(
                f"{file_id} should have {file.size_bytes} bytes with the SHA-256 {file.sha256}, "
                f"but {sink.size_bytes} came with {sink.sha256}"
            )
        yield Run(sink.commit)
        return file
    finally:
        sink.discard()


def delete_file(
    session: Session, file_id: str, *, force: bool = False, request_id: str | None = None
) -> Operation[DeleteFileResponse]:
    """Delete a file. With `force` also from the jobs that list it; otherwise they make the call fail (FILE_IN_USE)."""
    request = DeleteFileRequest(file_id=file_id, force=force, request_id=request_id or session.new_request_id())
    return (yield from call(session, DELETE_FILE, request))


def _ignore_progress(done: int, total: int) -> None:
    """For callers who do not ask."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What is said of a measured source before its bytes."""

    content: Content
    path: str
    content_type: str
    external_id: str
    request_id: str

    def fields(self) -> dict[str, Any]:
        """As fields of the three messages that announce a file."""
        return {
            "filename": self.content.filename,
            "path": self.path,
            "content_type": self.content_type,
            "sha256": self.content.sha256,
            "external_id": self.external_id,
            "request_id": self.request_id,
        }


def _create(session: Session, announced: Announced) -> Operation[File]:
    data = yield from do(Run(lambda: b"".join(announced.content.chunks())))
    request = CreateFileRequest(**announced.fields(), content=data)
    return (yield from call(session, CREATE_FILE, request)).file


def _send(content: Content, header: UploadFileHeader, report: OnProgress) -> Operation[File]:
    done = 0

    def sent(request: UploadFileRequest) -> None:
        nonlocal done
        done += len(request.data)
        report(done, content.size_bytes)

    return (yield from do(Send(UPLOAD_FILE, _upload_requests(content, header), sent))).file


def _upload_requests(content: Content, header: UploadFileHeader) -> Iterator[UploadFileRequest]:
    yield UploadFileRequest(header=header)
    for chunk in content.chunks():
        yield UploadFileRequest(data=chunk)


def _fill(session: Session, file_id: str, sink: Sink, report: OnProgress) -> Operation[File]:
    """Download until the sink is full; the session's timeout counts from the last stream that brought anything."""
    backoff = session.backoff()
    deadline = session.clock() + session.timeout
    while True:
        before = sink.size_bytes
        try:
            return (yield from _download_rest(file_id, sink, report))
        except IngestCallError as error:
            if sink.size_bytes > before:
                backoff.reset()
                deadline = session.clock() + session.timeout
            delay = backoff.delay(error.retry_after)
            if not is_transient(error) or session.clock() + delay >= deadline:
                raise
        yield Sleep(delay)


def _download_rest(file_id: str, sink: Sink, report: OnProgress) -> Operation[File]:
    stream = yield from do(Open(DOWNLOAD_FILE, DownloadFileRequest(file_id=file_id, offset=sink.size_bytes)))
    try:
        first = yield from do(Receive(stream, DOWNLOAD_STALL_SECONDS))
        if first is None or not first.HasField("start") or first.start.offset != sink.size_bytes:
            raise ProtocolError(f"the download of {file_id} does not start at byte {sink.size_bytes}")
        file = first.start.file
        while True:
            try:
                message = yield from do(Receive(stream, DOWNLOAD_STALL_SECONDS))
            except IngestCallError:
                if sink.size_bytes < file.size_bytes:
                    raise
                message = None
            if message is None:
                return file
            yield Run(partial(sink.write, message.data))
            report(sink.size_bytes, file.size_bytes)
    finally:
        stream.cancel()
