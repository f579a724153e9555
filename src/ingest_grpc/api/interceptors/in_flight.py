"""Knows the tasks of all calls that are being served, and ends those that would never end by themselves."""

import asyncio
from collections.abc import Callable
from typing import Any

from ingest_grpc.api.interceptors.chain import Context, Handler
from ingest_grpc.errors import IngestError, Reason


class InFlight:
    """The server's own set of handler tasks.

    grpc.aio's stop() may return while `finally` blocks of handlers still run; they use the ledger, so it must not be
    closed before `wait` returned.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle: set[asyncio.Task[Any]] = set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._tasks)

    def track(self, _method: str, proceed: Handler) -> Handler:
        """The outermost interceptor."""

        async def handle(request: Any, context: Context) -> Any:
            task = _current_task()
            self._tasks.add(task)
            try:
                return await proceed(request, context)
            finally:
                self._tasks.discard(task)

        return handle

    def end_idle(self, is_idle: Callable[[str], bool]) -> Callable[[str, Handler], Handler]:
        """An interceptor by which `drain` can end calls of the methods for which `is_idle` holds, with a status."""

        def intercept(method: str, proceed: Handler) -> Handler:
            async def handle(request: Any, context: Context) -> Any:
                task = _current_task()
                self._idle.add(task)
                try:
                    return await proceed(request, context)
                except asyncio.CancelledError:
                    if not self._draining:
                        raise
                    # A cancelled handler leaves its call without a status, and grpc.aio would wait for the whole grace.
                    raise IngestError(Reason.SERVER_DRAINING) from None
                finally:
                    self._idle.discard(task)

            return handle if is_idle(method) else proceed

        return intercept

    def drain(self) -> None:
        """Ends the idle calls with SERVER_DRAINING."""
        self._draining = True
        for task in self._idle:
            task.cancel()

    def cancel(self) -> None:
        """Cancels the calls that nobody has cancelled yet: a second time would interrupt their cleaning up."""
        for task in self._tasks:
            if not task.cancelling():
                task.cancel()

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        """Returns once no call is being served, or when the time is over; whether the first was the case."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            return False
        return True


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is served outside of a task")
    return task
