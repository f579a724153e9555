"""`jobs …`: create, list, show, change and cancel jobs."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli.failures import FAILED, USAGE, Failure
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.options import flag, teaches, type_option
from ingest_grpc.cli.output import Column
from ingest_grpc.cli.results import results_of_job, save_results, show_results
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.sources import prompt_text
from ingest_grpc.cli.views import JOB_COLUMNS, event_line, job_row, show_job, status_text
from ingest_grpc.cli.words import plural, word
from ingest_grpc.lifecycle import JobStatus, JobType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest_grpc.client.messages import AddFileResult, Job, RemoveFileResult

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job, dj-….")]
_JOB_FILE_COLUMNS = (Column("Output", whole=True), Column("Name"), Column("Status", whole=True))


@app.callback()
@teaches
def jobs() -> None:
    """Create, list, change and cancel jobs.

    Example:
      ingest-grpc jobs list --status needs_review
    """


@app.command("list")
@command
async def list_jobs(
    session: Session,
    status: Annotated[
        list[JobStatus] | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help="Only jobs with this status; repeat it for several."),
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List jobs, newest first.

    Examples:
      ingest-grpc jobs list
      ingest-grpc jobs list --status needs_review --status cancelled --json
    """
    async with session.connect() as client:
        found = client.list_jobs(statuses=[each.value for each in status or ()], page_size=page_size(limit))
        await show_list(session, found, JOB_COLUMNS, job_row, limit, "No jobs; 'ingest-grpc ingest FILE' makes one.")


