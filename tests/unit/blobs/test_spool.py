import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.blobs.spool import Spool
from ingest_grpc.errors import IngestError, Reason
from tests.unit.blobs.doubles import FailingFsync, FullDisk, RecordingDisk

KEY = "up-1"


async def everybody(_key: str) -> bool:
    return True


async def started(folder: Path, files: FailingFsync | FullDisk | RecordingDisk | None = None) -> Spool:
    spool = Spool(folder, files)
    await spool.start(everybody)
    return spool


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = await started(tmp_path / "uploads")
    yield spool
    await spool.stop()


async def test_append__grows_and_can_be_read(spool: Spool) -> None:
    await spool.append(KEY, 0, b"0123")
    await spool.append(KEY, 4, b"4567")
    assert await spool.read(KEY, 2, 4) == b"2345"
    assert await spool.size(KEY) == 8
    assert spool.path(KEY).read_bytes() == b"01234567"


async def test_append__cuts_off_what_is_behind(spool: Spool) -> None:
    await spool.append(KEY, 0, b"0123456789")
    await spool.append(KEY, 3, b"x")
    assert spool.path(KEY).read_bytes() == b"012x"


async def test_append__leaves_no_gap(spool: Spool) -> None:
    await spool.append(KEY, 0, b"01")
    with pytest.raises(ValueError, match="fewer than 3 bytes"):
        await spool.append(KEY, 3, b"x")


async def test_read__of_a_key_without_bytes(spool: Spool) -> None:
    assert await spool.read(KEY, 0, 10) == b""
    assert await spool.size(KEY) == 0
    await spool.drop(KEY)


@pytest.mark.parametrize("key", ["../up-1", "", "a/b"])
async def test_path__is_never_a_callers(spool: Spool, key: str) -> None:
    with pytest.raises(ValueError, match="not a blob key"):
        spool.path(key)


async def test_append__name_is_durable_before_the_first_bytes(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    spool = await started(tmp_path / "uploads", disk)
    disk.calls.clear()
    await spool.append(KEY, 0, b"0123")
    await spool.stop()
    assert disk.calls == [f"create uploads/{KEY}", "fsync uploads", f"write uploads/{KEY}", f"fsync uploads/{KEY}"]


async def test_append__that_does_not_fit_leaves_what_was_there(tmp_path: Path) -> None:
    spool = await started(tmp_path / "uploads", FullDisk(6))
    await spool.append(KEY, 0, b"0123")
    with pytest.raises(IngestError) as raised:
        await spool.append(KEY, 4, b"4567")
    assert raised.value.reason is Reason.STORAGE_FULL
    assert await spool.read(KEY, 0, 4) == b"0123"
    await spool.stop()


async def test_append__that_cannot_be_made_durable_is_no_success(tmp_path: Path) -> None:
    spool = await started(tmp_path / "uploads", FailingFsync(file=True))
    with pytest.raises(IngestError) as raised:
        await spool.append(KEY, 0, b"0123")
    assert raised.value.reason is Reason.STORAGE_UNAVAILABLE
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == errno.EIO
    await spool.stop()


async def test_append__whose_name_cannot_be_made_durable_leaves_no_file(tmp_path: Path) -> None:
    spool = await started(tmp_path / "uploads", FailingFsync())
    failing = Spool(tmp_path / "uploads", FailingFsync(folder="uploads"))
    with pytest.raises(IngestError):
        await failing.append(KEY, 0, b"0123")
    assert list((tmp_path / "uploads").iterdir()) == []
    await failing.stop()
    await spool.stop()


async def test_start__keeps_only_what_the_ledger_knows(tmp_path: Path) -> None:
    spool = await started(tmp_path / "uploads")
    for key in ("up-1", "up-2"):
        await spool.append(key, 0, b"x")
    await spool.stop()

    async def is_known(key: str) -> bool:
        return key == "up-2"

    again = Spool(tmp_path / "uploads")
    await again.start(is_known)
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["up-2"]
    await again.stop()
