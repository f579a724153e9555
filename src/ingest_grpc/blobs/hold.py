"""Keeps the bytes of deleted files in place while somebody brings all blobs of a snapshot elsewhere (blocking code).

A lock of the kernel on a file beside the blobs: whoever sweeps shares it for as long as a batch takes, whoever makes a
backup has it alone. It ends with its process, however that dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "backup.lock"
"""Open for writing, without ever being written: network file systems lock nothing else."""


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Waits for the sweeps that run, and for another backup; until it is left, no bytes of deleted files go."""
    with _opened(root) as fd:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield


@contextmanager
def removing(root: Path) -> Iterator[bool]:
    """Whether bytes of deleted files may go now, inside of this context."""
    with _opened(root) as fd:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _opened(root: Path) -> Iterator[int]:
    fd = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _give(fd, root)
        yield fd  # closing it unlocks it
    finally:
        os.close(fd)


def _give(fd: int, root: Path) -> None:
    """Whoever owns the blobs must be able to open the lock: an administrator may have been first."""
    owner = root.stat()
    if os.geteuid() == 0 and os.fstat(fd).st_uid != owner.st_uid:
        os.fchown(fd, owner.st_uid, owner.st_gid)
