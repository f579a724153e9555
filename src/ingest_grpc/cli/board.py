"""What the live display shows, as a value that is turned into text: no terminal, no clock of its own.

A small job shows every file in its place; a large one those that run, those that ended last and those that
come next, below the counts that cover all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload
from ingest_grpc.cli.views import STYLES, progress_words, record_figures
from ingest_grpc.cli.words import human_bytes, human_seconds, plural, printable, shortened, word

if TYPE_CHECKING:
    from ingest_grpc.client.messages import FileRecord, WatchJobResponse
    from ingest_grpc.client.state import JobState

_MARKS = {"QUEUED": "·", "RUNNING": "▶", "UPLOADING": "▲", "COMPLETED": "✓", "FAILED": "✗", "CANCELLED": "–"}
_FINISHED = ("COMPLETED", "FAILED", "CANCELLED")
_STATUS_WIDTH = len("completed")
_UPCOMING = 3
"""Waiting files that a large job shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """One file: its name, its status, and what there is to say about it."""

    name: str
    status: str
    detail: str


@dataclass
class Board:
    """Everything that the display knows. `total` counts sources, `clock` gives monotonic seconds."""

    total: int
    clock: Callable[[], float]
    uploading: dict[Source, tuple[int, int]] = field(default_factory=dict)
    uploaded: int = 0
    not_uploaded: int = 0
    names: dict[str, str] = field(default_factory=dict)
    state: "JobState | None" = None
    saved: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._running: dict[str, tuple[int, float]] = {}
        self._finished: dict[str, None] = {}

    def upload_moved(self, source: Source, sent: int, total: int) -> None:
        """An upload has come this far."""
        self.uploading[source] = (sent, total)

    def upload_ended(self, upload: Upload) -> None:
        """An upload is over."""
        self.uploading.pop(upload.source, None)
        if upload.file is None:
            self.not_uploaded += 1
        else:
            self.uploaded += 1
            self.names[upload.file.file_id] = str(upload.source.name)

    def job_moved(self, state: "JobState", message: "WatchJobResponse") -> None:
        """`message` has been applied to `state`."""
        self.state = state
        if message.HasField("snapshot"):
            self._running.clear()
            self._finished.clear()
        for record in touched_records(message):
            self._note(state.records[record.record_id])

    def _note(self, record: "FileRecord") -> None:
        status = word(record, "status")
        known = self._running.get(record.record_id)
        if status != "RUNNING" or record.deleted:
            self._running.pop(record.record_id, None)
        elif known is None or known[0] != record.attempt:
            # Seconds are counted on this machine's own clock, which need not agree with the server's.
            self._running[record.record_id] = (record.attempt, self.clock())
        self._finished.pop(record.record_id, None)
        if status in _FINISHED and not record.deleted:
            self._finished[record.record_id] = None

    def name(self, record: "FileRecord") -> str:
        """What the user called the file."""
        return self.names.get(record.file_id, record.filename)

    # ── what is shown ──────────────────────────────────────────────────────────────────────────────────

    def render(self, width: int, height: int) -> Group:
        """The display in at most `width` cells and fewer than `height` lines, so that a notice fits above it."""
        lines, hidden = self._lines(max(height - 6, 3))
        parts: list[RenderableType] = [self._bar(width), self._counts(), Text(), _grid(lines, width)]
        if hidden:
            parts.append(Text(f"  and {hidden:,} more", style="dim"))
        return Group(*parts)

    def _bar(self, width: int) -> Table:
        stage, done, total = self._stage()
        figures = f"{done:,}/{total:,}  {human_seconds(self.clock() - self._started)}"
        grid = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(
            total=max(total, 1),
            completed=done,
            width=max(width - len(stage) - len(figures) - 6, 10),
            complete_style="green",
            finished_style="green",
        )
        grid.add_row(Text(stage, style="bold"), bar, Text(figures))
        return grid

    def _stage(self) -> tuple[str, int, int]:
        if self.saved is not None:
            return "Saving", *self.saved
        if self.state is None:
            return "Uploading", self.uploaded + self.not_uploaded, self.total
        total = len(self.state.live_records) + len(self.state.files)
        return "Converting", len(self._finished) + len(self.state.files), total

    def _counts(self) -> Text:
        text = Text()
        for count, label, style in self._count_parts():
            if count:
                text.append("  ·  " if text else "").append(f"{count:,} {label}", style=style)
        return text

    def _count_parts(self) -> Iterator[tuple[int, str, str]]:
        if self.state is None:
            yield self.uploaded, "uploaded", STYLES["COMPLETED"]
        else:
            job_words = {"QUEUED": 0, "RUNNING": 0, "COMPLETED": len(self.state.files), "FAILED": 0, "CANCELLED": 0}
            for record in self.state.live_records:
                job_words[word(record, "status")] += 1
            for status in ("COMPLETED", "FAILED", "CANCELLED", "RUNNING", "QUEUED"):
                yield job_words[status], status.lower(), STYLES[status]
        yield self.not_uploaded, "not uploaded", STYLES["FAILED"]

    def _lines(self, room: int) -> tuple[list[Line], int]:
        """At most `room` lines, and how many files have none."""
        if self.state is None:
            uploads = [_upload_line(source, *moved) for source, moved in self.uploading.items()]
            return uploads[:room], 0
        records = self.state.live_records
        if len(records) <= room:
            return [self._record_line(each) for each in records], 0
        shown = list(islice(self._foremost(room), room))
        return [self._record_line(each) for each in shown], len(records) - len(shown)

    def _foremost(self, room: int) -> "Iterator[FileRecord]":
        """Records that matter most now: those that run, those that ended last, those that come next."""
        assert self.state is not None
        records = self.state.records
        running = [records[each] for each in self._running]
        positions = self.state.progress.values()
        queued = sorted((each for each in positions if each.HasField("queue_position")), key=lambda e: e.queue_position)
        coming = [records[each.record_id] for each in queued[:_UPCOMING] if each.record_id in records]
        ended = islice(reversed(self._finished), max(room - len(running) - len(coming), 0))
        yield from running
        yield from (records[each] for each in ended)
        yield from coming

    def _record_line(self, record: "FileRecord") -> Line:
        status = word(record, "status")
        return Line(self.name(record), status, "  ".join(filter(None, self._details(record, status))))

    def _details(self, record: "FileRecord", status: str) -> Iterable[str]:
        assert self.state is not None
        progress = self.state.progress.get(record.record_id)
        if status == "RUNNING":
            _, since = self._running.get(record.record_id, (0, self.clock()))
            yield human_seconds(max(self.clock() - since, 0.1))
            yield progress_words(progress) if progress else ""
        elif status == "QUEUED":
            yield f"will retry: {record.error.message}" if record.HasField("error") else ""
            yield progress_words(progress) if progress else ""
        elif status == "COMPLETED":
            pages, size, seconds = record_figures(record)
            yield from (seconds, size, f"{plural(record.pages, 'page')}" if pages else "")
        elif status == "FAILED":
            yield record.error.message


