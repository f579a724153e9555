"""Blocking calls off the event loop, and calls that may not be left half-done."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from ingest_grpc.cancellation import to_its_end
from ingest_grpc.units import MIB

_P = ParamSpec("_P")
_T = TypeVar("_T")

THREADS = 8
"""Enough to keep a disk busy with fsyncs while uploads hash; a call waits for a free one."""

_FREED_AT_ONCE_BYTES = 2 * MIB


class Threads:
    """The blob store's own few threads: a slow disk must not starve the loop's default executor."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    async def run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """The result of `call` in a thread. A cancelled caller waits until the call has ended."""
        return await to_its_end(asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **kwargs)))

    @asynccontextmanager
    async def descriptor(self, open_it: Callable[[], int]) -> AsyncIterator[int]:
        """The descriptor that `open_it` returns, opened in a thread and closed on leaving.

        The thread itself notes the number: the result of a call whose caller was cancelled is lost, and
        the descriptor would leak.
        """
        opened: list[int] = []
        try:
            await self.run(lambda: opened.append(open_it()))
            yield opened[0]
        finally:
            for fd in opened:
                await self.close(fd)

    async def close(self, fd: int, close: Callable[[int], None] = os.close) -> None:
        """Closes a descriptor by `close`; in a thread where that may free much: the last of a large nameless file."""
        file = os.fstat(fd)
        if file.st_nlink == 0 and file.st_size > _FREED_AT_ONCE_BYTES:
            await self.run(close, fd)
        else:
            close(fd)

    async def stop(self) -> None:
        """Waits for running calls. Idempotent."""
        await to_its_end(asyncio.to_thread(self._pool.shutdown))
