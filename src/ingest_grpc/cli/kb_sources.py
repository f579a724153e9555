"""`kb …`: the commands about data sources; `kb` shows them as its own."""

from typing import Annotated

import typer

from ingest_grpc.cli import kb_views
from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.words import plural

app = typer.Typer(rich_markup_mode="rich", add_completion=False)

DataSourceId = Annotated[str, typer.Argument(metavar="DS", help="The data source, ds-….")]


@app.command("sources")
@command
async def sources(
    session: Session,
    knowledge_base_id: Annotated[str, typer.Argument(metavar="KB", help="The knowledge base, kb-….")],
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List the data sources of a knowledge base.

    Example:
      ingest-grpc kb sources kb-…
    """
    async with session.connect() as client:
        found = client.list_data_sources(knowledge_base_id, page_size=page_size(limit))
        await show_list(session, found, kb_views.SOURCE_COLUMNS, kb_views.source_row, limit, "No data sources.")


@app.command("source")
@command
async def source(session: Session, data_source_id: DataSourceId) -> None:
    """Show a data source with its last sync.

    Example:
      ingest-grpc kb source ds-…
    """
    async with session.connect() as client:
        kb_views.show_source(session.output, await client.get_data_source(data_source_id))


@app.command("update-source")
@command
async def update_source(
    session: Session,
    data_source_id: DataSourceId,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="New name.")] = None,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only such keys from now on.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No such keys from now on.")] = None,
    every: Annotated[int | None, typer.Option(metavar="SECONDS", help="Sync by itself so often; 0 = never.")] = None,
) -> None:
    """Change a data source; the next sync finds out what that means.

    Example:
      ingest-grpc kb update-source ds-… --every 3600
    """
    if all(each is None for each in (name, include, exclude, every)):
        raise Failure("Nothing to change was given.", "Give at least one option, for example --every.", USAGE)
    async with session.connect() as client:
        changed = await client.update_data_source(
            data_source_id, name=name, include_patterns=include, exclude_patterns=exclude, sync_interval_seconds=every
        )
    kb_views.show_source(session.output, changed)


@app.command("remove-source")
@command
async def remove_source(session: Session, data_source_id: DataSourceId) -> None:
    """Remove a data source with its files.

    Example:
      ingest-grpc kb remove-source ds-…
    """
    async with session.connect() as client:
        removed = await client.remove_data_source(data_source_id)
    if session.output.as_json:
        session.output.value({"files_removed": removed})
    else:
        session.output.line(f"{plural(removed, 'file')} removed with it")


@app.command("cancel")
@command
async def cancel(session: Session, data_source_id: DataSourceId) -> None:
    """Cancel the sync of a data source that runs; finished files keep their results.

    Example:
      ingest-grpc kb cancel ds-…
    """
    async with session.connect() as client:
        done = await client.cancel_sync(data_source_id)
    if session.output.as_json:
        session.output.message(done)
    else:
        session.output.line(f"{plural(done.records_cancelled, 'file')} cancelled; the job is {done.job.job_id}")
