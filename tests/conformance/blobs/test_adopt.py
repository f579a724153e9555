"""Local files that become blobs, as resumable uploads do when they are complete."""

import hashlib
from pathlib import Path

import pytest

from ingest_grpc.blobs.interface import BlobExists, Blobs, StoredBlob
from tests.conformance.blobs.storing import DATA, LARGE, keys, store


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A durable local file that is to become a blob."""
    path = tmp_path / "finished"
    path.write_bytes(LARGE)
    return path


LARGE_SHA256 = hashlib.sha256(LARGE).hexdigest()


async def test_adopt__makes_a_blob_of_a_file(blobs: Blobs, finished: Path) -> None:
    stored = await blobs.adopt("file-1", finished, LARGE_SHA256)

    assert stored == StoredBlob("file-1", len(LARGE), LARGE_SHA256)
    assert await blobs.read("file-1", 0, len(LARGE) + 1) == LARGE
    assert finished.read_bytes() == LARGE
    finished.unlink()
    await blobs.settle("file-1")
    assert await blobs.read("file-1", len(LARGE) - 4, 10) == b"tail"


async def test_adopt__of_an_empty_file(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert (await blobs.adopt("file-1", tmp_path / "empty", hashlib.sha256(b"").hexdigest())).size_bytes == 0
    assert await blobs.exists("file-1")


async def test_adopt__a_key_is_used_once(blobs: Blobs, finished: Path) -> None:
    await store(blobs, "file-1")
    with pytest.raises(BlobExists):
        await blobs.adopt("file-1", finished, LARGE_SHA256)
    assert await blobs.read("file-1", 0, 100) == DATA


async def test_adopt__then_delete_leaves_the_file(blobs: Blobs, finished: Path) -> None:
    await blobs.adopt("file-1", finished, LARGE_SHA256)
    await blobs.delete("file-1")
    assert await keys(blobs) == []
    assert finished.read_bytes() == LARGE
