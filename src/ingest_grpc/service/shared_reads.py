"""Reads that many want at the same moment: each is made once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """The reads under way, by key. A key holds the hub's generation, so that nobody joins a read that is too old."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def get(self, key: K, read: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `read` returns, or what another one's read of the same key does; it goes on when a caller leaves."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(read())
            task.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(task)

    def _ended(self, key: K, task: "asyncio.Task[V]") -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # told to those who wait for it; if they all went away, nobody needs to hear of it
