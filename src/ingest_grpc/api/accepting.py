"""Waits for the next call to any method without looking at every method.

grpc.aio keeps a future for each registered method, and hands them all to `asyncio.wait` again at every call: that adds
and removes a callback for each of sixty, a sixth of what a short call costs. Here each future is looked at once.

It is the server of grpc.aio that calls `asyncio.wait`, in compiled code, so what this code finds under that name is
replaced. This is the only place that knows of it; tests/integration/api/test_accepting.py fails should a release
change it, and then servers wait as grpc.aio has it.
"""

import asyncio
import types
from collections.abc import Collection, Reversible
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

_KEYS = type(dict[Any, Any]().keys())

Done = tuple[set[asyncio.Future[Any]], Collection[asyncio.Future[Any]]]
"""As `asyncio.wait` returns it; what is still pending is never asked for."""


class Awaited:
    """The futures of one server. Those that it brings anew come last, as in a dictionary to which they are added."""

    def __init__(self) -> None:
        self._known: set[asyncio.Future[Any]] = set()
        self._done: set[asyncio.Future[Any]] = set()
        self._waiter: asyncio.Future[None] | None = None

    async def first(self, futures: Reversible[asyncio.Future[Any]]) -> Done:
        """Returns as soon as one of them is done, with all that are."""
        for future in reversed(futures):
            if future in self._known:
                break
            self._known.add(future)
            future.add_done_callback(self._completed)
        if not self._done:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        done, self._done = self._done, set()
        self._known -= done
        return done, ()

    def _completed(self, future: asyncio.Future[Any]) -> None:
        self._done.add(future)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_awaited: WeakKeyDictionary[asyncio.Task[Any], Awaited] = WeakKeyDictionary()
"""By the task in which a server accepts calls."""


async def wait(futures: Any, *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED) -> Any:
    """`asyncio.wait`, except where a server waits for the first of its futures."""
    task = asyncio.current_task()
    accepts = timeout is None and return_when == asyncio.FIRST_COMPLETED and isinstance(futures, _KEYS)
    if task is None or not accepts:
        return await asyncio.wait(futures, timeout=timeout, return_when=return_when)
    if (awaited := _awaited.get(task)) is None:
        awaited = _awaited[task] = Awaited()
    return await awaited.first(futures)


def accept_cheaply() -> None:
    """From now on servers of this process wait for calls in this way."""
    ours = types.ModuleType(asyncio.__name__, asyncio.__doc__)
    vars(ours).update(vars(asyncio), wait=wait)
    vars(import_module("grpc._cython.cygrpc"))[asyncio.__name__] = ours
