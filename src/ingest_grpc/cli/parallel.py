"""Several things at once, but not too many."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 4
"""Transfers at once: enough to hide a round trip each, few enough to leave a server to others."""


async def in_parallel(work: Callable[[T], Awaitable[R]], items: Iterable[T], at_once: int = AT_ONCE) -> list[R]:
    """`work` of every item, in the order of the items. The first error stops the rest and is raised as it is."""
    results: dict[int, R] = {}
    waiting = enumerate(items)

    async def worker() -> None:
        for index, item in waiting:
            results[index] = await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[index] for index in sorted(results)]
