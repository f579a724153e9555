"""How the local store stores in one step and forgets its notes."""

from pathlib import Path

import pytest

from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.errors import IngestError
from tests.unit.blobs.doubles import PowerCut, RecordingDisk, StuckUnlink
from tests.unit.blobs.test_local import DATA, KEY, everybody_knows, names, nobody_knows, root, shard, started, store

__all__ = ["root"]


async def test_settle__removes_intents_some_at_a_time(root: Path) -> None:
    disk = RecordingDisk(root)
    blobs = await started(root, disk)
    await store(blobs)
    await store(blobs, "file-2")

    await blobs.settle(KEY)
    await blobs.settle("file-2")
    assert not [call for call in disk.calls if call.startswith("unlink")]

    await blobs.stop()
    assert {call for call in disk.calls if call.startswith("unlink")} == {
        f"unlink staging/{KEY}",
        "unlink staging/file-2",
    }


async def test_settle__then_deleted_and_stored_anew_keeps_the_new_intent(root: Path) -> None:
    blobs = await started(root)
    await store(blobs)
    await blobs.settle(KEY)
    await blobs.delete(KEY)
    await store(blobs)

    await blobs.settled()

    assert names(root) == sorted([f"{shard(root)}/{KEY}", f"staging/{KEY}"])


async def test_settle__that_fails_is_left_to_the_next_start(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    blobs = await started(root, StuckUnlink())
    await store(blobs)

    await blobs.settle(KEY)
    await blobs.stop()

    assert "left to the next start" in caplog.text
    await LocalBlobs(root).start(everybody_knows)
    assert names(root) == [f"{shard(root)}/{KEY}"]


async def test_put__syncs_as_a_writer_does(root: Path) -> None:
    disk = RecordingDisk(root)
    blobs = await started(root, disk)

    await blobs.put(KEY, DATA)

    written = disk.calls.copy()
    await blobs.delete(KEY)
    disk.calls.clear()
    await store(blobs)
    assert written == disk.calls


@pytest.mark.parametrize("calls", range(6))
async def test_power_cut__within_put_leaves_nothing_after_the_next_start(root: Path, calls: int) -> None:
    disk = PowerCut(calls)
    blobs = await started(root, disk)

    with pytest.raises(IngestError):
        await blobs.put(KEY, DATA)
    assert disk.happened

    await LocalBlobs(root).start(nobody_knows)
    assert names(root) == []
