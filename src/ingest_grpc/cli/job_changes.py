"""`jobs …`: the commands that change a job as a whole, retry its files, start it, wait for it and explain it."""

import contextlib
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli import why
from ingest_grpc.cli.failures import FAILED, USAGE, Failure
from ingest_grpc.cli.options import LabelOption, flag, parsed_labels
from ingest_grpc.cli.outcomes import exit_code, show_outcomes
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from ingest_grpc.cli.sources import prompt_text
from ingest_grpc.cli.views import job_counts, show_job
from ingest_grpc.cli.words import day_and_time, plural, word

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import FileRecord, Job

app = typer.Typer(rich_markup_mode="rich", add_completion=False)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job, dj-….")]
Etag = Annotated[str, typer.Option(metavar="ETAG", help="Refuse if the job has another etag by now.")]

_UNFINISHED = ("RUNNING", "QUEUED", "FAILED", "CANCELLED")
_LOOKED_AT = 1_000
"""Most records that an explanation is made from."""


class Until(StrEnum):
    """What to wait for."""

    SETTLED = "settled"
    TERMINAL = "terminal"
    CHANGE = "change"


@app.command("retry")
@command
async def retry_files(
    session: Session,
    job_id: JobId,
    record_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECORD", help="Failed or cancelled records, ijf-….", show_default=False),
    ] = None,
    everything: Annotated[bool, flag("--all", help="All that failed or were cancelled and are not resolved.")] = False,
) -> int:
    """Queue failed or cancelled files again; nothing needs to be uploaded.

    Exit code 1 if one of the records could not be retried.

    Examples:
      ingest-grpc jobs retry dj-1b75f4d5-… --all
      ingest-grpc jobs retry dj-1b75f4d5-… ijf-0f3c22d1-… ijf-77aa0b1c-…
    """
    if bool(record_ids) == everything:
        raise Failure("Nothing was chosen, or too much.", "Give records, ijf-…, or --all.", USAGE)
    async with session.connect() as client:
        retried = await client.retry_files(job_id, record_ids or (), all_unresolved=everything)
    if session.output.as_json:
        session.output.message(retried)
    else:
        if retried.results:
            show_outcomes(session.output, retried.results)
        count = plural(retried.records_retried, "file")
        session.output.line(f"{count} queued again; the job is {word(retried.job, 'status')}")
    return exit_code(retried.results)


@app.command("start")
@command
async def start_job(
    session: Session,
    job_id: JobId,
    files_etag: Annotated[
        str, typer.Option(metavar="ETAG", help="Refuse if a file changed since the job had this files_etag.")
    ] = "",
) -> None:
    """Start a job that is READY_TO_START: a dataset is made of its files.

    Example:
      ingest-grpc jobs start dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        job = await client.start_job(job_id, expected_files_etag=files_etag)
    if session.output.as_json:
        session.output.message(job)
    else:
        session.output.line(f"{job.alignment_job_id} started; the job is {word(job, 'status')}")


@app.command("update")
@command
async def update_job(  # long: one parameter per option
    session: Session,
    job_id: JobId,
    name: Annotated[str | None, typer.Option(help="New name, 1 to 255 characters.")] = None,
    description: Annotated[str | None, typer.Option(help='New free text; "" clears it.')] = None,
    system_prompt: Annotated[
        str | None, typer.Option(metavar="FILE|TEXT", help='New instruction for the model; "" clears it.')
    ] = None,
    instructions: Annotated[
        str | None, typer.Option(metavar="FILE|TEXT", help='New instructions for making the data; "" clears them.')
    ] = None,
    knowledge_base: Annotated[
        str | None, typer.Option(metavar="KB", help="Another knowledge base that the job is grounded in, kb-….")
    ] = None,
    label: LabelOption = None,
    clear_labels: Annotated[bool, flag("--clear-labels", help="Remove all labels.")] = False,
    etag: Etag = "",
) -> None:
    """Change a job's name, description, prompts or labels; labels that are given replace all others.

    Examples:
      ingest-grpc jobs update dj-1b75f4d5-… --system-prompt prompt.txt
      ingest-grpc jobs update dj-1b75f4d5-… --label team=legal --label year=2026
    """
    labels = parsed_labels(label) if label or clear_labels else None
    changes = (name, description, system_prompt, instructions, knowledge_base, labels)
    if all(each is None for each in changes):
        raise Failure("Nothing to change was given.", "Give at least one option, for example --name.", USAGE)
    async with session.connect() as client:
        job = await client.update_job(
            job_id,
            name=name,
            description=description,
            system_prompt=None if system_prompt is None else prompt_text(system_prompt),
            instructions=None if instructions is None else prompt_text(instructions),
            labels=labels,
            knowledge_base_id=knowledge_base,
            etag=etag,
        )
    if session.output.as_json:
        session.output.message(job)
    else:
        show_job(session.output, job)


@app.command("delete")
@command
async def delete_job(session: Session, job_id: JobId, etag: Etag = "") -> None:
    """Delete a job: what is in flight is cancelled. It can be undeleted until it is purged.

    Example:
      ingest-grpc jobs delete dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        job = await client.delete_job(job_id, etag=etag)
    if session.output.as_json:
        session.output.message(job)
    else:
        session.output.line(f"{job_id} deleted; it is purged on {day_and_time(job.purge_at)}")


