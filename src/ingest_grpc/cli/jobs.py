"""`jobs …`: create, list, show and cancel jobs, and change their files."""

import contextlib
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli import job_changes, watch_jobs
from ingest_grpc.cli.failures import FAILED, USAGE, Failure
from ingest_grpc.cli.job_changes import JobId
from ingest_grpc.cli.listing import DEFAULT_LIMIT, Limit, page_size, show_list
from ingest_grpc.cli.metadata import MetadataOption, files_to_add
from ingest_grpc.cli.options import (
    KnowledgeBaseOption,
    LabelOption,
    MethodOption,
    NewJobType,
    TypeOption,
    flag,
    method_number,
    parsed_labels,
    teaches,
)
from ingest_grpc.cli.outcomes import exit_code, show_outcomes
from ingest_grpc.cli.results import destinations, results_of_job, save_results, show_results
from ingest_grpc.cli.saving import Force, OutFolder, refuse_taken
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.sources import prompt_text
from ingest_grpc.cli.views import JOB_COLUMNS, JOB_FILE_COLUMNS, event_line, job_file_row, job_row, show_job
from ingest_grpc.cli.words import plural, word
from ingest_grpc.lifecycle import JobStatus, JobType

if TYPE_CHECKING:
    from ingest_grpc.client.messages import Job

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)
app.add_typer(job_changes.app)
app.add_typer(watch_jobs.app)

ExternalId = Annotated[str, typer.Option(metavar="KEY", help="Your own key of the job, unique in the team.")]
ValidateOnly = Annotated[bool, flag("--validate-only", help="Check everything, and change nothing.")]
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


class Dialect(StrEnum):
    """Other systems in whose words a job can be shown."""

    SEEKR = "seekr"
    TENSORAS = "tensoras"
    LLAMACLOUD = "llamacloud"


class Order(StrEnum):
    """What jobs are listed by."""

    CREATED_AT = "created_at"
    NAME = "name"
    UPDATED_AT = "updated_at"
    JOB_TYPE = "job_type"


@app.callback()
@teaches
def jobs() -> None:
    """Create, list, change and cancel jobs.

    Example:
      ingest-grpc jobs list --status needs_review
    """


@app.command("list")
@command
async def list_jobs(  # long: one parameter per filter
    session: Session,
    status: Annotated[
        list[JobStatus] | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help="Only jobs with this status; repeat it for several."),
    ] = None,
    job_type: Annotated[
        list[JobType] | None,
        typer.Option("--type", case_sensitive=False, metavar="TYPE", help="Only jobs of this type."),
    ] = None,
    name_contains: Annotated[str, typer.Option(metavar="TEXT", help="Only jobs with this text in their name.")] = "",
    label: LabelOption = None,
    external_id: ExternalId = "",
    created_after: Annotated[
        datetime | None, typer.Option(metavar="TIME", formats=_TIMES, help="Only jobs created then or later.")
    ] = None,
    created_before: Annotated[
        datetime | None, typer.Option(metavar="TIME", formats=_TIMES, help="Only jobs created before.")
    ] = None,
    deleted: Annotated[bool, flag("--deleted", help="List deleted jobs, too.")] = False,
    order_by: Annotated[
        Order, typer.Option(metavar="WHAT", help="created_at, name, updated_at, job_type.")
    ] = Order.CREATED_AT,
    ascending: Annotated[bool, flag("--ascending", help="Begin with the oldest, or with A.")] = False,
    limit: Limit = DEFAULT_LIMIT,
) -> None:
    """List jobs, newest first.

    A TIME is 2026-01-15 or 2026-01-15T14:30:00, in the zone of this machine.

    Examples:
      ingest-grpc jobs list
      ingest-grpc jobs list --status needs_review --status cancelled --json
      ingest-grpc jobs list --label team=legal --created-after 2026-01-15
      ingest-grpc jobs list --name-contains report --order-by name --ascending
    """
    async with session.connect() as client:
        found = client.list_jobs(
            statuses=[each.value for each in status or ()],
            job_types=[each.value for each in job_type or ()],
            external_id=external_id,
            name_contains=name_contains,
            labels=parsed_labels(label),
            created_after=created_after and created_after.astimezone(),
            created_before=created_before and created_before.astimezone(),
            show_deleted=deleted,
            order_by=order_by.name,
            ascending=ascending,
            page_size=page_size(limit),
        )
        await show_list(session, found, JOB_COLUMNS, job_row, limit, "No jobs; 'ingest-grpc ingest FILE' makes one.")


@app.command("get")
@command
async def get_job(
    session: Session,
    job_id: JobId,
    dialect: Annotated[
        Dialect | None,
        typer.Option("--as", metavar="DIALECT", help="As JSON of another system: seekr, tensoras, llamacloud."),
    ] = None,
) -> None:
    """Show a job: its status, what needs a hand, its files and its milestones.

    Examples:
      ingest-grpc jobs get dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
      ingest-grpc jobs get dj-1b75f4d5-… --as seekr
    """
    async with session.connect() as client:
        if dialect is not None:
            from ingest_grpc.client.dialects import render  # noqa: PLC0415 - see Session.connect

            session.output.document(render(await client.whole_job(job_id), dialect.value))
            return
        response = await client.get_job(job_id)
    if session.output.as_json:
        session.output.message(response.job)
        return
    _show_full(session, response.job)
    if response.records_truncated:
        session.output.hint(f"Not all files are shown; 'ingest-grpc jobs files {job_id} --limit 0' lists them.")


