"""Waits for the next call to any method without looking at every method.

grpc.aio keeps a future for each registered method, and hands them all to `asyncio.wait` again at every call: that adds
and removes a callback for each of sixty, a sixth of what a short call costs. Here each future gets one callback.

It is the server of grpc.aio that calls `asyncio.wait`, in compiled code, so what this code finds under that name is
replaced. This is the only place that knows of it. Should a release not ask for `wait` any more, nothing is replaced,
and tests/integration/api/test_accepting.py fails.
"""

import asyncio
import types
from collections.abc import Collection, Iterator, KeysView
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Protocol


class Futures(Protocol):
    """The keys of a dictionary."""

    def __len__(self) -> int: ...

    def __reversed__(self) -> Iterator[asyncio.Future[Any]]: ...


Done = tuple[set[asyncio.Future[Any]], Collection[asyncio.Future[Any]]]
"""As `asyncio.wait` returns it; what is still pending is never asked for."""


class Awaited:
    """The futures that the server of a task waits for."""

    def __init__(self, task: asyncio.Task[Any] | None) -> None:
        self.task = task
        self._known: set[asyncio.Future[Any]] = set()
        self._completed_some = False
        self._waiter: asyncio.Future[None] | None = None

    async def first(self, futures: Futures) -> Done:
        """Returns as soon as one of them is done, with all that are. What was returned is not to be brought again."""
        for future in reversed(futures):  # the new ones come last: a dictionary was given them
            if len(self._known) == len(futures):
                break
            if future not in self._known:
                self._known.add(future)
                future.add_done_callback(self._completed)
        while not (done := await self._done()):
            pass  # a callback came late, of one that was returned before
        self._known -= done
        return done, ()

    async def _done(self) -> set[asyncio.Future[Any]]:
        """What is done once a callback has run: some more may be, whose callbacks have not. A server that stops serves
        what it got, and drops what else is done."""
        if not self._completed_some:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._completed_some = False
        return {future for future in self._known if future.done()}

    def _completed(self, _future: asyncio.Future[Any]) -> None:
        self._completed_some = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_awaited: ContextVar[Awaited | None] = ContextVar("awaited", default=None)
"""Of the task in whose context it was set; tasks that this one starts find it too, and it is not theirs."""


async def wait(futures: Any, *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED) -> Any:
    """`asyncio.wait`, except where a server waits for the first of its futures."""
    by_server = timeout is None and return_when == asyncio.FIRST_COMPLETED and isinstance(futures, KeysView)
    if not by_server:
        return await asyncio.wait(futures, timeout=timeout, return_when=return_when)
    task, awaited = asyncio.current_task(), _awaited.get()
    if awaited is None or awaited.task is not task:
        awaited = Awaited(task)
        _awaited.set(awaited)
    return await awaited.first(futures)


def accept_cheaply() -> None:
    """From now on servers of this process wait for calls in this way."""
    ours = types.ModuleType(asyncio.__name__, asyncio.__doc__)
    vars(ours).update(vars(asyncio), wait=wait)
    vars(import_module("grpc._cython.cygrpc"))[asyncio.__name__] = ours
