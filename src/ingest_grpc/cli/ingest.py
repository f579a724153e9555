"""`ingest`: documents in, Markdown out, in one command."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli.display import Display, open_display
from ingest_grpc.cli.failures import FAILED, USAGE, Failure, explain
from ingest_grpc.cli.options import KnowledgeBaseOption, MethodOption, NewJobType, TypeOption, flag, method_number
from ingest_grpc.cli.output import Output
from ingest_grpc.cli.results import Result, results_of_uploads, save_results, show_results
from ingest_grpc.cli.saving import Destinations, Force, OutFolder, refuse_taken
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.sources import Source, find_sources, prompt_text
from ingest_grpc.cli.upload import upload_all
from ingest_grpc.cli.watch import Kind, Outages

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import AddFileResult, CreateJobResponse, File
    from ingest_grpc.client.state import JobState

_LAST_ANSWER_SECONDS = 10.0
"""How long an interrupted command waits for the answer to the call that creates its job."""

app = typer.Typer(rich_markup_mode="rich", add_completion=False)

FILES_PER_CALL = 1_000
"""Most files that CreateJob and AddFiles take at once."""

MAX_NAME = 255
"""Most characters of a job's name."""


@app.command()
@command
async def ingest(  # long: one parameter per option
    session: Session,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Documents, and folders of documents.")],
    out: OutFolder = None,
    force: Force = False,
    name: Annotated[str, typer.Option(help="Name of the job; else named after its first file.")] = "",
    job_type: TypeOption = NewJobType.CONTEXT_GROUNDED_FILES,
    system_prompt: Annotated[
        str, typer.Option(metavar="FILE|TEXT", help="Instruction for the model that uses the data.")
    ] = "",
    knowledge_base: KnowledgeBaseOption = "",
    method: MethodOption = None,
    quiet: Annotated[bool, flag("--quiet", "-q", help="Show no progress and no table, only failures.")] = False,
) -> int:
    """Convert documents to Markdown and show how it goes.

    Uploads them, makes a job of them, and follows it until every file is done.
    With --out nothing is uploaded if a file would be replaced without --force;
    for members of archives that is known, and told, only after their conversion.
    Ctrl-C leaves the job running on the server and says how to come back to it.
    Exit code 1 if a file failed.

    Examples:
      ingest-grpc ingest report.pdf
      ingest-grpc ingest reports/ slides.pptx --out markdown/
      ingest-grpc ingest scans/ --method accuracy-optimized
      ingest-grpc ingest reports/ --json | jq -r .markdown_file_id
    """
    sources = find_sources(paths, session.output.hint)
    if out is not None and not force:
        refuse_taken(_foreseen(sources, out))
    new_job = NewJob(
        name or default_name(sources), job_type, prompt_text(system_prompt), method_number(method), knowledge_base
    )
    new_job.refuse_impossible()
    creating: asyncio.Task[CreatedJob | None] | None = None
    try:
        async with open_display(session.output, len(sources), quiet=quiet) as display, session.connect() as client:
            await _rehearse(client, new_job)
            uploads = await upload_all(client, sources, display, session.options.target)
            creating = asyncio.create_task(_create_job(client, new_job, [each.file for each in uploads if each.file]))
            job = await _even_if_interrupted(creating)
            state = await follow(session, client, job.job_id, display) if job else None
            results = results_of_uploads(uploads, job.added if job else {}, state)
            if out is not None:
                results = await save_results(client, results, out, display.save_moved, force=force)
    except asyncio.CancelledError:
        # Said only now that the display is gone, which would wipe it out.
        _say_what_goes_on(session.output, creating)
        raise
    _conclude(session.output, results, state, quiet=quiet)
    return 0 if all(each.good for each in results) else FAILED


