"""`files …`: the commands that let the server read a file itself, and change what is kept with a file."""

from datetime import datetime
from typing import Annotated

import typer

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.metadata import MetadataOption, parsed_metadata
from ingest_grpc.cli.options import flag
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.views import show_file

app = typer.Typer(rich_markup_mode="rich", add_completion=False)

ExternalId = Annotated[str, typer.Option(metavar="ID", help="A key of your own, unique among your team's files.")]


@app.command("import")
@command
async def import_file(
    session: Session,
    url: Annotated[str, typer.Argument(metavar="URL", help="s3://, gs://, az:// or file://.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Its name; else the last part of the URL.")] = "",
    content_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Content type; else guessed from the name.")
    ] = "",
    external_id: ExternalId = "",
) -> None:
    """Let the server read a file itself, from where its settings allow it.

    The bytes are read once they are needed. If they have changed by then, the file has to be imported again.

    Examples:
      ingest-grpc files import s3://reports/2025/annual.pdf
      ingest-grpc files import file:///srv/incoming/annual.pdf --external-id annual-2025
    """
    async with session.connect() as client:
        file = await client.import_file(url, filename=name, content_type=content_type, external_id=external_id)
    if session.output.as_json:
        session.output.message(file)
    else:
        show_file(session.output, file)


@app.command("update")
@command
async def update(
    session: Session,
    file_id: Annotated[str, typer.Argument(metavar="FILE_ID", help="The file, file-… or md-file-….")],
    filename: Annotated[str | None, typer.Option(metavar="NAME", help="Its new name.")] = None,
    metadata: MetadataOption = None,
    clear_metadata: Annotated[bool, flag("--clear-metadata", help="Remove all metadata.")] = False,
    expires_at: Annotated[
        str, typer.Option(metavar="TIME", help="When it may be deleted, for example 2030-01-31T12:00.")
    ] = "",
    never_expires: Annotated[bool, flag("--never-expires", help="Take an expiry back.")] = False,
    etag: Annotated[str, typer.Option(metavar="ETAG", help="Refuse if the file has another etag by now.")] = "",
) -> None:
    """Change a file's name, metadata or expiry; metadata that are given replace all others.

    Numbers, true and false are kept as such; write "42" in quotes to keep it as text.

    Examples:
      ingest-grpc files update file-9c1e5d0a-… --filename annual-report.pdf
      ingest-grpc files update file-9c1e5d0a-… --metadata author=Ada --metadata year=1843
      ingest-grpc files update file-9c1e5d0a-… --expires-at 2030-01-31
    """
    if expires_at and never_expires:
        raise Failure("--expires-at and --never-expires exclude each other.", "Give one of them.", USAGE)
    if filename is None and not (metadata or clear_metadata or expires_at or never_expires):
        raise Failure("Nothing to change was given.", "Give at least one option, for example --filename.", USAGE)
    async with session.connect() as client:
        file = await client.update_file(
            file_id,
            filename=filename,
            metadata=parsed_metadata(metadata or ()) if metadata or clear_metadata else None,
            expires_at=parsed_time(expires_at) if expires_at else None,
            never_expires=never_expires,
            etag=etag,
        )
    if session.output.as_json:
        session.output.message(file)
    else:
        show_file(session.output, file)


def parsed_time(text: str) -> datetime:
    """A time of ISO 8601; without a zone it is one of this machine. Raises Failure."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise Failure(f"{text!r} is no time.", "Write it as 2030-01-31 or 2030-01-31T12:00+01:00.", USAGE) from None
