"""Work that others do not wait for: what fails is looked at again later."""

import logging
from collections.abc import Awaitable
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