@app.command("files")
@command
async def list_job_files(session: Session, job_id: JobId, limit: Limit = DEFAULT_LIMIT) -> None:
    """List the files of a job: Markdown that was added as it is, then the outputs.

    'ingest-grpc ingestion records JOB' shows how each was converted.

    Example:
      ingest-grpc jobs files dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d --limit 0
    """
    async with session.connect() as client:
        found = client.list_job_files(job_id, page_size=page_size(limit))
        await show_list(session, found, JOB_FILE_COLUMNS, job_file_row, limit, "No files.")


def _show_full(session: Session, job: "Job") -> None:
    show_job(session.output, job)
    if job.files:
        session.output.line("")
        session.output.table(JOB_FILE_COLUMNS, [job_file_row(each) for each in job.files])
    if job.timeline:
        session.output.line("")
    for event in job.timeline:
        session.output.line(event_line(event))


@app.command("create")
@command
async def create_job(  # long: one parameter per option
    session: Session,
    name: Annotated[str, typer.Option(help="Its name, 1 to 255 characters.")],
    job_type: TypeOption = NewJobType.CONTEXT_GROUNDED_FILES,
    file_ids: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="FILE_ID", help="An uploaded file to add; repeat it for several."),
    ] = None,
    description: Annotated[str, typer.Option(help="Free text.")] = "",
    system_prompt: Annotated[
        str, typer.Option(metavar="FILE|TEXT", help="Instruction for the model that uses the data.")
    ] = "",
    instructions: Annotated[str, typer.Option(metavar="FILE|TEXT", help="Instructions for making the data.")] = "",
    method: MethodOption = None,
    priority: Annotated[
        int, typer.Option(metavar="N", min=0, max=9, help="0 to 9; files of a greater one go first.")
    ] = 0,
    knowledge_base: KnowledgeBaseOption = "",
    label: LabelOption = None,
    external_id: ExternalId = "",
    validate_only: ValidateOnly = False,
) -> None:
    """Create a job, with files that were uploaded before or without any.

    Prints the id of the job. 'ingest-grpc ingest' does all steps at once.

    Examples:
      ingest-grpc jobs create --name handbook --file file-9c1e5d0a-…
      ingest-grpc jobs create --name contracts --label team=legal --priority 5
      ingest-grpc jobs create --name answers --type context_grounded_vector_db --knowledge-base kb-…
    """
    async with session.connect() as client:
        created = await client.create_job(
            name,
            job_type=job_type.value,
            files=file_ids or (),
            description=description,
            system_prompt=prompt_text(system_prompt),
            instructions=prompt_text(instructions),
            method=method_number(method),
            priority=priority,
            labels=parsed_labels(label),
            knowledge_base_id=knowledge_base,
            external_id=external_id,
            validate_only=validate_only,
        )
    if session.output.as_json:
        session.output.message(created)
    else:
        session.output.line("Everything is fine; nothing was changed." if validate_only else created.job.job_id)


@app.command("add")
@command
async def add_files(
    session: Session,
    job_id: JobId,
    file_ids: Annotated[list[str], typer.Argument(metavar="FILE_ID", help="Uploaded files, file-….")],
    metadata: MetadataOption = None,
    method: MethodOption = None,
    allow_partial: Annotated[
        bool, flag("--allow-partial", help="Add what can be added, instead of all or none.")
    ] = False,
    validate_only: ValidateOnly = False,
) -> int:
    """Add uploaded files to a job; they are converted at once.

    Exit code 1 if one of them could not be added. Values of --metadata are kept on the records: numbers,
    true and false as such, all else as text. Markdown that needs no record keeps none.

    Examples:
      ingest-grpc jobs add dj-1b75f4d5-… file-9c1e5d0a-… file-77aa0b1c-…
      ingest-grpc jobs add dj-1b75f4d5-… file-9c1e5d0a-… --metadata team=legal --metadata year=2026
      ingest-grpc jobs add dj-1b75f4d5-… file-9c1e5d0a-… --method accuracy-optimized
    """
    files = files_to_add(file_ids, metadata)
    async with session.connect() as client:
        added = await client.add_files(
            job_id,
            files,
            method=method_number(method),
            allow_partial=allow_partial,
            validate_only=validate_only,
            view=_view(session),
        )
    if session.output.as_json:
        session.output.message(added)
    else:
        show_outcomes(session.output, added.results)
    return exit_code(added.results)


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
        removed = await client.remove_files(job_id, record_ids=records, file_ids=files, view=_view(session))
    if session.output.as_json:
        session.output.message(removed)
    else:
        show_outcomes(session.output, removed.results)
    return exit_code(removed.results)


def _view(session: Session) -> str:
    """The view of a job that only --json shows."""
    return "FULL" if session.output.as_json else "BASIC"


@app.command("results")
@command
async def results(
    session: Session,
    job_id: JobId,
    out: OutFolder = None,
    force: Force = False,
) -> int:
    """Show what became of every file of a job, and save its Markdown: the end of an 'ingest' that was left.

    Exit code 1 if a file is not converted.

    Example:
      ingest-grpc jobs results dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d --out markdown/
    """
    async with session.connect() as client:
        state = await client.job_view(job_id)
        job = state.job
        if job is not None and job.HasField("alignment_job_id"):
            job = (await client.get_job(job_id)).job  # a watch does not name the dataset
        found = results_of_job(state)
        if out is not None:
            if not force:
                refuse_taken(filter(None, destinations(found, out)))
            found = await save_results(client, found, out, lambda done, total: None, force=force)
    show_results(session.output, found, job)
    return 0 if all(each.good for each in found) else FAILED


@app.command("cancel")
@command
async def cancel_job(session: Session, job_id: JobId) -> None:
    """Cancel what a job has in flight; finished files keep their results.

    The job is CANCELLED then, even if nothing was in flight: until files are
    added or retried, or it is started.

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
