"""The bytes of deleted files, when there are many of them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import File
from ingest_grpc.service import files as files_module
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


async def test_delete__is_done_though_the_bytes_cannot_go_yet(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_arguments: object) -> None:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    file = await core.upload()
    with monkeypatch.context() as patched:
        patched.setattr(files_module, "sweep_some", breaks)
        assert (await core.files.delete(ALICE, file.file_id, force=False, request=None)).value.file.deleted_at
    await sweep_blobs(core.store, core.blobs)
    await nothing_is_left(core)


async def test_sweep__a_blob_that_cannot_be_deleted_keeps_nothing_else(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, *others = [await core.upload(f"{number}.txt", b"%d" % number) for number in range(BLOBS_PER_BATCH + 2)]
    for file in (stuck, *others):
        await core.store.write(partial(_mark_deleted, file=file, now=core.clock.now()))
    with monkeypatch.context() as patched:
        patched.setattr(core.blobs, "delete", partial(_delete_but, core.blobs.delete, stuck.blob_key))
        await sweep_blobs(core.store, core.blobs)
    assert blob_files(core) == [stuck.blob_key]
    await sweep_blobs(core.store, core.blobs)
    await nothing_is_left(core)


async def test_sweep__ends_with_a_batch_of_which_nothing_can_be_deleted(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an outage each blob takes its time to fail: the next round is soon enough for the others."""
    for number in range(BLOBS_PER_BATCH + 1):
        file = await core.upload(f"{number}.txt", b"%d" % number)
        await core.store.write(partial(_mark_deleted, file=file, now=core.clock.now()))
    tried: list[str] = []

    async def unavailable(key: str) -> None:
        tried.append(key)
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(core.blobs, "delete", unavailable)
        await sweep_blobs(core.store, core.blobs)
    assert len(tried) == BLOBS_PER_BATCH
    await sweep_blobs(core.store, core.blobs)


async def test_sweep__that_is_cancelled_leaves_no_deletion_behind(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage that is stopped next would be asked for one more."""
    for number in range(3):
        file = await core.upload(f"{number}.txt", b"%d" % number)
        await core.store.write(partial(_mark_deleted, file=file, now=core.clock.now()))
    begun = ended = 0
    all_begun = asyncio.Event()

    async def to_its_end(_key: str) -> None:
        nonlocal begun, ended
        begun += 1
        turns = 10 * begun
        if begun == 3:
            all_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(turns):
                await asyncio.sleep(0)
            ended += 1

    with monkeypatch.context() as patched:
        patched.setattr(core.blobs, "delete", to_its_end)
        sweep = asyncio.create_task(sweep_blobs(core.store, core.blobs))
        await all_begun.wait()
        sweep.cancel()
        await asyncio.gather(sweep, return_exceptions=True)
    assert sweep.cancelled()
    assert ended == 3
    await sweep_blobs(core.store, core.blobs)


async def _delete_but(delete: Callable[[str], Awaitable[None]], stuck: str, key: str) -> None:
    if key == stuck:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)
    await delete(key)


async def _mark_deleted(tx: Tx, *, file: File, now: int) -> None:
    await tx.delete_file(file, now)
