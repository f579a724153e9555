"""Which store a setting opens."""

from pathlib import Path

import pytest

from ingest_grpc.blobs.factory import open_blobs
from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.config import WrongSetting, load_settings


async def nobody_knows(key: str) -> bool:
    return False


async def stored(blobs: Blobs) -> None:
    await blobs.start(nobody_knows)
    async with blobs.writer("file-1") as writer:
        await writer.commit()
    await blobs.stop()


async def test_open_blobs__unset_is_the_data_folder(tmp_path: Path) -> None:
    await stored(open_blobs(load_settings(data_dir=tmp_path)))
    assert (tmp_path / "blobs" / "staging" / "file-1").is_file()


async def test_open_blobs__file_url_is_an_own_folder_too_because_only_that_is_durable(tmp_path: Path) -> None:
    blobs = open_blobs(load_settings(blobs_url=f"file://{tmp_path}/with%20space"))
    assert isinstance(blobs, LocalBlobs)
    await stored(blobs)
    assert (tmp_path / "with space" / "staging" / "file-1").is_file()


@pytest.mark.parametrize("url", ["memory:///", "s3://bucket/below", "gs://bucket"])
def test_open_blobs__other_urls_are_object_stores(url: str) -> None:
    assert isinstance(open_blobs(load_settings(blobs_url=url)), ObjectBlobs)


@pytest.mark.parametrize("url", ["ftp://host/path", "s3://", "foo", "az://container"])
def test_open_blobs__refuses_what_names_no_store_in_one_line(url: str) -> None:
    with pytest.raises(WrongSetting, match=rf"^blobs_url: '{url}' names no object store: .+$"):
        open_blobs(load_settings(blobs_url=url))
