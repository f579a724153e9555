"""Reads pages by OCR, in children of their own: several pages of a record at once, within its share of the cores."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ingest_grpc import memory_files
from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.descriptors import read_whole
from ingest_grpc.pipeline.parse.engines import RAPIDOCR
from ingest_grpc.pipeline.parse.ocr.available import ocr_engine
from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Ending, Limits

_MODULE = "ingest_grpc.pipeline.parse.ocr.child"
LIBRARIES = (
    *{sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])},
    *("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/proc/cpuinfo", "/sys/devices/system/cpu"),
)
"""What the libraries of models read when they are loaded: Python's packages, shared libraries, what processors there
are."""
_MAX_PAGE_BYTES = 1024 * 1024
_START_SECONDS = 60.0
"""Loading the models of an engine takes seconds on a busy machine."""


def readable_paths(data_dir: Path) -> tuple[str, ...]:
    """What a child that loads models may read."""
    return outside(data_dir, LIBRARIES)


def outside(data_dir: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Never a folder that holds the files and the ledger, as the one that a server was started in may do."""
    return tuple(path for path in paths if not data_dir.resolve().is_relative_to(Path(path).resolve()))


class TooMuchText(Exception):
    """OCR read more than any output may hold; until it is written, the server keeps it in its memory."""


class OcrReader:
    """The OCR children. None is started before the first page comes; `engine` is "" where no engine is there."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self.engine = ocr_engine(settings.ocr_engine, settings.ocr_languages)
        self._max_pixels = settings.max_image_pixels
        self.max_characters = settings.max_output_bytes
        self._size = max(1, settings.worker_count)
        command = child_command(_MODULE, self.engine, "+".join(settings.ocr_languages))
        self._pool = ChildPool(
            ChildSpec(
                command,
                limits,
                start_timeout_seconds=_START_SECONDS,
                all_protections=settings.require_sandbox,
                readable_paths=readable_paths(settings.data_dir) if self.engine == RAPIDOCR else (),
            ),
            self._size,
            max_tasks=settings.child_max_documents,
            max_resident_bytes=settings.conversion_memory_bytes,
            patience_seconds=_START_SECONDS,
        )
        self._started = asyncio.Lock()
        self._running = False
        self._records = 0

    @property
    def protections(self) -> Mapping[str, bool]:
        """What confines the children, by name; empty before the first page."""
        return self._pool.protections

    async def stop(self) -> None:
        """Kill and reap every child."""
        await self._pool.stop()

    async def read(
        self, source_fd: int, pages: Sequence[int], *, is_pdf: bool, on_page: Callable[[int], None]
    ) -> Mapping[int, str]:
        """The texts of these pages; one that no child could read is "". `on_page` gets the count of finished pages.

        ChildFailure if not a single page could be read, or if the children themselves are the problem; TooMuchText.
        """
        await self._start()
        reading = _Reading(self, source_fd, is_pdf, on_page)
        self._records += 1
        try:
            return await reading.run(pages)
        finally:
            self._records -= 1

    @property
    def share(self) -> int:
        """Pages of one record that may be read at once: the records with pages to read divide the cores."""
        return max(1, self._size // max(1, self._records))

    async def read_page(self, source_fd: int, page: int, *, is_pdf: bool) -> str:
        """The text of one page, "" if it cannot be rendered. ChildFailure if its child came to an end."""
        output = memory_files.create("page")
        try:
            task = {"page": page, "is_pdf": is_pdf, "max_pixels": self._max_pixels}
            result = await self._pool.run(task, (source_fd, output), lambda _: None)
            if result.get("outcome") != "read" or os.fstat(output).st_size > _MAX_PAGE_BYTES:
                return ""
            return read_whole(output).decode("utf-8", "replace")
        finally:
            memory_files.close(output)

    async def _start(self) -> None:
        async with self._started:
            if not self._running:
                await self._pool.start()
                self._running = True


class _Reading:
    """The pages of one record on their way through the children."""

    def __init__(self, reader: OcrReader, source_fd: int, is_pdf: bool, on_page: Callable[[int], None]) -> None:
        self._reader = reader
        self._source_fd = source_fd
        self._is_pdf = is_pdf
        self._on_page = on_page
        self._texts: dict[int, str] = {}
        self._characters = 0
        self._failures: list[ChildFailure] = []

    async def run(self, pages: Sequence[int]) -> Mapping[int, str]:
        left, running = list(reversed(pages)), set[asyncio.Task[None]]()
        try:
            while left or running:
                # The share is asked for again and again: other records come and go.
                while left and len(running) < self._reader.share:
                    running.add(asyncio.create_task(self._one(left.pop()), name="ocr-page"))
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                self._on_page(len(self._texts))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if len(self._failures) == len(pages):
            raise self._failures[0]
        return self._texts

    async def _one(self, page: int) -> None:
        try:
            text = await self._reader.read_page(self._source_fd, page, is_pdf=self._is_pdf)
        except ChildFailure as failure:
            if failure.ending is Ending.UNAVAILABLE:
                raise
            self._failures.append(failure)
            text = ""
        self._texts[page] = text
        self._characters += len(text)
        if self._characters > self._reader.max_characters:
            raise TooMuchText(f"more than {self._reader.max_characters} characters on {len(self._texts)} pages")
