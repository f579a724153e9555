"""A background loop that is woken or that looks by itself after a while; its work is one `step`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

PAUSE_AFTER_ERROR_SECONDS = 1.0


class Loop:
    """Calls `step` when woken, and at the latest after as many seconds as its last call returned.

    A step that fails is logged and tried again after a pause: a loop never dies of one error.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._step = step
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Ends the loop; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def wake(self) -> None:
        self._wake.set()

    async def _run(self) -> None:
        while self._task is not None:  # also where a step took its cancellation for a failure
            self._wake.clear()  # before the step: a wake that comes during it is not lost
            try:
                seconds = await self._step()
            except Exception:
                log.exception("%s failed, trying again", self._name)
                seconds = PAUSE_AFTER_ERROR_SECONDS
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue
