import hashlib

import pytest

from ingest_grpc.blobs.interface import BlobExists, Blobs, StoredBlob
from tests.conformance.blobs.storing import DATA, cancel_everywhere, keys, open_files


async def test_put__is_what_a_writer_would_have_stored(blobs: Blobs) -> None:
    for key, data in (("file-1", DATA), ("file-2", b"")):
        assert await blobs.put(key, data) == StoredBlob(key, len(data), hashlib.sha256(data).hexdigest())
        assert await blobs.read(key, 0, 100) == data

    with pytest.raises(BlobExists):
        await blobs.put("file-1", b"other")
    assert await blobs.read("file-1", 0, 100) == DATA
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.put("../evil", DATA)


async def test_put__cancelled_at_any_await_leaves_nothing(blobs: Blobs) -> None:
    async def check() -> None:
        assert await keys(blobs) == []

    before = open_files()
    assert await cancel_everywhere(lambda: blobs.put("file-1", DATA), check) >= 1
    assert open_files() == before
