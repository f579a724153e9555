"""Removes the staging names of settled blobs, a handful at a time: nobody waits for them."""

import asyncio
import logging
from pathlib import Path

from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.threads import Threads

PAUSE_SECONDS = 0.1
"""How long a name may wait for others."""

_log = logging.getLogger(__name__)


class Notes:
    """The names that have done their service. What is still there when a server dies, its next start settles."""

    def __init__(self, files: FileSystem, threads: Threads) -> None:
        self._files = files
        self._threads = threads
        self._names: set[Path] = set()
        self._flushing = asyncio.Lock()
        self._sweep: asyncio.Task[None] | None = None

    def drop(self, name: Path) -> None:
        """Remove it soon."""
        self._names.add(name)
        if self._sweep is None or self._sweep.done():
            self._sweep = asyncio.create_task(self._later(), name="settled-blobs")

    def keep(self, name: Path) -> None:
        """Somebody else removes it, in an order of his own."""
        self._names.discard(name)

    async def stop(self) -> None:
        """Remove at once what is left. Idempotent."""
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.wait((self._sweep,))
        await self.flush()

    async def _later(self) -> None:
        while self._names:
            await asyncio.sleep(PAUSE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Remove now what waits."""
        async with self._flushing:
            names, self._names = self._names, set()
            if not names:
                return
            try:
                await self._threads.run(self._unlink, names)
            except OSError as error:
                _log.warning("names of settled blobs are left to the next start: %s", error)

    def _unlink(self, names: set[Path]) -> None:
        for name in names:
            self._files.unlink(name)
