"""Files in memory are empty for everybody once their owner has closed them."""

import fcntl
import mmap
import os
from collections.abc import Callable

import pytest

from ingest_grpc import memory_files

MIB = 2**20

GROWING: list[Callable[[int], object]] = [
    lambda kept: os.pwrite(kept, b"x", 0),
    lambda kept: os.ftruncate(kept, 1),
    lambda kept: os.posix_fallocate(kept, 0, 4096),
]


@pytest.mark.parametrize("grow", GROWING)
def test_close__leaves_nothing_to_who_kept_a_descriptor_or_a_mapping(grow: Callable[[int], object]) -> None:
    fd = memory_files.create("x")
    os.ftruncate(fd, MIB)
    kept = os.dup(fd)
    with mmap.mmap(kept, MIB) as mapping:
        mapping[:] = b"x" * MIB
        memory_files.close(fd)
        assert (os.fstat(kept).st_size, os.fstat(kept).st_blocks) == (0, 0)
        with pytest.raises(PermissionError):
            grow(kept)
    os.close(kept)


def test_close__of_a_file_that_another_sealed() -> None:
    fd = memory_files.create("x")
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)
    memory_files.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
