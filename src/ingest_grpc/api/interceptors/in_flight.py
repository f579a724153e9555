"""Knows the tasks of all calls that are being served."""

import asyncio
from typing import Any

from ingest_grpc.api.interceptors.chain import Context, Handler


class InFlight:
    """The server's own set of handler tasks.

    grpc.aio's stop() may return while `finally` blocks of handlers still run; they use the ledger, so it must not be
    closed before `wait` returned.
    """

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], str] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def track(self, method: str, proceed: Handler) -> Handler:
        """The interceptor."""

        async def handle(request: Any, context: Context) -> Any:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("a call is served outside of a task")
            self._tasks[task] = method
            try:
                return await proceed(request, context)
            finally:
                del self._tasks[task]

        return handle

    def cancel(self, method: str | None = None) -> None:
        """Cancels the calls of a method, or all."""
        for task, its_method in self._tasks.items():
            if method in (None, its_method):
                task.cancel()

    async def wait(self) -> None:
        """Returns once no call is being served."""
        while self._tasks:
            await asyncio.wait(self._tasks)
