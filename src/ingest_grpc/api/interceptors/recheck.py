"""Permissions are checked again while a call lives (rule 10): a key that is revoked ends its streams."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Set
from typing import Any

from ingest_grpc.api.interceptors.auth import current_caller
from ingest_grpc.api.interceptors.chain import Context, Handler
from ingest_grpc.errors import IngestError
from ingest_grpc.model import Caller

Refusals = Callable[[Set[Caller]], Awaitable[Mapping[Caller, IngestError]]]
"""Which of these callers would not be let in now, and why."""

_BRIEF = ("Get", "List")


class Recheck:
    """An interceptor that knows who makes the calls that live, and ends those that would not be let in any more.

    Calls that only look something up are over before anybody could look at them.
    """

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._callers: dict[asyncio.Task[Any], Caller] = {}
        self._refused: dict[asyncio.Task[Any], IngestError] = {}

    def intercept(self, method: str, proceed: Handler) -> Handler:
        if method.rpartition("/")[2].startswith(_BRIEF):
            return proceed

        async def handle(request: Any, context: Context) -> Any:
            task = asyncio.current_task()
            admitted = current_caller()
            if task is None or admitted is None:
                return await proceed(request, context)
            self._callers[task] = admitted
            try:
                return await proceed(request, context)
            except BaseException:
                # A cancelled write raises an error of the transport, not always CancelledError.
                if (error := self._refused.pop(task, None)) is None:
                    raise
                task.uncancel()
                raise error from None
            finally:
                del self._callers[task]

        return handle

    async def step(self) -> int:
        """One look at every caller of a call that lives; returns how many calls it ended."""
        refusals = await self._refusals(set(self._callers.values()))
        ended = [task for task, own in self._callers.items() if own in refusals and task not in self._refused]
        for task in ended:
            self._refused[task] = refusals[self._callers[task]]
            task.cancel()
        return len(ended)
