"""Work that others do not wait for: what fails is looked at again later."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


async def attempted(what: str, work: Awaitable[T]) -> T | None:
    """What `work` returns; None if it failed, which is logged."""
    try:
        return await work
    except Exception:
        log.exception("%s failed, to be tried again later", what)
        return None


async def attempted_each(what: str, left: set[int], work: Callable[[int], Awaitable[bool]]) -> None:
    """Works on each of `left`. What failed or returned False stays for the next time, as does what comes meanwhile."""
    for each in tuple(left):
        left.discard(each)  # before the work: what is added during it is new
        done = False
        try:
            done = bool(await attempted(what, work(each)))
        finally:
            if not done:
                left.add(each)
