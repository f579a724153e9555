"""`jobs watch`: all jobs, and what happens to them, a line each, for as long as it takes."""

import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ingest_grpc.cli.options import LabelOption, parsed_labels
from ingest_grpc.cli.output import Output
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from ingest_grpc.cli.views import job_counts, status_text
from ingest_grpc.cli.watch import Outages
from ingest_grpc.cli.words import plural, printable, time_of_day, word
from ingest_grpc.lifecycle import JobType

if TYPE_CHECKING:
    from ingest_grpc.client.messages import Job, TimelineEvent, WatchJobsResponse

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


class Until(StrEnum):
    """When a watch over all jobs ends by itself."""

    HEAD = "head"
    NEVER = "never"


_UNTIL_HELP = "When to stop: head (once all there is was shown), never."
_TOKEN_HELP = "Only what is new since a message of an earlier watch, whose resume_token --json shows."


@app.command("watch")
@command
async def watch_jobs(
    session: Session,
    label: LabelOption = None,
    types: Annotated[
        list[JobType] | None,
        typer.Option("--type", case_sensitive=False, metavar="TYPE", help="Only this type; repeat it for several."),
    ] = None,
    external_id: Annotated[str, typer.Option(metavar="ID", help="Only the job with this key of your own.")] = "",
    resume_token: Annotated[str, typer.Option(metavar="TOKEN", help=_TOKEN_HELP)] = "",
    until: Annotated[Until, typer.Option(metavar="WHEN", help=_UNTIL_HELP)] = Until.NEVER,
) -> None:
    """Print all jobs, and then what happens to them the moment it does.

    After a lost connection or a restart of the server it resumes by itself.

    Examples:
      ingest-grpc jobs watch
      ingest-grpc jobs watch --label tenant=acme --label stage=live --json
    """
    printer, outages = JobsPrinter(session.output), Outages(session.output)
    async with session.connect() as client:
        stream = client.watch_jobs(
            job_types=[each.value for each in types or ()],
            labels=parsed_labels(label),
            external_id=external_id,
            resume_token=resume_token,
            until=until.name,
            on_reconnect=outages.lost,
        )
        with told_if_interrupted(session.output, lambda: _how_to_go_on(printer.resume_token or resume_token)):
            async with contextlib.aclosing(stream) as messages:
                async for message in messages:
                    outages.over()
                    printer.show(message)


def _how_to_go_on(token: str) -> str:
    options = f" with the same filters and --resume-token {token}" if token else ""
    return f"To see what follows: ingest-grpc jobs watch{options}"


class JobsPrinter:
    """Prints the messages of a watch over all jobs: JSON as they are, or a line for what tells a person something."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._names: dict[str, str] = {}
        self._in_snapshot = False
        self.resume_token = ""
        """Where the last message stands that has a token."""

    def show(self, message: "WatchJobsResponse") -> None:
        """Prints one message."""
        self.resume_token = message.resume_token or self.resume_token
        if self._output.as_json:
            self._output.message(message)
            return
        match message.WhichOneof("message"):
            case "snapshot":
                self._in_snapshot, self._names = True, {}
            case "job":
                self._show_job(message.job)
            case "synced":
                self._in_snapshot = False
                self._output.hint(f"{plural(len(self._names), 'job')} so far.")
            case "event":
                self._output.line(self._event_line(message.event))
            case "job_removed":
                gone = message.job_removed
                name = self._names.pop(gone.job_id, gone.job_id)
                what = "was deleted" if gone.deleted else "no longer has the labels"
                self._output.line(Text(f"{'':<9}{printable(name)} {what}", style="dim"))

    def _show_job(self, job: "Job") -> None:
        # Later on the event behind it says what happened.
        if self._in_snapshot:
            self._output.line(
                Text.assemble(
                    f"{job.job_id}  ",
                    status_text(word(job, "status")),
                    f"  {printable(job.name)}",
                    (f", {job_counts(job)}", "dim"),
                )
            )
        self._names[job.job_id] = job.name

    def _event_line(self, event: "TimelineEvent") -> Text:
        name = printable(self._names.get(event.job_id, event.job_id))
        return Text.assemble(
            (time_of_day(event.timestamp), "dim"),
            f" {name}  ",
            (printable(event.title), "bold" if word(event, "kind") == "MILESTONE" else ""),
            f"  {printable(event.message)}",
        )
