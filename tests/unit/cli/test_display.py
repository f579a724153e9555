"""Which display fits, and the lines where nothing can be drawn over."""

from pathlib import Path, PurePath

from ingest_grpc.cli.display import Display, LineDisplay, LiveDisplay, QuietDisplay, open_display
from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload
from ingest_grpc.client.messages import WatchJobResponse
from ingest_grpc.client.state import JobState
from tests.unit.cli.jobs import changed, completed, failed, queued, running, snapshot, stored
from tests.unit.cli.test_output import Streams


def feed(display: Display, *messages: WatchJobResponse) -> None:
    state = JobState()
    for message in messages:
        state.apply(message)
        display.job_moved(state, message)


def without_time(text: str) -> list[str]:
    return [line.split("  ", 1)[1] for line in text.splitlines()]


async def test_open_display__live_on_a_terminal_lines_elsewhere_nothing_when_quiet() -> None:
    async def kind(*, terminal: bool, quiet: bool) -> type:
        async with open_display(Streams(terminal=terminal).output, 1, quiet=quiet) as display:
            return type(display)

    assert await kind(terminal=True, quiet=False) is LiveDisplay
    assert await kind(terminal=False, quiet=False) is LineDisplay
    assert await kind(terminal=True, quiet=True) is QuietDisplay


async def test_live_display__leaves_the_terminal_as_it_was() -> None:
    streams = Streams(terminal=True)
    async with open_display(streams.output, 1, quiet=False) as display:
        feed(display, *snapshot(running("a.pdf")))
    assert streams.out == ""
    # The cursor is hidden while the display runs, and shown again.
    assert streams.err.rindex("\x1b[?25h") > streams.err.rindex("\x1b[?25l")


def test_line_display__a_line_per_change_of_status() -> None:
    streams = Streams(terminal=False)
    feed(
        LineDisplay(streams.output),
        *snapshot(completed("done.pdf", pages=2), queued("a.pdf"), queued("b.pdf")),
        changed(running("a.pdf"), 1),
        changed(completed("a.pdf"), 2),
        changed(running("b.pdf"), 3),
        changed(queued("b.pdf", attempt=1, retry="The converter crashed on this file."), 4),
        changed(running("b.pdf", attempt=2), 5),
        changed(failed("b.pdf"), 6),
    )
    assert without_time(streams.err) == [
        "completed     done.pdf  (2 pages, 1.4 kB, 0.8 s)",
        "running       a.pdf",
        "completed     a.pdf  (1.4 kB, 0.8 s)",
        "running       b.pdf",
        "queued        b.pdf  (The converter crashed on this file.)",
        "running       b.pdf",
        "failed        b.pdf  (The file appears to be empty.)",
    ]


def test_line_display__uploads_under_the_names_that_the_user_gave() -> None:
    streams = Streams(terminal=False)
    display = LineDisplay(streams.output)
    good, bad = (Source(Path(name), PurePath("in", name)) for name in ("a.pdf", "b.pdf"))
    display.upload_ended(Upload(good, stored("a.pdf", 1_400)))
    display.upload_ended(Upload(bad, failure=Failure("b.pdf: Permission denied", "Check the path.")))
    feed(display, *snapshot(completed("a.pdf")))
    assert without_time(streams.err) == [
        "uploaded      in/a.pdf  (1.4 kB)",
        "not uploaded  in/b.pdf  (b.pdf: Permission denied)",
        "completed     in/a.pdf  (1.4 kB, 0.8 s)",
    ]