def touched_records(message: "WatchJobResponse") -> "Iterable[FileRecord]":
    """The records that a message of a watch brings."""
    if message.HasField("records"):
        return message.records.records
    if message.HasField("event") and message.event.HasField("record_change"):
        return (message.event.record_change.record,)
    return ()


def _upload_line(source: Source, sent: int, total: int) -> Line:
    percent = f"  {100 * sent // total} %" if total else ""
    return Line(str(source.name), "UPLOADING", f"{human_bytes(sent)} of {human_bytes(total)}{percent}")


def _grid(lines: list[Line], width: int) -> Table:
    longest = max((len(each.name) for each in lines), default=0)
    name_width = max(min(longest, (width - _STATUS_WIDTH - 7) // 2), 12)
    detail_width = max(width - name_width - _STATUS_WIDTH - 7, 8)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for each in lines:
        style = STYLES.get(each.status, "blue")
        grid.add_row(
            Text(_MARKS[each.status], style=style),
            Text(shortened(printable(each.name), name_width).ljust(name_width)),
            Text(each.status.lower(), style=style),
            Text(_cut(printable(each.detail), detail_width), style="red" if each.status == "FAILED" else "dim"),
        )
    return grid


def _cut(text: str, width: int) -> str:
    cut = Text(text)
    cut.truncate(width, overflow="ellipsis")
    return cut.plain
