"""The contract of `blobs.interface`, held against every backend."""

import asyncio
import hashlib
import os
import time
from contextlib import suppress

import pytest

from ingest_grpc.blobs.interface import CHUNK_BYTES, BlobExists, BlobMissing, Blobs, StoredBlob
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.clock import MICROSECONDS
from tests import fake_s3
from tests.conformance.blobs.storing import DATA, LARGE, Reopen, cancel_everywhere, keys, open_files, store


@pytest.mark.parametrize("data", [b"", DATA, LARGE], ids=["empty", "small", "large"])
async def test_commit__stores_all_bytes_and_tells_size_and_hash(blobs: Blobs, data: bytes) -> None:
    stored = await store(blobs, "file-1", data)

    assert stored == StoredBlob("file-1", len(data), hashlib.sha256(data).hexdigest())
    assert await blobs.read("file-1", 0, len(data) + 1) == data
    assert await keys(blobs) == ["file-1"]


async def test_writer__counts_what_it_wrote(blobs: Blobs) -> None:
    async with blobs.writer("file-1") as writer:
        assert writer.size_bytes == 0
        await writer.write(DATA)
        await writer.write(DATA)
        assert writer.size_bytes == 2 * len(DATA)


async def test_writer__unfinished_blob_cannot_be_read(blobs: Blobs) -> None:
    async with blobs.writer("file-1") as writer:
        await writer.write(LARGE)
        assert not await blobs.exists("file-1")
        assert await keys(blobs) == []


@pytest.mark.parametrize("data", [b"", DATA, LARGE], ids=["empty", "small", "large"])
async def test_writer__left_without_commit_leaves_nothing(blobs: Blobs, data: bytes) -> None:
    async with blobs.writer("file-1") as writer:
        await writer.write(data)

    assert not await blobs.exists("file-1")
    assert await keys(blobs) == []
    await store(blobs, "file-1")  # the key is free again


async def test_writer__left_by_an_exception_leaves_nothing(blobs: Blobs) -> None:
    async def broken() -> None:
        async with blobs.writer("file-1") as writer:
            await writer.write(DATA)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()

    assert not await blobs.exists("file-1")


async def test_abort__is_idempotent_and_ends_the_upload(blobs: Blobs) -> None:
    async with blobs.writer("file-1") as writer:
        await writer.write(DATA)
        await writer.abort()
        await writer.abort()
        with pytest.raises(RuntimeError, match="has ended"):
            await writer.commit()

    assert not await blobs.exists("file-1")


async def test_abort__after_commit_keeps_the_blob(blobs: Blobs) -> None:
    async with blobs.writer("file-1") as writer:
        await writer.commit()
        await writer.abort()
        with pytest.raises(RuntimeError, match="has ended"):
            await writer.write(DATA)

    assert await blobs.exists("file-1")


@pytest.mark.parametrize("settled", [True, False])
async def test_writer__refuses_a_used_key_and_keeps_its_blob(blobs: Blobs, settled: bool) -> None:
    await store(blobs, "file-1")
    if settled:
        await blobs.settle("file-1")

    with pytest.raises(BlobExists):
        await store(blobs, "file-1", b"other")

    assert await blobs.read("file-1", 0, 100) == DATA


async def test_writer__many_at_once_do_not_mix(blobs: Blobs) -> None:
    contents = {f"file-{number}": bytes([number]) * 10_000 for number in range(30)}

    async with asyncio.TaskGroup() as group:
        for key, data in contents.items():
            group.create_task(store(blobs, key, data))

    assert {key: await blobs.read(key, 0, 10_001) for key in await keys(blobs)} == contents


@pytest.mark.parametrize("again", [0, 2], ids=["once", "twice"])  # 2 awaits later: in the clean-up after the first
@pytest.mark.parametrize("data", [DATA, LARGE], ids=["small", "large"])
async def test_upload__cancelled_at_any_await_leaves_nothing(blobs: Blobs, data: bytes, again: int) -> None:
    async def check() -> None:
        assert not await blobs.exists("file-1")
        assert await keys(blobs) == []

    before = open_files()
    points = await cancel_everywhere(lambda: store(blobs, "file-1", data), check, again)

    assert points >= 3  # open, write, commit
    assert open_files() == before


