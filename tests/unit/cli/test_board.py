"""What the live display shows, rendered to text of a fixed width."""

from pathlib import Path, PurePath

from rich.console import Console

from ingest_grpc.cli.board import Board
from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload
from ingest_grpc.client.messages import WatchJobResponse
from ingest_grpc.client.state import JobState
from tests.unit.cli.jobs import changed, completed, failed, progress, queued, running, snapshot, stored


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A board fed with the messages of a watch."""

    def __init__(self, *messages: WatchJobResponse, total: int = 1) -> None:
        self.clock = Clock()
        self.board = Board(total, self.clock)
        self.state = JobState()
        self.apply(*messages)

    def apply(self, *messages: WatchJobResponse) -> None:
        for message in messages:
            self.state.apply(message)
            self.board.job_moved(self.state, message)

    def lines(self, width: int = 80, height: int = 24) -> list[str]:
        console = Console(width=width, height=height, force_terminal=False, record=False)
        with console.capture() as capture:
            console.print(self.board.render(width, height))
        return [line.rstrip() for line in capture.get().splitlines()]


def line_of(lines: list[str], name: str) -> str:
    return next(line for line in lines if name in line)


def test_board__shows_every_file_of_a_small_job_in_its_place() -> None:
    shown = Shown(*snapshot(queued("c.pdf"), running("a.pdf"), completed("b.pdf", pages=12)))
    assert [line.split()[1] for line in shown.lines()[3:]] == ["c.pdf", "a.pdf", "b.pdf"]


def test_board__details_of_each_status() -> None:
    messages = snapshot(running("r.pdf"), completed("c.pdf", pages=12), failed("f.pdf"), queued("q.pdf"))
    shown = Shown(*messages, progress("r.pdf", done=3, total=40), progress("q.pdf", position=2))
    shown.clock.now = 4.2
    lines = shown.lines()
    assert line_of(lines, "r.pdf") == "▶  r.pdf         running    4.2 s  parse 3/40 pages"
    assert line_of(lines, "c.pdf") == "✓  c.pdf         completed  0.8 s  1.4 kB  12 pages"
    assert line_of(lines, "f.pdf") == "✗  f.pdf         failed     The file appears to be empty."
    assert line_of(lines, "q.pdf") == "·  q.pdf         queued     position 2"


def test_board__header_counts_what_is_done() -> None:
    shown = Shown(*snapshot(running("r.pdf"), completed("c.pdf"), failed("f.pdf"), queued("q.pdf")))
    shown.clock.now = 65
    header, counts = shown.lines()[:2]
    assert header.startswith("Converting")
    assert header.endswith("2/4  1 min 05 s")
    assert counts == "1 completed  ·  1 failed  ·  1 running  ·  1 queued"


def test_board__a_retry_says_why_and_starts_its_seconds_again() -> None:
    shown = Shown(*snapshot(running("a.pdf")))
    shown.clock.now = 30
    shown.apply(changed(queued("a.pdf", attempt=1, retry="The converter crashed on this file."), 5))
    assert "will retry: The converter crashed on this file." in line_of(shown.lines(), "a.pdf")
    shown.apply(changed(running("a.pdf", attempt=2), 6))
    shown.clock.now = 32
    assert line_of(shown.lines(), "a.pdf").endswith("2.0 s")


def test_board__large_job_shows_running_recent_and_next() -> None:
    many = [queued(f"q{index:03}.pdf") for index in range(500)]
    shown = Shown(*snapshot(*many), *(progress(f"q{index:03}.pdf", position=index + 1) for index in range(100)))
    shown.apply(changed(running("q000.pdf"), 1), changed(running("q001.pdf"), 2))
    shown.apply(*(changed(completed(f"q{index:03}.pdf"), index + 10) for index in range(2, 60)))
    lines = shown.lines(height=16)
    assert len(lines) <= 16
    names = [line.split()[1] for line in lines[3:-1]]
    assert names[:4] == ["q000.pdf", "q001.pdf", "q059.pdf", "q058.pdf"]
    assert names[-3:] == ["q060.pdf", "q061.pdf", "q062.pdf"]
    assert lines[-1] == f"  and {500 - len(names)} more"


def test_board__fits_into_every_width() -> None:
    long = "a/very/long/path/that/goes/on/and/on/until/it/ends/in/report-2024-final-version.pdf"
    shown = Shown(*snapshot(running(long), failed("x" * 200, message="y" * 200)))
    for width in (40, 80, 120):
        lines = shown.lines(width=width)
        assert max(map(len, lines)) <= width
        assert len(lines) == 5
    assert "final-version.pdf" in shown.lines(width=80)[3]


def test_board__wide_characters_keep_the_columns() -> None:
    shown = Shown(*snapshot(running("報告書" * 20), running("a.pdf")))
    lines = shown.lines()
    assert len(lines) == 5
    assert "running" in lines[3]


def test_board__names_cannot_rule_the_terminal() -> None:
    shown = Shown(*snapshot(failed("evil\x1b[2J.pdf", message="bad\nline\x07")))
    text = "\n".join(shown.lines())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "evil\ufffd[2J.pdf" in text


def test_board__removed_records_are_not_shown() -> None:
    gone = completed("gone.pdf")
    gone.deleted = True
    shown = Shown(*snapshot(running("a.pdf")), changed(gone, 3))
    lines = shown.lines()
    assert not any("gone.pdf" in line for line in lines)
    assert "0/1" in lines[0]


def test_board__a_new_snapshot_starts_over() -> None:
    shown = Shown(*snapshot(completed("a.pdf"), completed("b.pdf")))
    shown.apply(*snapshot(running("a.pdf"), running("b.pdf")))
    assert "0/2" in shown.lines()[0]


def test_board__uploads_before_there_is_a_job() -> None:
    shown = Shown(total=3)
    big, small = (Source(Path(name), PurePath("in", name)) for name in ("big.pdf", "small.pdf"))
    shown.board.upload_moved(big, 3_000_000, 12_000_000)
    shown.board.upload_moved(small, 5, 10)
    shown.board.upload_ended(Upload(small, stored("small.pdf")))
    lines = shown.lines()
    assert lines[0].startswith("Uploading")
    assert "1/3" in lines[0]
    assert lines[3:] == ["▲  in/big.pdf    uploading  3.0 MB of 12.0 MB  25 %"]


def test_board__calls_files_as_the_user_did() -> None:
    shown = Shown()
    source = Source(Path("/data/in/a.pdf"), PurePath("in/a.pdf"))
    shown.board.upload_ended(Upload(source, stored("a.pdf")))
    shown.apply(*snapshot(running("a.pdf")))
    assert "in/a.pdf" in shown.lines()[3]
