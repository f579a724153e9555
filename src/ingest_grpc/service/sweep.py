"""Bytes that no row needs any more."""

from collections.abc import Sequence
from functools import partial

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.store.interface import Store, Tx

BLOBS_PER_BATCH = 100


async def sweep_blobs(store: Store, blobs: Blobs) -> None:
    """Unlinks the bytes of blobs that a transaction marked deleted; a crash in between is finished by the next call."""
    while await sweep_some(store, blobs) == BLOBS_PER_BATCH:
        pass


async def sweep_some(store: Store, blobs: Blobs) -> int:
    """The first of them, for a caller who must not wait for what a purge has left to do; returns how many."""
    with blobs.removing() as allowed:
        deleted = await store.read(lambda rows: rows.deleted_blobs(BLOBS_PER_BATCH)) if allowed else []
        for _, blob_key in deleted:
            await blobs.delete(blob_key)
    if deleted:
        await store.write(partial(_forget_blobs, row_ids=[row_id for row_id, _ in deleted]))
    return len(deleted)


async def _forget_blobs(tx: Tx, row_ids: Sequence[int]) -> None:
    for row_id in row_ids:
        await tx.forget_blob(row_id)