@pytest.mark.parametrize("most_bytes", [None, 1_000])
async def test_output__cancelled_at_any_await_leaves_nothing(blobs: Blobs, most_bytes: int | None) -> None:
    async def convert() -> None:
        async with blobs.output(most_bytes) as output:
            os.write(output.fd, DATA)
            await output.commit("out-1")
            # Leaving awaits too: cancelled there, the committed blob stays and the caller deletes it.
            done.append(True)

    async def check() -> None:
        assert await blobs.exists("out-1") == bool(done)
        done.clear()
        await blobs.delete("out-1")

    done: list[bool] = []
    before = open_files()
    points = await cancel_everywhere(convert, check)

    assert points >= (4 if most_bytes is None else 1)
    assert open_files() == before


async def test_open__cancelled_at_any_await_leaks_no_descriptor(blobs: Blobs) -> None:
    async def use() -> None:
        async with blobs.open("file-1") as fd:
            assert os.pread(fd, 100, 0) == DATA

    async def check() -> None:
        # A store's library may close files of its own a moment later.
        for _ in range(500):
            if open_files() == before:
                return
            await asyncio.sleep(0.01)
        assert open_files() == before

    await store(blobs, "file-1")
    before = open_files()
    assert await cancel_everywhere(use, check) >= 1


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        (0, len(DATA), DATA),
        (0, 3, b"The"),
        (4, 5, b"quick"),
        (16, 100, b"fox"),
        (len(DATA), 1, b""),
        (1_000_000, 10, b""),
    ],
)
async def test_read__gives_the_range_and_less_at_the_end(
    blobs: Blobs, offset: int, limit: int, expected: bytes
) -> None:
    await store(blobs, "file-1")

    data = await blobs.read("file-1", offset, limit)

    assert data == expected
    assert type(data) is bytes


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, -1)])
async def test_read__refuses_a_range_that_is_none(blobs: Blobs, offset: int, limit: int) -> None:
    await store(blobs, "file-1")

    with pytest.raises(ValueError, match="no such range"):
        await blobs.read("file-1", offset, limit)


@pytest.mark.parametrize("offset", [0, 1_000])
async def test_read__missing(blobs: Blobs, offset: int) -> None:
    with pytest.raises(BlobMissing) as caught:
        await blobs.read("file-1", offset, 1)
    assert caught.value.args == ("file-1",)


@pytest.mark.parametrize("data", [b"", DATA, LARGE], ids=["empty", "small", "large"])
async def test_open__reads_the_whole_blob_from_its_start(blobs: Blobs, data: bytes) -> None:
    await store(blobs, "file-1", data)

    async with blobs.open("file-1") as fd:
        assert not os.get_inheritable(fd)
        with os.fdopen(os.dup(fd), "rb") as file:
            assert file.read() == data

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


async def test_transfers__give_a_sign_of_life_for_each_chunk(blobs: Blobs) -> None:
    """Of opening only where the bytes have to be fetched: a local file is there at once."""
    signs: list[str] = []
    async with blobs.output() as output:
        os.write(output.fd, bytes(3 * CHUNK_BYTES))
        await output.commit("key-1", lambda: signs.append("commit"))
    assert signs == ["commit"] * 3
    async with blobs.open("key-1", lambda: signs.append("open")):
        opened = signs.count("open")
    assert opened == 0 if isinstance(blobs, LocalBlobs) else opened >= 1


async def test_open__survives_a_delete(blobs: Blobs) -> None:
    await store(blobs, "file-1")

    async with blobs.open("file-1") as fd:
        await blobs.delete("file-1")
        assert os.read(fd, 100) == DATA


async def test_open__cannot_change_the_blob(blobs: Blobs) -> None:
    await store(blobs, "file-1")

    async with blobs.open("file-1") as fd:
        with suppress(OSError):  # a local blob is open for reading only; an object's copy may be written to
            os.write(fd, b"evil")

    assert await blobs.read("file-1", 0, 100) == DATA


async def test_open__missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        async with blobs.open("file-1"):
            raise AssertionError("entered")


