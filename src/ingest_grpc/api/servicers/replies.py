"""What the servicers' replies have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.model import Mutation
from ingest_grpc.wire.bounded import Sliced, messages

T = TypeVar("T")
P = TypeVar("P")
M = TypeVar("M", bound=Message | bytes)
R = TypeVar("R")

REPLAYED = ("ingest-replayed", "1")
"""Trailer of a reply that was replayed from an earlier call with the same request_id."""


async def in_slices(work: Sliced[R]) -> R:
    """Runs work to its end and lets others run between its slices."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result
        await asyncio.sleep(0)


def told(context: Context, mutation: Mutation[T]) -> T:
    """The result of a mutation; the caller is told where it is a replay."""
    if mutation.replayed:
        context.set_trailing_metadata((REPLAYED,))
    return mutation.value


async def page_that_fits(
    fetch: Callable[[int], Awaitable[P]], items: Callable[[P], Sequence[T]], make: Callable[[T], M], page_size: int
) -> tuple[list[M], P]:
    """A page of at most `page_size` items that is also small enough for a reply, and its items as messages.

    The token of the next page belongs to the page's last item. So where fewer items fit than were read, a page of just
    so many is read again.
    """
    while True:
        page = await fetch(page_size)
        made = await in_slices(messages(items(page), make))
        if len(made) == len(items(page)):
            return made, page
        page_size = len(made)