@app.command("get")
@command
async def get_job(session: Session, job_id: JobId) -> None:
    """Show a job: its status, what needs a hand, its files and its milestones.

    Example:
      ingest-grpc jobs get dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        response = await client.get_job(job_id)
    if session.output.as_json:
        session.output.message(response.job)
        return
    _show_full(session, response.job)
    if response.records_truncated:
        session.output.hint(f"Not all files are shown; 'ingest-grpc ingestion records {job_id} --limit 0' lists them.")


def _show_full(session: Session, job: "Job") -> None:
    show_job(session.output, job)
    if job.files:
        rows = [(each.file_id, each.name, status_text(word(each, "status"))) for each in job.files]
        session.output.line("")
        session.output.table(_JOB_FILE_COLUMNS, rows)
    if job.timeline:
        session.output.line("")
    for event in job.timeline:
        session.output.line(event_line(event))


@app.command("create")
@command
async def create_job(  # long: one parameter per option
    session: Session,
    name: Annotated[str, typer.Option(help="Its name, 1 to 255 characters.")],
    job_type: Annotated[JobType, type_option()] = JobType.CONTEXT_GROUNDED_FILES,
    file_ids: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="FILE_ID", help="An uploaded file to add; repeat it for several."),
    ] = None,
    description: Annotated[str, typer.Option(help="Free text.")] = "",
    system_prompt: Annotated[
        str, typer.Option(metavar="FILE|TEXT", help="Instruction for the model that uses the data.")
    ] = "",
    instructions: Annotated[str, typer.Option(metavar="FILE|TEXT", help="Instructions for making the data.")] = "",
) -> None:
    """Create a job, with files that were uploaded before or without any.

    Prints the id of the job. 'ingest-grpc ingest' does all steps at once.

    Example:
      ingest-grpc jobs create --name handbook --file file-9c1e5d0a-… --file file-77aa0b1c-…
    """
    async with session.connect() as client:
        created = await client.create_job(
            name,
            job_type=job_type.value,
            files=file_ids or (),
            description=description,
            system_prompt=prompt_text(system_prompt),
            instructions=prompt_text(instructions),
        )
    if session.output.as_json:
        session.output.message(created)
    else:
        session.output.line(created.job.job_id)


@app.command("add")
@command
async def add_files(
    session: Session,
    job_id: JobId,
    file_ids: Annotated[list[str], typer.Argument(metavar="FILE_ID", help="Uploaded files, file-….")],
    allow_partial: Annotated[
        bool, flag("--allow-partial", help="Add what can be added, instead of all or none.")
    ] = False,
) -> int:
    """Add uploaded files to a job; they are converted at once.

    Exit code 1 if one of them could not be added.

    Example:
      ingest-grpc jobs add dj-1b75f4d5-… file-9c1e5d0a-… file-77aa0b1c-…
    """
    async with session.connect() as client:
        added = await client.add_files(job_id, file_ids, allow_partial=allow_partial)
    if session.output.as_json:
        session.output.message(added)
    else:
        _show_outcomes(session, added.results)
    return _exit_code(added.results, {"ADDED", "ALREADY_PRESENT", "MARKDOWN_READY"})


@app.command("remove")
@command
async def remove_files(
    session: Session,
    job_id: JobId,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Records, ijf-…, or files, file-… and md-file-….")],
) -> int:
    """Remove files from a job; what is being converted is stopped, the history stays.

    Exit code 1 if the job has no such record or file.

    Example:
      ingest-grpc jobs remove dj-1b75f4d5-… ijf-0f3c22d1-…
    """
    records = [each for each in ids if each.startswith("ijf-")]
    files = [each for each in ids if each.startswith(("file-", "md-file-"))]
    if unknown := [each for each in ids if each not in {*records, *files}]:
        raise Failure(f"{unknown[0]!r} is neither a record nor a file.", "Use ids as 'jobs get' shows them.", USAGE)
    async with session.connect() as client:
        removed = await client.remove_files(job_id, record_ids=records, file_ids=files)
    if session.output.as_json:
        session.output.message(removed)
    else:
        _show_outcomes(session, removed.results)
    return _exit_code(removed.results, {"REMOVED", "ALREADY_REMOVED"})


def _show_outcomes(session: Session, results: "Iterable[AddFileResult] | Iterable[RemoveFileResult]") -> None:
    rows = [(getattr(each, "id", "") or getattr(each, "file_id", ""), word(each, "outcome")) for each in results]
    session.output.table((Column("Id", whole=True), Column("Outcome", whole=True)), rows)


def _exit_code(results: "Iterable[AddFileResult] | Iterable[RemoveFileResult]", good: set[str]) -> int:
    return 0 if all(word(each, "outcome") in good for each in results) else FAILED


@app.command("results")
@command
async def results(
    session: Session,
    job_id: JobId,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", file_okay=False, help="Save the Markdown below it.")
    ] = None,
) -> int:
    """Show what became of every file of a job, and save its Markdown: the end of an 'ingest' that was left.

    Exit code 1 if a file is not converted.

    Example:
      ingest-grpc jobs results dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d --out markdown/
    """
    async with session.connect() as client:
        state = await client.job_view(job_id)
        found = results_of_job(state)
        if out is not None:
            found = await save_results(client, found, out, lambda done, total: None)
    show_results(session.output, found, state.job)
    return 0 if all(each.good for each in found) else FAILED


@app.command("cancel")
@command
async def cancel_job(session: Session, job_id: JobId) -> None:
    """Cancel what a job has in flight; finished files keep their results.

    Example:
      ingest-grpc jobs cancel dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        cancelled = await client.cancel_job(job_id)
    if session.output.as_json:
        session.output.message(cancelled)
    else:
        count = plural(cancelled.records_cancelled, "file")
        session.output.line(f"{count} cancelled; the job is {word(cancelled.job, 'status')}")


@app.command("events")
@command
async def list_events(
    session: Session,
    job_id: JobId,
    after_sequence: Annotated[int, typer.Option(metavar="N", min=0, help="Only events after this one.")] = 0,
    limit: Limit = 0,
) -> None:
    """List the events of a job so far, oldest first.

    'ingest-grpc watch JOB' also shows those that come.

    Examples:
      ingest-grpc jobs events dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
      ingest-grpc jobs events dj-1b75f4d5-… --after-sequence 120 --json
    """
    shown = 0
    async with session.connect() as client:
        found = client.list_events(job_id, after_sequence=after_sequence, page_size=page_size(limit))
        async with contextlib.aclosing(found) as events:
            async for event in events:
                if limit and shown == limit:
                    session.output.hint(f"There are more: continue with --after-sequence {event.sequence - 1}.")
                    break
                shown += 1
                if session.output.as_json:
                    session.output.message(event)
                else:
                    session.output.line(event_line(event))
