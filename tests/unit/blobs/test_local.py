"""What only the local store promises: the order of its calls, its faults, and what a start finds."""

import asyncio
import errno
import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import BlobExists
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.errors import IngestError, Reason
from tests.faults import cancelled_at
from tests.unit.blobs.doubles import (
    FailingFsync,
    FullDisk,
    NoHardLinks,
    PowerCut,
    RecordingDisk,
    StuckUnlink,
)

KEY = "file-1"
DATA = b"The quick brown fox"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def shard(root: Path) -> str:
    return Layout(root).blob(KEY).parent.name


async def nobody_knows(key: str) -> bool:
    return False


async def everybody_knows(key: str) -> bool:
    return True


async def started(root: Path, files: FileSystem | None = None) -> LocalBlobs:
    """A store over `files` whose start was not disturbed by their fault."""
    healthy = LocalBlobs(root)
    await healthy.start(nobody_knows)
    await healthy.stop()
    return LocalBlobs(root, files)


async def store(blobs: LocalBlobs, key: str = KEY, data: bytes = DATA) -> None:
    async with blobs.writer(key) as writer:
        await writer.write(data)
        await writer.commit()


def names(root: Path) -> list[str]:
    """Every file below the root, by its relative path."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


async def test_commit__syncs_bytes_then_intent_then_name(root: Path) -> None:
    disk = RecordingDisk(root)
    blobs = await started(root, disk)

    await store(blobs)

    blob = f"{shard(root)}/{KEY}"
    assert disk.calls == [
        f"create staging/{KEY}",
        f"write staging/{KEY}",
        f"fsync staging/{KEY}",
        "fsync staging",
        f"link staging/{KEY} {blob}",
        f"fsync {shard(root)}",
    ]
    assert names(root) == sorted([blob, f"staging/{KEY}"])


async def test_settle__removes_only_the_intent(root: Path) -> None:
    blobs = await started(root)
    await store(blobs)

    await blobs.settle(KEY)
    await blobs.settled()

    assert names(root) == [f"{shard(root)}/{KEY}"]


async def test_delete__unsettled_removes_the_intent_after_the_name_is_durably_gone(root: Path) -> None:
    disk = RecordingDisk(root)
    blobs = await started(root, disk)
    await store(blobs)
    disk.calls.clear()

    await blobs.delete(KEY)

    assert disk.calls == [f"unlink {shard(root)}/{KEY}", f"fsync {shard(root)}", f"unlink staging/{KEY}"]


async def test_start__makes_folders_durable_from_the_first_missing_one(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    blobs = LocalBlobs(tmp_path / "a" / "blobs", disk)

    await blobs.start(nobody_knows)

    assert disk.calls == ["fsync .", "fsync a", "fsync a/blobs"]
    assert len(list((tmp_path / "a" / "blobs").iterdir())) == 257


async def test_files__are_for_their_owner_alone(root: Path) -> None:
    previous = os.umask(0)
    try:
        blobs = await started(root)
        await store(blobs)
    finally:
        os.umask(previous)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")] if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


async def test_start__removes_what_no_row_names(root: Path) -> None:
    before = await started(root)
    await store(before)
    await store(before, "file-2")
    await before.settle("file-2")
    await before.stop()
    (root / "staging" / "cut-off").write_bytes(DATA)
    (root / "staging" / "tmp_x1y2").write_bytes(DATA)  # the name a temporary file has for a moment

    await LocalBlobs(root).start(nobody_knows)

    assert names(root) == [f"{Layout(root).blob('file-2').parent.name}/file-2"]


async def test_start__settles_what_a_row_names(root: Path) -> None:
    await store(await started(root))

    await LocalBlobs(root).start(everybody_knows)

    assert names(root) == [f"{shard(root)}/{KEY}"]


async def test_start__never_drops_the_last_name_of_a_known_blob(root: Path) -> None:
    # A copy of the folder taken while an upload ran can hold the staging name alone.
    await store(await started(root))
    Layout(root).blob(KEY).unlink()

    again = LocalBlobs(root)
    await again.start(everybody_knows)

    assert await again.read(KEY, 0, 100) == DATA


async def test_start__whose_ledger_fails_removes_nothing(root: Path) -> None:
    async def broken(key: str) -> bool:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    await store(await started(root))

    with pytest.raises(IngestError):
        await LocalBlobs(root).start(broken)

    assert len(names(root)) == 2


@pytest.mark.parametrize("calls", range(6))
async def test_power_cut__before_commit_returns_leaves_nothing_after_the_next_start(root: Path, calls: int) -> None:
    disk = PowerCut(calls)
    blobs = await started(root, disk)

    with pytest.raises(IngestError):
        await store(blobs)
    assert disk.happened

    await LocalBlobs(root).start(nobody_knows)
    assert names(root) == []


@pytest.mark.parametrize("calls", range(4))
async def test_power_cut__during_delete_leaves_nothing_after_the_next_start(root: Path, calls: int) -> None:
    await store(await started(root))
    disk = PowerCut(calls)
    blobs = LocalBlobs(root, disk)

    if calls < 3:
        with pytest.raises(IngestError):
            await blobs.delete(KEY)
    else:
        await blobs.delete(KEY)
    assert disk.happened == (calls < 3)

    await LocalBlobs(root).start(nobody_knows)
    assert names(root) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("room", [0, 5])
async def test_write__on_a_full_disk_says_so_and_leaves_nothing(root: Path, room: int, code: int) -> None:
    blobs = await started(root, FullDisk(room, code))

    with pytest.raises(IngestError) as caught:
        await store(blobs)

    assert caught.value.reason is Reason.STORAGE_FULL
    assert names(root) == []


async def test_write__that_failed_cannot_be_committed(root: Path) -> None:
    # Half of the bytes are on the disk: a commit would store a file that nobody sent.
    blobs = await started(root, FullDisk(5))

    async with blobs.writer(KEY) as writer:
        with pytest.raises(IngestError):
            await writer.write(DATA)
        with pytest.raises(RuntimeError, match="has ended"):
            await writer.commit()

    assert names(root) == []


@pytest.mark.parametrize("which", ["file", "staging", "shard"])
async def test_commit__whose_fsync_fails_leaves_nothing(root: Path, which: str) -> None:
    folder = {"file": "", "staging": "staging", "shard": shard(root)}[which]
    blobs = await started(root, FailingFsync(file=which == "file", folder=folder))

    with pytest.raises(IngestError) as caught:
        await store(blobs)

    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert names(root) == []


async def test_commit__without_hard_links_renames(root: Path) -> None:
    blobs = await started(root, NoHardLinks())

    await store(blobs)

    assert names(root) == [f"{shard(root)}/{KEY}"]
    with pytest.raises(BlobExists):
        await store(blobs)
    await LocalBlobs(root).start(nobody_knows)
    assert names(root) == [f"{shard(root)}/{KEY}"]  # the documented orphan, for `admin check`


async def test_commit__whose_link_fails_otherwise_leaves_nothing(root: Path) -> None:
    blobs = await started(root, NoHardLinks(errno.EIO))

    with pytest.raises(IngestError):
        await store(blobs)

    assert names(root) == []


async def test_commit__refuses_a_name_that_appeared_meanwhile(root: Path) -> None:
    blobs = await started(root)

    async with blobs.writer(KEY) as writer:
        Layout(root).blob(KEY).write_bytes(b"first")
        with pytest.raises(BlobExists):
            await writer.commit()

    assert await blobs.read(KEY, 0, 100) == b"first"
    assert names(root) == [f"{shard(root)}/{KEY}"]


async def test_abort__that_fails_does_not_hide_the_reason(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    blobs = await started(root, StuckUnlink())

    with pytest.raises(ZeroDivisionError):
        async with blobs.writer(KEY):
            raise ZeroDivisionError

    assert "left bytes behind" in caplog.text


async def test_upload__cancelled_at_any_await_leaves_no_file(root: Path) -> None:
    blobs = await started(root)

    for at in (1, 2, 3):  # create, write, publish
        with pytest.raises(asyncio.CancelledError):
            await cancelled_at(store(blobs), at)
        assert names(root) == []

    await cancelled_at(store(blobs), 4)
    assert len(names(root)) == 2


async def test_write__does_not_block_the_event_loop(root: Path) -> None:
    loop_went_on = threading.Event()

    class SlowDisk(FileSystem):
        def write(self, fd: int, data: bytes | memoryview) -> None:
            loop.call_soon_threadsafe(loop_went_on.set)
            assert loop_went_on.wait(10), "the loop stood still"
            super().write(fd, data)

    loop = asyncio.get_running_loop()
    await store(await started(root, SlowDisk()))


async def test_open__follows_no_symbolic_link(root: Path, tmp_path: Path) -> None:
    blobs = await started(root)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    Layout(root).blob(KEY).symlink_to(secret)

    with pytest.raises(IngestError) as caught:
        await blobs.read(KEY, 0, 100)

    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE


async def test_listing__knows_a_store_that_was_never_started(root: Path) -> None:
    assert [blob async for blob in LocalBlobs(root).listing()] == []


async def test_write__continues_after_a_short_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole_write(fd, data[:3]))
    files = FileSystem()
    fd = files.create(tmp_path / "file")

    files.write(fd, DATA)
    os.close(fd)

    assert (tmp_path / "file").read_bytes() == DATA


async def test_adopt__is_forgotten_by_the_next_start_unless_the_ledger_knows_it(tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    finished.write_bytes(b"all of it")
    for known in (False, True):
        blobs = LocalBlobs(tmp_path / "blobs")
        await blobs.start(nobody_knows)
        await blobs.adopt("file-1", finished, "")
        await blobs.stop()
        again = LocalBlobs(tmp_path / "blobs")
        await again.start(everybody_knows if known else nobody_knows)
        assert await again.exists("file-1") is known
        await again.stop()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM])
async def test_adopt__copies_where_no_second_name_is_possible(tmp_path: Path, code: int) -> None:
    class OtherDisk(FileSystem):
        def link(self, source: Path, target: Path) -> None:
            if source.name == "finished":
                raise OSError(code, "not here")
            super().link(source, target)

    finished = tmp_path / "finished"
    finished.write_bytes(b"all of it")
    blobs = LocalBlobs(tmp_path / "blobs", OtherDisk())
    await blobs.start(nobody_knows)
    stored = await blobs.adopt("file-1", finished, "")
    assert stored.sha256 == hashlib.sha256(b"all of it").hexdigest()
    assert await blobs.read("file-1", 0, 100) == b"all of it"
    await blobs.stop()


async def test_adopt__name_is_durable_before_the_ledger_may_name_it(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    blobs = LocalBlobs(tmp_path / "blobs", disk)
    await blobs.start(nobody_knows)
    (tmp_path / "finished").touch()
    disk.calls.clear()
    await blobs.adopt("file-1", tmp_path / "finished", "")
    await blobs.stop()
    assert [call.split()[0] for call in disk.calls] == ["link", "fsync", "link", "fsync"]
    assert disk.calls[1] == "fsync blobs/staging"
