"""`watch`: the events of one job, a line each, for as long as it takes."""

import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ingest_grpc.cli.output import Output
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from ingest_grpc.cli.views import event_line, job_counts, progress_words, status_text
from ingest_grpc.cli.words import printable, word
from ingest_grpc.errors import Reason

if TYPE_CHECKING:
    from ingest_grpc.client.errors import IngestCallError
    from ingest_grpc.client.messages import Job, RecordProgress, WatchJobResponse

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


class Until(StrEnum):
    """When a watch ends by itself."""

    SETTLED = "settled"
    TERMINAL = "terminal"
    HEAD = "head"
    NEVER = "never"


class Kind(StrEnum):
    """What a watch shows."""

    MILESTONE = "milestone"
    RECORD = "record"
    JOB = "job"
    FILES = "files"
    PROGRESS = "progress"


_UNTIL_HELP = "When to stop: settled (nothing is in flight), terminal, head (all so far), never."
_KINDS_HELP = "milestone, record, job, files, progress; repeat it for several. Else: all but progress."


@app.command()
@command
async def watch(
    session: Session,
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job, dj-….")],
    after_sequence: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Only events after this one; 0 = all of them. Else: those from now on."),
    ] = None,
    until: Annotated[Until, typer.Option(metavar="WHEN", help=_UNTIL_HELP)] = Until.SETTLED,
    kinds: Annotated[list[Kind] | None, typer.Option(metavar="KIND", help=_KINDS_HELP)] = None,
) -> None:
    """Print every event of a job the moment it happens.

    After a lost connection or a restart of the server it resumes by itself.

    Examples:
      ingest-grpc watch dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d
      ingest-grpc watch dj-1b75f4d5-… --after-sequence 0 --until head
      ingest-grpc watch dj-1b75f4d5-… --kinds record --kinds progress
      ingest-grpc watch dj-1b75f4d5-… --until never --json
    """
    printer, outages = WatchPrinter(session.output), Outages(session.output)
    async with session.connect() as client:
        stream = client.watch(
            job_id,
            after_sequence=after_sequence,
            until=until.name,
            kinds=[kind.name for kind in kinds or ()],
            on_reconnect=outages.lost,
        )
        with told_if_interrupted(session.output, lambda: _how_to_go_on(job_id, printer.sequence or after_sequence)):
            async with contextlib.aclosing(stream) as messages:
                async for message in messages:
                    outages.over()
                    printer.show(message)


def _how_to_go_on(job_id: str, sequence: int | None) -> str:
    after = "" if sequence is None else f" --after-sequence {sequence}"
    return f"The job goes on. To see what follows: ingest-grpc watch {job_id}{after}"


class Outages:
    """Tells on stderr when a watch loses its server, and when it has it again; the watch itself goes on."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lost = False

    def lost(self, error: "IngestCallError", _delay_seconds: float) -> None:
        """A stream broke, or could not be opened."""
        # A server ends long streams by itself now and then; nobody needs to know.
        if self._lost or error.reason == Reason.STREAM_ROTATED:
            return
        self._lost = True
        why = error.message if error.reason else "The connection is lost."
        self._output.hint(f"{why} Waiting for the server, to go on where it stopped.")

    def over(self) -> None:
        """A message came."""
        if self._lost:
            self._lost = False
            self._output.hint("Connected again.")


class WatchPrinter:
    """Prints the messages of a watch: JSON as they are, or a line for each that tells a person something."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._names: dict[str, str] = {}
        self._summed_up: Text | None = None
        self.sequence = 0
        """The last event that was shown, or that what was shown includes."""

    def show(self, message: "WatchJobResponse") -> None:
        """Prints one message."""
        self.sequence = max(self.sequence, message.sequence)
        if self._output.as_json:
            self._output.message(message)
            return
        match message.WhichOneof("message"):
            case "snapshot":
                self._sum_up(message.snapshot.job, message.sequence)
            case "records":
                self._names.update({each.record_id: each.filename for each in message.records.records})
            case "event":
                record = message.event.record_change.record
                self._names[record.record_id] = record.filename
                self._output.line(event_line(message.event))
            case "progress":
                for each in message.progress.records:
                    self._output.line(self._progress_line(each))
            case "end":
                self._sum_up(message.end.job, message.sequence)

    def _sum_up(self, job: "Job", sequence: int) -> None:
        line = _job_line(job, sequence)
        # When nothing happened between the snapshot and the end, once says it all.
        if line != self._summed_up:
            self._output.line(line)
        self._summed_up = line

    def _progress_line(self, progress: "RecordProgress") -> Text:
        name = self._names.get(progress.record_id, progress.record_id)
        return Text(f"{'':<20}{'Progress':<25} {printable(name)}: {progress_words(progress)}", style="dim")


def _job_line(job: "Job", sequence: int) -> Text:
    head = f"job {printable(job.name)} at event {sequence:,}: "
    return Text.assemble((head, "dim"), status_text(word(job, "status")), (f", {job_counts(job)}", "dim"))
