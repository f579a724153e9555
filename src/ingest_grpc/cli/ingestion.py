"""`ingestion …`: the runs of a job, and the records of their files."""

from typing import Annotated

import typer

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.options import flag, teaches
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.views import INGESTION_COLUMNS, RECORD_COLUMNS, ingestion_row, record_row, show_ingestion
from ingest_grpc.ids import Prefix, form, is_id
from ingest_grpc.lifecycle import IngestionJobStatus, RecordStatus, Step

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)


@app.callback()
@teaches
def ingestion() -> None:
    """List ingestion jobs and the records of their files.

    An ingestion job is one run inside a job: the files that were added together.

    Example:
      ingest-grpc ingestion records dj-1b75f4d5-… --status failed --step parse
    """


@app.command("list")
@command
async def list_ingestion_jobs(
    session: Session,
    job: Annotated[str, typer.Option(metavar="JOB", help="Only those of this job, dj-….")] = "",
    status: Annotated[
        list[IngestionJobStatus] | None,
        typer.Option(
            case_sensitive=False, metavar="STATUS", help="Only those with this status; repeat it for several."
        ),
    ] = None,
    oldest_first: Annotated[bool, flag("--oldest-first", help="Begin with the oldest.")] = False,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List ingestion jobs, newest first.

    Example:
      ingest-grpc ingestion list --job dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        found = client.list_ingestion_jobs(
            job_id=job,
            statuses=[each.value for each in status or ()],
            oldest_first=oldest_first,
            page_size=page_size(limit),
        )
        await show_list(session, found, INGESTION_COLUMNS, ingestion_row, limit, "No ingestion jobs.")


@app.command("get")
@command
async def get_ingestion_job(
    session: Session,
    ingestion_job_id: Annotated[str, typer.Argument(metavar="INGESTION_JOB", help="The ingestion job, ij-….")],
) -> None:
    """Show an ingestion job and the records of its files.

    Example:
      ingest-grpc ingestion get ij-5a0c7f6e-3d4b-4f0e-9a55-7a3c1de2b0aa
    """
    async with session.connect() as client:
        response = await client.get_ingestion_job(ingestion_job_id)
    if session.output.as_json:
        session.output.message(response.ingestion_job)
        return
    show_ingestion(session.output, response.ingestion_job)
    session.output.line("")
    session.output.table(RECORD_COLUMNS, [record_row(each) for each in response.ingestion_job.records])
    if response.records_truncated:
        session.output.hint(
            f"Not all are shown; 'ingest-grpc ingestion records {ingestion_job_id} --limit 0' lists them."
        )


@app.command("records")
@command
async def list_records(
    session: Session,
    of: Annotated[str, typer.Argument(metavar="JOB|INGESTION_JOB", help="Whose records, dj-… or ij-….")],
    status: Annotated[
        list[RecordStatus] | None,
        typer.Option(
            case_sensitive=False, metavar="STATUS", help="Only those with this status; repeat it for several."
        ),
    ] = None,
    step: Annotated[
        list[Step] | None,
        typer.Option(
            case_sensitive=False, metavar="STEP", help="Only those in this step, or that failed in it; repeat it."
        ),
    ] = None,
    removed: Annotated[bool, flag("--removed", help="List removed ones, too.")] = False,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List the records of files: status, pages, size of the Markdown, time; errors with --json.

    Examples:
      ingest-grpc ingestion records dj-1b75f4d5-… --status failed
      ingest-grpc ingestion records ij-5a0c7f6e-… --json
    """
    if not is_id(of, Prefix.JOB, Prefix.INGESTION_JOB):
        expected = form(Prefix.JOB, Prefix.INGESTION_JOB)
        raise Failure(f"{of!r} is not of the form {expected}.", "Use an id exactly as a list shows it.", USAGE)
    whose = {"job_id": of} if is_id(of, Prefix.JOB) else {"ingestion_job_id": of}
    async with session.connect() as client:
        found = client.list_file_records(
            **whose,
            statuses=[each.value for each in status or ()],
            steps=[each.value for each in step or ()],
            show_deleted=removed,
            page_size=page_size(limit),
        )
        await show_list(session, found, RECORD_COLUMNS, record_row, limit, "No such records.")
