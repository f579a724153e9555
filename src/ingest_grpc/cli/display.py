"""How `ingest` shows what happens: live on a terminal, a line per change elsewhere, nothing when asked to be quiet."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rich.live import Live
from rich.text import Text

from ingest_grpc.cli.board import Board, touched_records
from ingest_grpc.cli.output import Output
from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload
from ingest_grpc.cli.views import record_figures
from ingest_grpc.cli.words import human_bytes, printable, word

if TYPE_CHECKING:
    from ingest_grpc.client.messages import FileRecord, WatchJobResponse
    from ingest_grpc.client.state import JobState

_REFRESH_SECONDS = 0.2


class Display(Protocol):
    """What `ingest` reports to."""

    def upload_moved(self, source: Source, sent: int, total: int) -> None:
        """`sent` of `total` bytes are on their way."""

    def upload_ended(self, upload: Upload) -> None:
        """It is stored, or it failed."""

    def job_moved(self, state: "JobState", message: "WatchJobResponse") -> None:
        """`message` has been applied to `state`."""

    def save_moved(self, done: int, total: int) -> None:
        """`done` of `total` files of Markdown are saved."""


class QuietDisplay:
    """Shows nothing."""

    def upload_moved(self, source: Source, sent: int, total: int) -> None:
        """Says nothing."""

    def upload_ended(self, upload: Upload) -> None:
        """Says nothing."""

    def job_moved(self, state: "JobState", message: "WatchJobResponse") -> None:
        """Says nothing."""

    def save_moved(self, done: int, total: int) -> None:
        """Says nothing."""


class LineDisplay(QuietDisplay):
    """Prints a line whenever a file's status changes: for logs, where nothing can be drawn over."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._names: dict[str, str] = {}
        self._printed: dict[str, tuple[str, int]] = {}

    def upload_ended(self, upload: Upload) -> None:
        if upload.file is None:
            self._say("not uploaded", str(upload.source.name), upload.failure.message if upload.failure else "")
        else:
            self._names[upload.file.file_id] = str(upload.source.name)
            self._say("uploaded", str(upload.source.name), human_bytes(upload.file.size_bytes))

    def job_moved(self, state: "JobState", message: "WatchJobResponse") -> None:
        for touched in touched_records(message):
            record = state.records[touched.record_id]
            now = (word(record, "status"), record.attempt)
            before = self._printed.get(record.record_id, ("QUEUED", 0))
            self._printed[record.record_id] = now
            if now != before and not record.deleted:
                self._say(now[0].lower(), self._names.get(record.file_id, record.filename), _outcome(record))

    def _say(self, what: str, name: str, detail: str) -> None:
        now = datetime.now().astimezone()
        line = f"{now:%H:%M:%S}  {what:<12}  {name}" + (f"  ({detail})" if detail else "")
        self._output.err.print(Text(printable(line)), soft_wrap=True)


def _outcome(record: "FileRecord") -> str:
    if record.HasField("error"):
        return record.error.message
    pages, size, seconds = record_figures(record)
    return ", ".join(filter(None, (f"{pages} pages" if pages else "", size, seconds)))


class LiveDisplay:
    """Draws the board again and again, in place; it is gone when the work is done."""

    def __init__(self, output: Output, total: int) -> None:
        self._board = Board(total, time.monotonic)
        self._console = output.err
        # Refreshed by a task of the event loop, not by rich's thread: the board changes between awaits only.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["LiveDisplay"]:
        """The display, refreshed while the block runs."""
        with self._live:
            refreshing = asyncio.create_task(self._refresh())
            try:
                yield self
            finally:
                refreshing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await refreshing

    async def _refresh(self) -> None:
        while True:
            size = self._console.size
            self._live.update(self._board.render(size.width, size.height), refresh=True)
            await asyncio.sleep(_REFRESH_SECONDS)

    def upload_moved(self, source: Source, sent: int, total: int) -> None:
        self._board.upload_moved(source, sent, total)

    def upload_ended(self, upload: Upload) -> None:
        self._board.upload_ended(upload)

    def job_moved(self, state: "JobState", message: "WatchJobResponse") -> None:
        self._board.job_moved(state, message)

    def save_moved(self, done: int, total: int) -> None:
        self._board.saved = (done, total)


@contextlib.asynccontextmanager
async def open_display(output: Output, total: int, *, quiet: bool) -> AsyncIterator[Display]:
    """The display that fits: none if `quiet`, live if stderr is a terminal, else lines. `total` counts sources."""
    if quiet:
        yield QuietDisplay()
    elif output.err.is_terminal:
        async with LiveDisplay(output, total).running() as display:
            yield display
    else:
        yield LineDisplay(output)
