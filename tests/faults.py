"""Faults that tests inject, each named after what goes wrong."""

import asyncio
import itertools
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

_T = TypeVar("_T")


@types.coroutine
def cancelled_at(call: Coroutine[Any, Any, _T], *at: int) -> Generator[Any, Any, _T]:
    """Awaits `call`, whose task is cancelled at exactly these suspensions (from 1), not at some moments.

    The result if `call` suspends fewer times; else CancelledError, unless `call` swallows it.
    """
    raised: BaseException | None = None
    for suspension in itertools.count(1):
        try:
            waiting_for = call.throw(raised) if raised else call.send(None)
        except StopIteration as end:
            result: _T = end.value
            return result
        if suspension in at:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield waiting_for
        except BaseException as error:  # noqa: BLE001 - it belongs to `call`, which gets it above
            raised = error
        else:
            raised = None
    raise AssertionError("unreachable")
