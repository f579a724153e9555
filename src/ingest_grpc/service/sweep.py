"""Unlinks the bytes of files that are gone."""

from functools import partial

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.store.interface import Store, Tx


async def sweep_blobs(store: Store, blobs: Blobs) -> None:
    """Unlinks the bytes of blobs that a transaction marked deleted; a crash in between is finished by the next call."""
    while deleted := await store.read(lambda rows: rows.deleted_blobs(100)):
        for row_id, blob_key in deleted:
            await blobs.delete(blob_key)
            await store.write(partial(_forget_blob, row_id=row_id))


async def _forget_blob(tx: Tx, row_id: int) -> None:
    await tx.forget_blob(row_id)
