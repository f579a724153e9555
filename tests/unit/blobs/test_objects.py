"""What only object stores do: parts, foreign objects, and a store that does not answer."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore import put
from obstore.exceptions import PermissionDeniedError
from obstore.store import LocalStore, MemoryStore, S3Store

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.blobs.parts import PART_BYTES, PartStream
from ingest_grpc.errors import IngestError, Reason
from tests.fake_s3 import Bucket, running_bucket


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with running_bucket() as running:
        yield running


async def test_upload__small_is_one_put(bucket: Bucket) -> None:
    async with ObjectBlobs(bucket.store()).writer("file-1") as writer:
        await writer.write(b"data")
        await writer.commit()

    assert bucket.requests == ["HEAD", "PUT"]
    assert bucket.objects == {"file-1": b"data"}


async def test_upload__dropped_after_some_parts_aborts_them(bucket: Bucket) -> None:
    async with ObjectBlobs(bucket.store()).writer("file-1") as writer:
        for _ in range(4):
            await writer.write(bytes(PART_BYTES))
        assert len(bucket.uploads) == 1

    assert bucket.uploads == {}
    assert bucket.objects == {}


async def test_upload__whose_parts_are_refused_fails_and_leaves_nothing(bucket: Bucket) -> None:
    bucket.refuses_parts = True

    async def upload() -> None:
        async with ObjectBlobs(bucket.store()).writer("file-1") as writer:
            for _ in range(10):  # more than are ever on their way at once: must not wait for room for ever
                await writer.write(bytes(PART_BYTES))
            await writer.commit()

    with pytest.raises(IngestError) as caught:
        await upload()

    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert bucket.uploads == {}
    assert bucket.objects == {}


async def test_send__waiting_for_room_hears_that_the_upload_failed(bucket: Bucket) -> None:
    # A failed upload pulls no more parts: whoever waits for room must be told, or waits for ever.
    async def send_many() -> None:
        while True:
            sent.append(True)
            await stream.send(bytes(PART_BYTES))

    sent: list[bool] = []
    bucket.refuses_parts = True
    bucket.may_answer_parts.clear()
    stream = PartStream(bucket.store(), "file-1")
    sending = asyncio.create_task(send_many())
    await asyncio.to_thread(bucket.part_arrived.wait, 10)
    bucket.may_answer_parts.set()

    with pytest.raises(PermissionDeniedError):
        await sending
    assert len(sent) < 10
    await stream.drop()
    assert bucket.uploads == {}


async def test_upload__dropped_leaves_no_file_in_a_local_store(tmp_path: Path) -> None:
    async with ObjectBlobs(LocalStore(tmp_path)).writer("file-1") as writer:
        for _ in range(4):
            await writer.write(bytes(PART_BYTES))

    assert list(tmp_path.iterdir()) == []


async def test_listing__skips_objects_that_are_not_ours() -> None:
    store = MemoryStore()
    for path in ("file-1", "README.md", "folder/file-2"):
        put(store, path, b"data")

    assert [blob.key async for blob in ObjectBlobs(store).listing()] == ["file-1"]


async def test_start__never_deletes_because_others_may_be_writing() -> None:
    async def nobody_knows(key: str) -> bool:
        return False

    store = MemoryStore()
    put(store, "file-1", b"data")
    blobs = ObjectBlobs(store)

    await blobs.start(nobody_knows)

    assert await blobs.exists("file-1")


async def test_store__that_does_not_answer_is_unavailable() -> None:
    blobs = unreachable()

    for call in (blobs.read("file-1", 0, 1), blobs.exists("file-1"), blobs.delete("file-1"), enter(blobs)):
        with pytest.raises(IngestError) as caught:
            await call
        assert caught.value.reason is Reason.STORAGE_UNAVAILABLE


async def enter(blobs: Blobs) -> None:
    async with blobs.writer("file-1"):
        raise AssertionError("entered")


def unreachable() -> ObjectBlobs:
    """An S3 whose port nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    return ObjectBlobs(
        S3Store(
            "bucket",
            endpoint=f"http://127.0.0.1:{port}",
            access_key_id="id",
            secret_access_key="secret",
            region="us-east-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
    )
