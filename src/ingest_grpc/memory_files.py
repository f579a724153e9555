"""Files in memory that a converter child gets to write in: when they are closed, nothing of them is left.

A child that kept a descriptor would write on, and neither its own memory nor a disk would show it.
"""

import contextlib
import fcntl
import os


def create(name: str) -> int:
    """The descriptor of an empty file in memory; `name` is for who looks at descriptors. OSError if there is none."""
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def close(fd: int) -> None:
    """Empty it, for good and for everybody who holds it, and close it."""
    try:
        # Only a child without its filter of system calls can have sealed the file itself; what it holds then, it holds.
        with contextlib.suppress(PermissionError):
            # First the seal: what is cut off before could grow again. Sealing writes would fail where it is mapped.
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
            os.ftruncate(fd, 0)
    finally:
        os.close(fd)
