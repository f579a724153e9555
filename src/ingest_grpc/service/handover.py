"""Hands durable blobs over to the rows that are to name them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.errors import IngestError, Reason

T = TypeVar("T")


async def hand_over(
    blobs: Blobs, keys: Sequence[str], commit: Awaitable[T], named: Callable[[T], Collection[str]]
) -> T:
    """What `commit` returns, once the blobs that the ledger then names are settled and the others are gone.

    A commit that raises names none.
    """
    try:
        done = await commit
    except Exception as error:
        # When it is unknown whether the rows were stored, the next start asks the ledger for each blob.
        if not (isinstance(error, IngestError) and error.reason is Reason.STORAGE_UNAVAILABLE):
            await delete_all(blobs, keys)
        raise
    kept = named(done)
    for key in keys:
        await (blobs.settle(key) if key in kept else blobs.delete(key))
    return done


async def delete_all(blobs: Blobs, keys: Sequence[str]) -> None:
    """Nobody wants these bytes any more."""
    for key in keys:
        await blobs.delete(key)