async def test_listing__tells_size_and_age(blobs: Blobs) -> None:
    before = time.time_ns() // 1_000
    await store(blobs, "file-1")
    await store(blobs, "file-2", b"")

    listed = {blob.key: blob async for blob in blobs.listing()}

    assert {key: blob.size_bytes for key, blob in listed.items()} == {"file-1": len(DATA), "file-2": 0}
    for blob in listed.values():  # stores and file systems round down to a second, some to two
        assert any(abs(blob.written_at - known) < 30 * MICROSECONDS for known in (before, fake_s3.MODIFIED_AT))


@pytest.mark.parametrize("data", [b"", DATA, LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("most_bytes", [None, len(LARGE)])
async def test_output__becomes_a_blob(blobs: Blobs, data: bytes, most_bytes: int | None) -> None:
    async with blobs.output(most_bytes) as output:
        assert not os.get_inheritable(output.fd)
        with os.fdopen(os.dup(output.fd), "wb") as file:
            file.write(data)
        stored = await output.commit("out-1")

    assert stored == StoredBlob("out-1", len(data), hashlib.sha256(data).hexdigest())
    assert await blobs.read("out-1", 0, len(data) + 1) == data


@pytest.mark.parametrize("most_bytes", [None, 1_000])
async def test_output__does_not_follow_a_child_that_writes_on(blobs: Blobs, most_bytes: int | None) -> None:
    async with blobs.output(most_bytes) as output:
        child = os.dup(output.fd)
        os.write(child, DATA)
        await output.commit("out-1")
        os.pwrite(child, b"evil", 0)
        os.close(child)

    assert await blobs.read("out-1", 0, 100) == DATA


@pytest.mark.parametrize("most_bytes", [None, 1_000])
async def test_output__left_without_commit_leaves_nothing(blobs: Blobs, most_bytes: int | None) -> None:
    async with blobs.output(most_bytes) as output:
        os.write(output.fd, DATA)
    assert await keys(blobs) == []


@pytest.mark.parametrize("settled", [True, False])
async def test_delete__removes_the_blob_and_is_idempotent(blobs: Blobs, settled: bool) -> None:
    await store(blobs, "file-1")
    await store(blobs, "file-2")
    if settled:
        await blobs.settle("file-1")

    await blobs.delete("file-1")
    await blobs.delete("file-1")

    assert await keys(blobs) == ["file-2"]
    assert not await blobs.exists("file-1")
    await store(blobs, "file-1")  # nothing of the first is in the way


async def test_settle__keeps_the_blob_and_is_idempotent(blobs: Blobs) -> None:
    await store(blobs, "file-1")

    await blobs.settle("file-1")
    await blobs.settle("file-1")

    assert await blobs.read("file-1", 0, 100) == DATA


async def test_start__keeps_settled_blobs_without_asking(reopen: Reopen, blobs: Blobs) -> None:
    asked: list[str] = []

    async def is_known(key: str) -> bool:
        asked.append(key)
        return False

    await store(blobs, "file-1")
    await blobs.settle("file-1")
    await blobs.stop()

    following = reopen()
    await following.start(is_known)

    assert asked == []
    assert await following.read("file-1", 0, 100) == DATA
    await following.stop()


async def test_start__keeps_an_unsettled_blob_that_the_ledger_knows(reopen: Reopen, blobs: Blobs) -> None:
    async def is_known(key: str) -> bool:
        return key == "file-1"

    await store(blobs, "file-1")
    await blobs.stop()

    for _ in range(2):
        following = reopen()
        await following.start(is_known)
        assert await following.read("file-1", 0, 100) == DATA
        await following.stop()


async def test_stop__is_idempotent(blobs: Blobs) -> None:
    await blobs.stop()
    await blobs.stop()


async def test_free_bytes__is_a_number_or_unknown(blobs: Blobs) -> None:
    free = await blobs.free_bytes()
    assert free is None or free > 0


async def test_key__that_is_no_plain_name_is_refused_everywhere(blobs: Blobs) -> None:
    key = "../file-1"
    with pytest.raises(ValueError, match="not a blob key"):
        blobs.writer(key)
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.settle(key)
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.read(key, 0, 1)
    with pytest.raises(ValueError, match="not a blob key"):
        async with blobs.open(key):
            pass
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.delete(key)
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.exists(key)
