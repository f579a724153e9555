"""The bytes of deleted files, when there are many of them."""

from functools import partial

from ingest_grpc.model import File
from ingest_grpc.service.sweep import BLOBS_PER_BATCH, sweep_blobs
from ingest_grpc.store.interface import Tx
from tests.factories import ALICE, Core
from tests.unit.service.test_files import blob_files, nothing_is_left


async def test_delete__does_not_wait_for_what_a_purge_left_to_do(core: Core) -> None:
    """A caller once unlinked all that a purge of hours had marked, one commit each, and met its deadline."""
    left = [await core.upload(f"{number}.txt", b"%d" % number) for number in range(2 * BLOBS_PER_BATCH)]
    mine = await core.upload("mine.txt", b"mine")
    for file in left:
        await core.store.write(partial(_mark_deleted, file=file, now=core.clock.now()))
    commits = len(core.commits)
    await core.files.delete(ALICE, mine.file_id, force=False, request=None)
    assert len(core.commits) - commits == 2, "the deletion and one batch"
    assert len(blob_files(core)) == BLOBS_PER_BATCH + 1
    await sweep_blobs(core.store, core.blobs)
    await nothing_is_left(core)


async def _mark_deleted(tx: Tx, *, file: File, now: int) -> None:
    await tx.delete_file(file, now)
