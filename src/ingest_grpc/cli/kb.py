"""`kb …`: knowledge bases, what feeds them, and what is found in them."""

from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli import kb_sources, kb_views
from ingest_grpc.cli.display import open_display
from ingest_grpc.cli.failures import FAILED, USAGE, Failure
from ingest_grpc.cli.ingest import follow
from ingest_grpc.cli.kb_additions import add_files
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.metadata import MetadataOption, parsed_metadata
from ingest_grpc.cli.options import MethodOption, flag, method_number, teaches
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import SearchMode

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import Job

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)
KnowledgeBaseId = Annotated[str, typer.Argument(metavar="KB", help="The knowledge base, kb-….")]
FileId = Annotated[str, typer.Argument(metavar="FILE", help="A file of it, file-….")]
NoWait = Annotated[bool, flag("--no-wait", help="Return at once; the job goes on.")]


@app.callback()
@teaches
def kb() -> None:
    """Keep knowledge bases in step with where documents are, and search them.

    Examples:
      ingest-grpc kb create Handbook
      ingest-grpc kb add kb-… s3://company/handbook/ --include '*.pdf'
      ingest-grpc kb sync ds-…
      ingest-grpc kb search kb-… "how do I send goods back"
    """


@app.command("create")
@command
async def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its display name.")],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    embedder: Annotated[str, typer.Option(metavar="NAME", help="wordllama, onnx or endpoint; else the default.")] = "",
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Longest chunk in tokens; 0 = the default.")] = 0,
    external_id: Annotated[str, typer.Option(metavar="ID", help="Your own key of it.")] = "",
) -> None:
    """Create an empty knowledge base.

    Example:
      ingest-grpc kb create Handbook --description "What our customers may ask"
    """
    async with session.connect() as client:
        created = await client.create_knowledge_base(
            name, description=description, embedder=embedder, max_tokens=max_tokens, external_id=external_id
        )
    kb_views.show_knowledge_base(session.output, created)


