"""Runs a function on a connection's own thread in one hop.

aiosqlite offers one hop per statement, which makes a transaction of many statements 3 to 5 times slower.
Its private `_execute` runs any function on the thread; this is the only place that knows of it, and
tests/unit/store/test_hop.py fails should a release change it.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

import aiosqlite

T = TypeVar("T")


async def hop(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    """`function(raw connection)` on the connection's thread.

    A caller that is cancelled leaves the function running to its end: it must clean up after itself.
    """
    raw = connection._conn  # noqa: SLF001
    return cast(T, await connection._execute(function, raw))  # type: ignore[no-untyped-call]  # noqa: SLF001


def drive(unit: Awaitable[T]) -> T:
    """The result of a unit that awaits nothing but its own transaction, without an event loop."""
    coroutine = cast(Coroutine[Any, Any, T], unit)
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return cast(T, finished.value)
    coroutine.close()
    raise RuntimeError("a unit of the ledger awaited something other than its transaction")
