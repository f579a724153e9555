"""`files …`: upload, list, read, download and delete files; importing and changing them is in file_changes."""

import os
import sys
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli import file_changes
from ingest_grpc.cli.display import open_display
from ingest_grpc.cli.failures import FAILED, Failure, explain
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.options import flag, teaches
from ingest_grpc.cli.saving import Destinations, Force, refuse_taken
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from ingest_grpc.cli.sources import find_sources
from ingest_grpc.cli.upload import upload_all
from ingest_grpc.cli.views import FILE_COLUMNS, file_row, show_file
from ingest_grpc.cli.words import human_bytes, plural, printable_text

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)
app.add_typer(file_changes.app)

FileId = Annotated[str, typer.Argument(metavar="FILE_ID", help="The file, file-… or md-file-….")]


_INTERRUPTED_UPLOAD = (
    "'ingest-grpc files list' shows what is stored; the rest has to be uploaded again, each file from its beginning."
)


class FileKind(StrEnum):
    """Uploads or outputs."""

    UPLOAD = "upload"
    OUTPUT = "output"


@app.callback()
@teaches
def files() -> None:
    """Upload, import, list, read, change, download and delete files.

    Uploads have ids file-…, the Markdown made of them md-file-….

    Example:
      ingest-grpc files read md-file-3f1d0c52-…
    """