@app.command("list")
@command
async def list_knowledge_bases(
    session: Session,
    deleted: Annotated[bool, flag("--deleted", help="List deleted ones too.")] = False,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List knowledge bases, newest first.

    Example:
      ingest-grpc kb list
    """
    async with session.connect() as client:
        found = client.list_knowledge_bases(show_deleted=deleted, page_size=page_size(limit))
        await show_list(session, found, kb_views.COLUMNS, kb_views.row, limit, "No knowledge bases.")


@app.command("get")
@command
async def get(session: Session, knowledge_base_id: KnowledgeBaseId) -> None:
    """Show a knowledge base with its counts.

    Example:
      ingest-grpc kb get kb-…
    """
    async with session.connect() as client:
        found = await client.get_knowledge_base(knowledge_base_id)
    kb_views.show_knowledge_base(session.output, found)


@app.command("update")
@command
async def update(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="New name.")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="New description; empty clears it.")] = None,
    embedder: Annotated[str | None, typer.Option(metavar="NAME", help="Another embedder; needs --reindex.")] = None,
    max_tokens: Annotated[int | None, typer.Option(metavar="N", help="Other chunks; needs --reindex.")] = None,
    reindex: Annotated[bool, flag("--reindex", help="Embed all files anew; the old chunks serve until then.")] = False,
) -> int:
    """Change a knowledge base.

    Example:
      ingest-grpc kb update kb-… --embedder endpoint --reindex
    """
    if not reindex and all(each is None for each in (name, description, embedder, max_tokens)):
        raise Failure("Nothing to change was given.", "Give at least one option, for example --name.", USAGE)
    async with session.connect() as client:
        changed = await client.update_knowledge_base(
            knowledge_base_id,
            name=name,
            description=description,
            embedder=embedder,
            max_tokens=max_tokens,
            reindex=reindex,
        )
        if changed.HasField("job"):
            return await follow_job(session, client, changed.job)
    kb_views.show_knowledge_base(session.output, changed.knowledge_base)
    return 0


@app.command("delete")
@command
async def delete(session: Session, knowledge_base_id: KnowledgeBaseId) -> None:
    """Cancel its jobs and hide it; it can be undeleted until it is purged.

    Example:
      ingest-grpc kb delete kb-…
    """
    async with session.connect() as client:
        kb_views.show_knowledge_base(session.output, await client.delete_knowledge_base(knowledge_base_id))


@app.command("undelete")
@command
async def undelete(session: Session, knowledge_base_id: KnowledgeBaseId) -> None:
    """Take a deletion back.

    Example:
      ingest-grpc kb undelete kb-…
    """
    async with session.connect() as client:
        kb_views.show_knowledge_base(session.output, await client.undelete_knowledge_base(knowledge_base_id))


@app.command("add")
@command
async def add(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    sources: Annotated[list[str], typer.Argument(metavar="URL|PATH", help="One URL, or documents and folders here.")],
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only such keys of the URL.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No such keys of the URL.")] = None,
    every: Annotated[int | None, typer.Option(metavar="SECONDS", help="Sync the URL by itself, so often.")] = None,
    metadata: MetadataOption = None,
    method: MethodOption = None,
    no_wait: NoWait = False,
) -> int:
    """Add documents: a place that is synced (s3://, gs://, az://, file://), or files of this machine.

    Shows how it goes until every file is done. Exit code 1 if a file failed.
    A file that is there already with this name and these bytes is left out,
    unless --metadata or --method is given. If nothing is added, --json prints
    {"left_out": […]}. A file with other bytes stands beside the old one until
    'kb remove' takes that away. A sync replaces files by itself.
    Values of --metadata are kept as numbers, true and false where they are such; searches compare with them.

    Examples:
      ingest-grpc kb add kb-… s3://company/handbook/ --include '**/*.pdf' --every 3600
      ingest-grpc kb add kb-… manuals/ returns.md --metadata team=support --metadata year=2026
    """
    urls = [each for each in sources if "://" in each]
    if urls and len(sources) > 1:
        raise Failure("One URL can be added at a time, and no files beside it.", "Call it once for each.", USAGE)
    if urls and metadata:
        raise Failure("--metadata is for files of this machine.", "Leave it out, or add files.", USAGE)
    if not urls and (include or exclude or every is not None):
        fix = "Leave them out, or add a URL."
        raise Failure("--include, --exclude and --every are for a URL that is synced.", fix, USAGE)
    async with session.connect() as client:
        if urls:
            added = await client.add_data_source(
                knowledge_base_id,
                url=urls[0],
                include_patterns=include or (),
                exclude_patterns=exclude or (),
                method=method_number(method),
                sync_interval_seconds=every,
            )
            session.output.hint(f"data source {added.data_source.data_source_id}")
            job: Job | None = added.job
        else:
            job = await add_files(session, client, knowledge_base_id, sources, metadata, method_number(method))
        return 0 if job is None else await follow_job(session, client, job, wait=not no_wait)


@app.command("sync")
@command
async def sync(
    session: Session,
    data_source_id: kb_sources.DataSourceId,
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="Only these keys.")] = None,
    no_wait: NoWait = False,
) -> int:
    """Bring a knowledge base in step with a data source; nothing is done where nothing changed.

    Examples:
      ingest-grpc kb sync ds-…
      ingest-grpc kb sync ds-… manuals/returns.pdf
    """
    async with session.connect() as client:
        synced = await client.sync_data_source(data_source_id, keys or ())
        if keys and not kb_views.files_met(synced.data_source):
            raise Failure("The data source has none of these keys.", "See 'ingest-grpc kb files' for its keys.", FAILED)
        kb_views.show_sync(session.output, synced.data_source)
        if not synced.HasField("job"):
            return 0
        return await follow_job(session, client, synced.job, wait=not no_wait)


async def follow_job(session: Session, client: "AsyncClient", job: "Job", *, wait: bool = True) -> int:
    """Shows how the job goes, and how it ended; or how to follow it."""
    to_follow = f"The job goes on. To follow it: ingest-grpc watch {job.job_id}"
    if not wait:
        if session.output.as_json:
            session.output.message(job)
        session.output.hint(to_follow)
        return 0
    total = sum(count.count for count in job.record_counts)
    with told_if_interrupted(session.output, lambda: to_follow):
        async with open_display(session.output, total, quiet=session.output.as_json) as display:
            await follow(session, client, job.job_id, display)
    ended = (await client.get_job(job.job_id, view="BASIC")).job
    kb_views.show_job(session.output, ended)
    return FAILED if ended.review_reasons_total else 0


@app.command("status")
@command
async def status(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    file_id: Annotated[str | None, typer.Argument(metavar="FILE", help="One of its files; else counts of all.")] = None,
) -> None:
    """Show how many files have each status, or where one file stands.

    Example:
      ingest-grpc kb status kb-… file-…
    """
    async with session.connect() as client:
        if file_id is None:
            kb_views.show_counts(session.output, await client.get_file_status_counts(knowledge_base_id))
        else:
            kb_views.show_status(session.output, await client.get_file_status(knowledge_base_id, file_id))


@app.command("files")
@command
async def files(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    wanted: Annotated[
        list[RecordStatus] | None,
        typer.Option("--status", case_sensitive=False, metavar="STATUS", help="Only such; repeat it for several."),
    ] = None,
    source: Annotated[str, typer.Option(metavar="DS", help="Only those of this data source.")] = "",
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List the files of a knowledge base, newest first.

    Example:
      ingest-grpc kb files kb-… --status failed
    """
    async with session.connect() as client:
        found = client.list_knowledge_base_files(
            knowledge_base_id,
            statuses=[each.value for each in wanted or ()],
            data_source_id=source,
            page_size=page_size(limit),
        )
        await show_list(session, found, kb_views.FILE_COLUMNS, kb_views.file_row, limit, "No files.")


@app.command("remove")
@command
async def remove(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    file_ids: Annotated[list[str], typer.Argument(metavar="FILE", help="Files of it, file-….")],
) -> int:
    """Remove files from a knowledge base; they are found no more.

    Example:
      ingest-grpc kb remove kb-… file-…
    """
    async with session.connect() as client:
        removed = await client.remove_knowledge_base_files(knowledge_base_id, file_ids)
    return kb_views.show_removed(session.output, removed.results)


@app.command("chunks")
@command
async def chunks(
    session: Session, knowledge_base_id: KnowledgeBaseId, file_id: FileId, limit: Limit = DEFAULT_LIMIT
) -> None:
    """List the chunks of a file.

    Example:
      ingest-grpc kb chunks kb-… file-…
    """
    async with session.connect() as client:
        found = client.list_chunks(knowledge_base_id, file_id, page_size=page_size(limit))
        await show_list(session, found, kb_views.CHUNK_COLUMNS, kb_views.chunk_row, limit, "No chunks.")


@app.command("search")
@command
async def search(
    session: Session,
    knowledge_base_id: KnowledgeBaseId,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for, in words.")],
    top: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Most results.")] = 5,
    mode: Annotated[
        SearchMode, typer.Option(case_sensitive=False, metavar="MODE", help="hybrid, vector or text.")
    ] = SearchMode.HYBRID,
    source: Annotated[list[str] | None, typer.Option(metavar="DS", help="Only of this data source.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only files with this metadata; repeat it for several."),
    ] = None,
) -> None:
    """Find the chunks that answer a query best.

    Values of --where are compared as --metadata keeps them: 2026 is a number, '"2026"' is text.

    Examples:
      ingest-grpc kb search kb-… "how do I send goods back" --top 3
      ingest-grpc kb search kb-… "cooling" --where team=support --where year=2026
    """
    async with session.connect() as client:
        found = await client.search(
            knowledge_base_id,
            query,
            top_k=top,
            mode=mode.value,
            data_source_ids=source or (),
            metadata=parsed_metadata(where or ()),
        )
    kb_views.show_results(session.output, found)


app.registered_commands += kb_sources.app.registered_commands