@app.command("undelete")
@command
async def undelete_job(session: Session, job_id: JobId) -> None:
    """Take a deletion back; what it cancelled stays cancelled.

    The job is CANCELLED then, even if nothing was in flight: until files are
    added or retried, or it is started.

    Example:
      ingest-grpc jobs undelete dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        job = await client.undelete_job(job_id)
    if session.output.as_json:
        session.output.message(job)
    else:
        session.output.line(f"{job_id} is back; it is {word(job, 'status')}")


@app.command("clone")
@command
async def clone_job(
    session: Session,
    job_id: JobId,
    name: Annotated[str, typer.Option(help="Name of the new job. Else: that of the original.")] = "",
    external_id: Annotated[str, typer.Option(metavar="KEY", help="Your own key of the new job.")] = "",
) -> None:
    """Create a job with the settings and the converted files of another.

    Prints the id of the new job.

    Example:
      ingest-grpc jobs clone dj-1b75f4d5-… --name "second try"
    """
    async with session.connect() as client:
        job = await client.clone_job(job_id, name=name, external_id=external_id)
    if session.output.as_json:
        session.output.message(job)
    else:
        session.output.line(job.job_id)


@app.command("wait")
@command
async def wait_job(
    session: Session,
    job_id: JobId,
    until: Annotated[
        Until, typer.Option(metavar="WHAT", help="settled (nothing is in flight), terminal, or change.")
    ] = Until.SETTLED,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Longest to wait.")] = 600.0,
) -> int:
    """Wait for a job without a stream, and print its status.

    Exit code 1 if the time runs out. 'ingest-grpc watch' shows what happens meanwhile.

    Example:
      ingest-grpc jobs wait dj-1b75f4d5-… --timeout 3600
    """
    async with session.connect() as client:
        with told_if_interrupted(session.output, lambda: f"The job goes on: ingest-grpc jobs wait {job_id}"):
            response = await client.wait_job(job_id, until=until.name, timeout=timeout)
    if session.output.as_json:
        session.output.message(response)
    else:
        session.output.line(f"{word(response.job, 'status')}, {job_counts(response.job)}")
    if response.timed_out:
        session.output.hint(f"The time ran out; 'ingest-grpc jobs why {job_id}' says what it waits for.")
    return FAILED if response.timed_out else 0


@app.command("why")
@command
async def explain_job(session: Session, job_id: JobId) -> None:
    """Explain in words why a job needs review or where it waits, and what to do next.

    Example:
      ingest-grpc jobs why dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
    """
    async with session.connect() as client:
        job = (await client.get_job(job_id, view="BASIC")).job
        if job.HasField("alignment_job_id"):
            job = (await client.get_job(job_id, view="FULL")).job
        records = await _unfinished(client, job)
        workers = (await client.server_info()).limits.workers
    findings = why.explain(why.Case(job, records, time.time_ns() // 1_000, workers))
    why.show(session.output, job, findings)
    if len(records) == _LOOKED_AT:
        session.output.hint(f"Only the first {_LOOKED_AT:,} files that are not completed were looked at.")


async def _unfinished(client: "AsyncClient", job: "Job") -> "Sequence[FileRecord]":
    records: list[FileRecord] = []
    if not any(each.count for each in job.record_counts if word(each, "status") in _UNFINISHED):
        return records
    listed = client.list_file_records(job_id=job.job_id, statuses=_UNFINISHED, page_size=_LOOKED_AT)
    async with contextlib.aclosing(listed) as found:
        async for record in found:
            records.append(record)
            if len(records) == _LOOKED_AT:
                break
    return records
