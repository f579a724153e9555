"""Runs to its end what must not stop half-way when its caller goes away."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


class Finisher:
    """Keeps a strong reference to each task (the event loop keeps only weak ones) and hears of its failure."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which goes on when the caller is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("finished with %r", error)

    async def drain(self) -> None:
        """Waits for everything that still runs."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