@dataclass(frozen=True, slots=True)
class NewJob:
    """What the job to create is called and is for, and how its files are converted (0 = as the server likes)."""

    name: str
    job_type: NewJobType
    system_prompt: str
    method: str | int = 0
    knowledge_base: str = ""

    def refuse_impossible(self) -> None:
        """Raises Failure for what needs no server to be refused."""
        if self.job_type is NewJobType.CONTEXT_GROUNDED_VECTOR_DB and not self.knowledge_base:
            raise Failure(f"{self.job_type} needs a knowledge base.", "Name one with --knowledge-base KB.", USAGE)

    async def create(
        self, client: "AsyncClient", files: "Sequence[File]" = (), *, validate_only: bool = False
    ) -> "CreateJobResponse":
        """Creates it, or only checks whether that could be done."""
        return await client.create_job(
            self.name,
            job_type=self.job_type.value,
            files=files,
            system_prompt=self.system_prompt,
            method=self.method,
            knowledge_base_id=self.knowledge_base,
            validate_only=validate_only,
        )


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A job, and by file id what became of each file in it."""

    job_id: str
    added: "Mapping[str, AddFileResult]"


def default_name(sources: Sequence[Source]) -> str:
    """A name for a job that was given none, for example "report.pdf and 3 more"."""
    rest = len(sources) - 1
    more = f" and {rest:,} more" if rest else ""
    first = sources[0].name.name.encode("utf-8", "replace").decode()
    return first[: MAX_NAME - len(more)] + more


def _foreseen(sources: Sequence[Source], out: Path) -> Iterator[Path]:
    """Where the Markdown of each source will be saved; what comes out of archives is not known yet."""
    chosen = Destinations(out)
    return (chosen.choose(each.name) for each in sources)


async def _rehearse(client: "AsyncClient", new: NewJob) -> None:
    """Raises Failure for a job that cannot be: known before anything is uploaded for it."""
    from grpc import StatusCode  # noqa: PLC0415 - see Session.connect

    from ingest_grpc.client.errors import IngestCallError  # noqa: PLC0415 - see Session.connect

    try:
        await new.create(client, validate_only=True)
    except IngestCallError as error:
        if error.code not in {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND}:
            raise
        failure = explain(error)
        failure.exit_code = USAGE
        raise failure from error


async def _create_job(client: "AsyncClient", new: NewJob, files: "Sequence[File]") -> CreatedJob | None:
    """Creates the job with its files, in as many calls as they take; None if there are none."""
    if not files:
        return None
    first, rest = files[:FILES_PER_CALL], files[FILES_PER_CALL:]
    created = await new.create(client, first)
    job_id = created.job.job_id
    added = {each.file_id: each for each in created.results}
    for batch in (rest[start : start + FILES_PER_CALL] for start in range(0, len(rest), FILES_PER_CALL)):
        response = await client.add_files(job_id, batch, view="BASIC")
        added.update((each.file_id, each) for each in response.results)
    return CreatedJob(job_id, added)


async def follow(session: Session, client: "AsyncClient", job_id: str, display: Display) -> "JobState":
    """Watches the job until nothing is in flight, however long the server may be away in between."""
    from ingest_grpc.client.state import JobState  # noqa: PLC0415 - see Session.connect

    state, outages = JobState(), Outages(session.output)
    stream = client.watch(job_id, kinds=[kind.name for kind in Kind], patience=None, on_reconnect=outages.lost)
    async with contextlib.aclosing(stream) as messages:
        async for message in messages:
            outages.over()
            state.apply(message)
            display.job_moved(state, message)
    return state


async def _even_if_interrupted(creating: "asyncio.Task[CreatedJob | None]") -> CreatedJob | None:
    """What `creating` comes to; an interruption waits for it, since the server may have the job already."""
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        await asyncio.wait([creating], timeout=_LAST_ANSWER_SECONDS)
        raise


def _say_what_goes_on(output: Output, creating: "asyncio.Task[CreatedJob | None] | None") -> None:
    if creating is not None and (creating.cancelled() or not creating.done() or creating.exception() is not None):
        output.hint("Interrupted while the job was created: the server may have it. To see:")
        output.hint("  ingest-grpc jobs list")
        return
    job = creating.result() if creating else None
    if job is None:
        output.hint("Interrupted before there was a job: nothing goes on.")
        return
    output.hint("Interrupted, but the job goes on. To follow it, to get its files, or to stop it:")
    output.hint(f"  ingest-grpc watch {job.job_id}")
    output.hint(f"  ingest-grpc jobs results {job.job_id} --out FOLDER")
    output.hint(f"  ingest-grpc jobs cancel {job.job_id}")


def _conclude(output: Output, results: Sequence[Result], state: "JobState | None", *, quiet: bool) -> None:
    job = state.job if state else None
    if not quiet or output.as_json:
        show_results(output, results, job)
        return
    for each in results:
        if each.failure:
            output.failure(Failure(f"{each.name}: {each.failure.message}", each.failure.fix))
