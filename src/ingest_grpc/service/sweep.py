"""Bytes that no row needs any more."""

import asyncio
from collections.abc import Sequence
from functools import partial

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.service.attempted import attempted
from ingest_grpc.store.interface import Store, Tx

BLOBS_PER_BATCH = 100


async def sweep_blobs(store: Store, blobs: Blobs) -> None:
    """Unlinks the bytes of blobs that a transaction marked deleted; a crash in between is finished by the next call.

    So is an outage of the storage: it ends with the first batch of which nothing can be deleted.
    """
    after: int | None = 0
    while after is not None:
        after = await sweep_some(store, blobs, after)


async def sweep_some(store: Store, blobs: Blobs, after: int = 0) -> int | None:
    """Those next after a row, for a caller who must not wait for what a purge has left to do; returns the last row.

    None after the last batch, and while a backup holds them. All at once: in an outage, the caller waits for one blob's
    time and not for a hundred's.
    """
    with blobs.removing() as allowed:
        deleted = await store.read(lambda rows: rows.deleted_blobs(BLOBS_PER_BATCH, after)) if allowed else []
        async with asyncio.TaskGroup() as group:  # which also waits for those that it cancels
            tried = [
                (row_id, group.create_task(attempted(f"deleting blob {key}", _delete(blobs, key))))
                for row_id, key in deleted
            ]
    gone = [row_id for row_id, done in tried if done.result()]
    if gone:
        await store.write(partial(_forget_blobs, row_ids=gone))
    return deleted[-1][0] if gone and len(deleted) == BLOBS_PER_BATCH else None


async def _delete(blobs: Blobs, key: str) -> bool:
    await blobs.delete(key)
    return True


async def _forget_blobs(tx: Tx, row_ids: Sequence[int]) -> None:
    for row_id in row_ids:
        await tx.forget_blob(row_id)
