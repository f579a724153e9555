"""A child with a folder of its own writes there and nowhere else, and takes no more room than it may."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_grpc.sandbox.spec import Ending, Scratch
from tests.integration.sandbox.canary import IN_FOLDER
from tests.integration.sandbox.pools import LIMITS, MIB, ask, canaries, failure_of

REFUSED = {errno.EPERM, errno.EACCES}


def names(folder: Path) -> list[str]:
    """The folders of children, with their files."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_folder__takes_files_is_emptied_after_a_task_and_goes_with_its_child(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "when needed"
    async with canaries(scratch=Scratch(str(folder), MIB)) as pool:
        written = await ask(pool, "write_in_folder")
        assert written["read"] == 10
        assert Path(written["path"]).parent.parent == folder
        assert Path(written["path"]).parent.stat().st_mode & 0o077 == 0
        assert all("/" not in name for name in names(folder)), "files are left"
        assert all(pool.protections.values())
    assert names(folder) == []


@pytest.mark.parametrize("deed", sorted(IN_FOLDER))
async def test_folder__allows_files_only(tmp_path: Path, deed: str) -> None:
    async with canaries(scratch=Scratch(str(tmp_path), MIB)) as pool:
        assert (await ask(pool, "in_folder", deed=deed))["errno"] in REFUSED
    assert names(tmp_path) == []


async def test_folder__a_child_without_one_has_none() -> None:
    async with canaries() as pool:
        failure = await failure_of(pool, "write_in_folder")
    assert failure.ending is Ending.BROKEN
    assert "No such file" in failure.detail or "Permission denied" in failure.detail


async def test_removed__files_are_still_there_so_that_they_count(tmp_path: Path) -> None:
    async with canaries(scratch=Scratch(str(tmp_path), MIB)) as pool:
        assert await ask(pool, "remove_in_folder") == {"still_there": True}


@pytest.mark.parametrize(
    ("scratch", "size", "pause_seconds", "words"),
    [
        (Scratch("", 4 * MIB), MIB // 2, 0.002, f"more than {4 * MIB} bytes in its folder"),
        (Scratch("", 2**30, max_files=50), 1, 0.0, "more than 50 files in its folder"),
    ],
)
async def test_folder__of_many_files_is_stopped(
    tmp_path: Path, scratch: Scratch, size: int, pause_seconds: float, words: str
) -> None:
    async with canaries(scratch=replace(scratch, parent=str(tmp_path))) as pool:
        failure = await failure_of(pool, "fill_folder", size=size, pause_seconds=pause_seconds)
        assert (failure.ending, failure.detail) == (Ending.OUT_OF_MEMORY, words)
        assert (await ask(pool, "write_in_folder"))["read"] == 10
    assert os.listdir(tmp_path) == []


async def test_folder__one_large_file_is_refused_by_the_kernel(tmp_path: Path) -> None:
    async with canaries(scratch=Scratch(str(tmp_path), 2**30)) as pool:
        failure = await failure_of(pool, "fill_folder", size=LIMITS.written_bytes + 1, pause_seconds=0)
    assert failure.ending is Ending.BROKEN
    assert "File too large" in failure.detail
