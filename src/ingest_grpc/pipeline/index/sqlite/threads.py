"""The index's threads: one that writes, a few that read, each with a connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from ingest_grpc.pipeline.index.sqlite.connection import open_reader, open_writer, translated_errors

if TYPE_CHECKING:
    import apsw

T = TypeVar("T")
Work = Callable[["apsw.Connection"], T]


class Threads:
    """Runs work off the event loop. A cancelled caller leaves at once; its work runs to its end, or never began."""

    def __init__(self, path: Path, readers: int) -> None:
        self._path = path
        self._readers = readers
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="index-writer")
        self._reading = ThreadPoolExecutor(readers, thread_name_prefix="index-reader")
        self._writer: apsw.Connection | None = None
        self._idle: SimpleQueue[apsw.Connection] = SimpleQueue()

    async def open(self) -> None:
        """Opens the connections, the writer's first: it makes the file."""
        await self._call(self._writing, self._open)

    async def close(self) -> None:
        """Waits for what runs, drops what waits, closes the readers and then the writer. Idempotent."""
        await asyncio.to_thread(self._close)

    async def write(self, work: Work[T]) -> T:
        """The result of `work` with the writing connection; works run one after the other, in order."""
        return await self._call(self._writing, lambda: self._with_writer(work))

    async def read(self, work: Work[T]) -> T:
        """The result of `work` with one of the reading connections."""
        return await self._call(self._reading, lambda: self._with_reader(work))

    async def _call(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    def _open(self) -> None:
        self._writer = open_writer(self._path)
        for _ in range(self._readers):
            self._idle.put(open_reader(self._path))

    def _close(self) -> None:
        self._reading.shutdown(cancel_futures=True)
        self._writing.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _with_writer(self, work: Work[T]) -> T:
        if self._writer is None:
            raise RuntimeError("the index is not open")
        with translated_errors():
            return work(self._writer)

    def _with_reader(self, work: Work[T]) -> T:
        connection = self._idle.get_nowait()  # there are as many as threads
        try:
            with translated_errors():
                return work(connection)
        finally:
            self._idle.put(connection)
