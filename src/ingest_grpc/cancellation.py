"""What a cancellation may not leave half-done."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


async def to_its_end(call: Awaitable[_T]) -> _T:
    """Awaits a call that has effects; a cancellation is passed on only once the call has ended.

    A thread cannot be stopped. Were the cancellation passed on at once, clean-up would race the very
    write it cleans up after. Cancelling again does not shorten the wait.
    """
    future = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # seen: nobody is left to hear of it
        raise