@app.command("list")
@command
async def list_files(
    session: Session,
    kind: Annotated[
        FileKind | None, typer.Option(metavar="KIND", case_sensitive=False, help="upload or output; else both.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Only files whose name contains this.")] = "",
    external_id: Annotated[str, typer.Option(metavar="ID", help="Only the file with this key of yours.")] = "",
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List files, newest first.

    Examples:
      ingest-grpc files list --kind output --limit 20
      ingest-grpc files list --name report
    """
    async with session.connect() as client:
        found = client.list_files(
            kind=kind.name if kind else 0,
            external_id=external_id,
            filename_contains=name,
            page_size=page_size(limit),
        )
        await show_list(
            session, found, FILE_COLUMNS, file_row, limit, "No files; 'ingest-grpc files upload FILE' stores one."
        )


@app.command("get")
@command
async def get_file(session: Session, file_id: FileId) -> None:
    """Show what is known of a file.

    Example:
      ingest-grpc files get file-9c1e5d0a-6a7b-4a43-9a3e-2b1f0e7c1d55
    """
    async with session.connect() as client:
        file = await client.get_file(file_id)
    if session.output.as_json:
        session.output.message(file)
    else:
        show_file(session.output, file)


@app.command("upload")
@command
async def upload(
    session: Session,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, and folders of files.")],
    quiet: Annotated[bool, flag("--quiet", "-q", help="Show no progress.")] = False,
) -> int:
    """Upload files, without converting them; prints their ids.

    Large ones are sent in parts: when the connection breaks or the server restarts, they go on where they were.
    Exit code 1 if one of them could not be uploaded.

    Example:
      ingest-grpc files upload report.pdf slides/
    """
    sources = find_sources(paths, session.output.hint)
    with told_if_interrupted(session.output, lambda: _INTERRUPTED_UPLOAD):
        async with open_display(session.output, len(sources), quiet=quiet) as display, session.connect() as client:
            uploads = await upload_all(client, sources, display, session.options.target)
    stored = [each.file for each in uploads if each.file is not None]
    if session.output.as_json:
        for file in stored:
            session.output.message(file)
    elif stored:
        session.output.table(FILE_COLUMNS, [file_row(file) for file in stored])
    for each in uploads:
        if each.failure:
            session.output.failure(each.failure)
    return 0 if len(stored) == len(uploads) else FAILED


@app.command("read")
@command
async def read(
    session: Session,
    file_id: FileId,
    offset: Annotated[int, typer.Option(metavar="BYTES", min=0, help="Where to begin.")] = 0,
    limit: Annotated[int, typer.Option(metavar="BYTES", min=0, help="Most to read; 0 = to the end.")] = 0,
) -> None:
    """Print a text file, for example the Markdown of a document.

    Examples:
      ingest-grpc files read md-file-3f1d0c52-8f6e-4b61-8f0a-0d5b7c9e2a11
      ingest-grpc files read md-file-3f1d0c52-… --limit 2000
    """
    async with session.connect() as client:
        await _print_text(session, client, file_id, offset, limit)


async def _print_text(session: Session, client: "AsyncClient", file_id: str, offset: int, limit: int) -> None:
    end = offset + limit if limit else None
    while end is None or offset < end:
        part = await client.read_file(file_id, offset=offset, limit=end - offset if end is not None else 0)
        if session.output.as_json:
            session.output.message(part)
        elif not part.HasField("text"):
            raise Failure(f"{file_id} is not text.", f"Save it with 'ingest-grpc files download {file_id}'.")
        else:
            # A document may hold escape sequences; they are data for a pipe and orders for a terminal.
            shown = printable_text(part.text) if session.output.out.is_terminal else part.text
            sys.stdout.write(shown)
        offset += len(part.data)
        if part.eof or not part.data:
            break
    sys.stdout.flush()


@app.command("download")
@command
async def download(
    session: Session,
    file_id: FileId,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="PATH", help="File or folder to write to, - for stdout; else here."),
    ] = None,
    force: Force = False,
) -> None:
    """Save a file under its own name or another, whole or not at all.

    Examples:
      ingest-grpc files download md-file-3f1d0c52-8f6e-4b61-8f0a-0d5b7c9e2a11
      ingest-grpc files download file-9c1e5d0a-… --out original.pdf
      ingest-grpc files download md-file-3f1d0c52-… --out - | less
    """
    async with session.connect() as client:
        if out == Path("-"):
            await client.download(file_id, sys.stdout.buffer)
            return
        file = await client.get_file(file_id)
        path = _target(out, file.filename)
        if not force:
            refuse_taken([path])
        path.parent.mkdir(parents=True, exist_ok=True)
        await client.download(file_id, path)
    if session.output.as_json:
        session.output.value({"file_id": file_id, "path": os.fspath(path), "size_bytes": file.size_bytes})
    else:
        session.output.line(f"{path} ({human_bytes(file.size_bytes)})")


def _target(out: Path | None, filename: str) -> Path:
    if out is not None and not out.is_dir():
        return out
    return Destinations(out or Path(), suffix="").choose(PurePath(filename))


@app.command("delete")
@command
async def delete(
    session: Session,
    file_ids: Annotated[list[str], typer.Argument(metavar="FILE_ID", help="Files, file-… or md-file-….")],
    force: Annotated[bool, flag("--force", "-f", help="Remove it from the jobs that list it, too.")] = False,
) -> int:
    """Delete files; refused while a job lists them, unless forced.

    One that is refused does not stop the others. Exit code 1 if one was.

    Example:
      ingest-grpc files delete file-9c1e5d0a-… --force
    """
    async with session.connect() as client:
        deleted = [await _delete(session, client, file_id, force=force) for file_id in file_ids]
    return 0 if all(deleted) else FAILED


async def _delete(session: Session, client: "AsyncClient", file_id: str, *, force: bool) -> bool:
    """Deletes one file and says so; False if the server refused that, for which the error is printed."""
    from grpc import StatusCode  # noqa: PLC0415 - see Session.connect

    from ingest_grpc.client.errors import IngestCallError  # noqa: PLC0415 - see Session.connect

    try:
        deleted = await client.delete_file(file_id, force=force)
    except IngestCallError as error:
        # Any other refusal would meet the next file, too.
        if error.code not in {StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION, StatusCode.INVALID_ARGUMENT}:
            raise
        session.output.failure(explain(error))
        return False
    if session.output.as_json:
        session.output.message(deleted)
    else:
        jobs = f" and removed from {plural(len(deleted.job_ids), 'job')}" if deleted.job_ids else ""
        session.output.line(f"{file_id} deleted{jobs}")
    return True
