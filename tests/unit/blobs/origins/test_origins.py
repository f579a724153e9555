"""Where imports come from: a folder with traps in it, and buckets."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore, ObjectStore

from ingest_grpc.blobs.origins import objects
from ingest_grpc.blobs.origins.interface import OriginObject
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.errors import IngestError, Reason
from tests.fake_s3 import Bucket, running_bucket


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"inside")
    (tmp_path / "secret.txt").write_bytes(b"outside")
    return root


@pytest.fixture
async def origins(root: Path) -> AsyncIterator[Origins]:
    origins = Origins(["s3://bucket/in"], [root])
    yield origins
    await origins.stop()


async def reason_of(origins: Origins, url: str) -> Reason:
    with pytest.raises(IngestError) as raised:
        await origins.head(url)
    return raised.value.reason


async def whole(origins: Origins, url: str, expected: OriginObject) -> bytes:
    return b"".join([chunk async for chunk in origins.read(url, expected)])


async def test_file__is_read(origins: Origins, root: Path) -> None:
    url = f"file://{root}/a.txt"
    found = await origins.head(url)
    assert found.size_bytes == 6
    assert await whole(origins, url, found) == b"inside"


async def test_file__through_a_link_within_the_root_is_read(origins: Origins, root: Path) -> None:
    (root / "link.txt").symlink_to(root / "a.txt")
    assert (await origins.head(f"file://{root}/link.txt")).size_bytes == 6


async def test_file__outside_of_the_roots_is_not_allowed_whether_it_exists_or_not(origins: Origins, root: Path) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "dangling.txt").symlink_to(root.parent / "missing.txt")
    (root / "folder").symlink_to(root.parent)
    outside = [
        f"{root}/link.txt",
        f"{root}/dangling.txt",
        f"{root}/folder/secret.txt",
        f"{root}/folder/missing.txt",
        f"{root.parent}/secret.txt",
        f"{root.parent}/missing.txt",
        f"{root}-2/a.txt",
        "/etc/passwd",
    ]
    assert {await reason_of(origins, f"file://{path}") for path in outside} == {Reason.IMPORT_NOT_ALLOWED}


async def test_file__that_is_no_file_is_not_found(origins: Origins, root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to(root / "loop")
    for name in ("missing.txt", "folder", "pipe", "loop", "a.txt/b", "x" * 300):
        assert await reason_of(origins, f"file://{root}/{name}") is Reason.FILE_NOT_FOUND


async def test_file__without_roots_is_not_allowed(root: Path) -> None:
    origins = Origins()
    assert await reason_of(origins, f"file://{root}/a.txt") is Reason.IMPORT_NOT_ALLOWED
    await origins.stop()


async def test_file__that_was_changed_is_refused(origins: Origins, root: Path) -> None:
    url = f"file://{root}/a.txt"
    found = await origins.head(url)
    (root / "a.txt").write_bytes(b"inside, and more")
    with pytest.raises(IngestError) as raised:
        await whole(origins, url, found)
    assert raised.value.reason is Reason.SOURCE_CHANGED


async def test_file__that_grows_while_it_is_read_is_refused(origins: Origins, root: Path) -> None:
    (root / "a.txt").write_bytes(bytes(5 * 1024 * 1024))
    url = f"file://{root}/a.txt"
    chunks = origins.read(url, await origins.head(url))
    await anext(chunks)
    with (root / "a.txt").open("ab") as file:
        file.write(b"more")
    with pytest.raises(IngestError) as raised:
        await anext(chunks)
    assert raised.value.reason is Reason.SOURCE_CHANGED


@pytest.mark.parametrize("url", ["s3://bucket/out/a", "s3://bucket/inside/a", "s3://other/in/a", "gs://bucket/in/a"])
async def test_object__beside_the_allowed_urls(origins: Origins, url: str) -> None:
    assert await reason_of(origins, url) is Reason.IMPORT_NOT_ALLOWED


async def test_url__that_is_none(origins: Origins) -> None:
    assert await reason_of(origins, "https://host/a") is Reason.INVALID_FIELD


@pytest.mark.parametrize("url", ["nonsense", "file:///data", "s3://bucket/a?x"])
def test_setting__that_is_no_prefix_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="import_urls"):
        Origins([url])


# ── buckets ────────────────────────────────────────────────────────────────────────────────────────────────


def over(store: ObjectStore, opened: list[str] | None = None) -> Origins:
    def open_store(url: str) -> ObjectStore:
        if opened is not None:
            opened.append(url)
        return store

    return Origins(["s3://bucket/in"], open_store=open_store)


async def test_object__is_read_in_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "RANGE_BYTES", 4)
    store, opened = MemoryStore(), list[str]()
    await store.put_async("in/a b.txt", b"0123456789")
    origins = over(store, opened)
    found = await origins.head("s3://bucket/in/a%20b.txt")
    assert await whole(origins, "s3://bucket/in/a%20b.txt", found) == b"0123456789"
    assert opened == ["s3://bucket"]
    await origins.stop()


async def test_object__changed_between_two_ranges_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "RANGE_BYTES", 4)
    store = MemoryStore()
    await store.put_async("in/a", b"0123456789")
    origins = over(store)
    chunks = origins.read("s3://bucket/in/a", await origins.head("s3://bucket/in/a"))
    assert await anext(chunks) == b"0123"
    await store.put_async("in/a", b"9876543210")
    with pytest.raises(IngestError) as raised:
        await anext(chunks)
    assert raised.value.reason is Reason.SOURCE_CHANGED
    await origins.stop()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with running_bucket() as bucket:
        yield bucket


async def test_object__of_a_real_protocol(bucket: Bucket) -> None:
    bucket.objects["in/a.txt"] = b"in a bucket"
    bucket.objects["in/empty"] = b""
    origins = over(bucket.store())
    for name, data in (("a.txt", b"in a bucket"), ("empty", b"")):
        url = f"s3://bucket/in/{name}"
        assert await whole(origins, url, await origins.head(url)) == data
    assert await reason_of(origins, "s3://bucket/in/missing") is Reason.FILE_NOT_FOUND
    await origins.stop()


async def test_object__of_a_store_that_does_not_answer() -> None:
    with running_bucket() as gone:
        store = gone.store()
    origins = over(store)
    assert await reason_of(origins, "s3://bucket/in/a") is Reason.SERVICE_UNAVAILABLE
    await origins.stop()
