"""Folders that appear whole or not at all, and files that come into them durably (blocking code)."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest_grpc.admin.errors import AdminError
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import CHUNK_BYTES

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What the kernel answers where a second name cannot be made, but a copy can."""

_PARTIAL = ".partial-"
"""In the name of a folder that is being filled."""

_OF_A_DISK = "lost+found"
"""What an empty disk holds."""

_files = FileSystem()


def require_empty(folder: Path) -> None:
    """Raises AdminError unless the folder is empty or not there."""
    try:
        found = _first_in(folder)
    except NotADirectoryError:
        raise AdminError(f"{folder} is no folder.", "Name a folder that is empty or does not exist.") from None
    if found is None:
        return
    if _PARTIAL in found:
        fix = "Wait for its end if it still runs; otherwise remove what the folder holds, then try again."
        raise AdminError(f"{folder} holds {found}, of an attempt that did not end.", fix)
    raise AdminError(f"{folder} is not empty: it holds {found}.", "Name an empty or a new folder.")


def _first_in(folder: Path, *besides: str) -> str | None:
    """The first name in a folder; None without any, or without the folder."""
    with suppress(FileNotFoundError):
        return min((each.name for each in folder.iterdir() if each.name not in {_OF_A_DISK, *besides}), default=None)
    return None


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder whose content becomes that of `target` when the block ends, and is removed if the block raises.

    Raises AdminError unless `target` is empty or not there, also when it fills up meanwhile.
    """
    target = target.absolute()
    require_empty(target)
    _files.make_folder(target.parent)
    # One that is there may be a disk of its own, which no other folder can replace.
    home, take = (target, _move_content) if target.is_dir() else (target.parent, _take_name)
    partial = home / f".{target.name}{_PARTIAL}{uuid.uuid4().hex[:8]}"
    partial.mkdir(mode=0o700)
    try:
        yield partial
        _sync_tree(partial)
        take(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _files.fsync_folder(home)


def _take_name(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise _filled(target) from error


def _move_content(partial: Path, target: Path) -> None:
    """By name: a mark before what it marks, blobs before the ledger that names them, and a backup's manifest last. So
    no crash leaves what looks whole and is not."""
    if _first_in(target, partial.name) is not None:
        raise _filled(target)
    for each in sorted(partial.iterdir()):
        _files.rename(each, target / each.name)
        _files.fsync_folder(target)
    partial.rmdir()


def _filled(target: Path) -> AdminError:
    return AdminError(f"{target} was filled by somebody else.", "Name an empty or a new folder.")


def _sync_tree(folder: Path) -> None:
    """Makes every name below durable; the files themselves already are."""
    for each, _, _ in os.walk(folder):
        _files.fsync_folder(Path(each))


def bring(source: Path, target: Path) -> bool:
    """Gives `source`, a file that never changes, a second name, or copies it; False if it was copied.

    Raises FileNotFoundError if there is no source.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _files.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        copy(source, target)
        return False
    return True


def copy(source: Path, target: Path) -> str:
    """Copies a file durably; returns the SHA-256 of its bytes in hex. Raises FileNotFoundError."""
    with source.open("rb", buffering=0) as original:
        fd = _files.create(target)
        try:
            sha256 = hashlib.sha256()
            while data := original.read(CHUNK_BYTES):
                sha256.update(data)
                _files.write(fd, data)
            _files.fsync(fd)
        finally:
            os.close(fd)
    return sha256.hexdigest()


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file's bytes in hex. Raises FileNotFoundError."""
    with file.open("rb", buffering=0) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sync_file(file: Path) -> None:
    """Makes the bytes of a file durable."""
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _files.fsync(fd)
    finally:
        os.close(fd)


def remove(file: Path) -> None:
    """Removes a file, if it is there, so that it stays away after a power cut."""
    with suppress(FileNotFoundError):
        file.unlink()
        _files.fsync_folder(file.parent)


def write_new(file: Path, data: bytes) -> None:
    """Writes a new file durably."""
    fd = _files.create(file)
    try:
        _files.write(fd, data)
        _files.fsync(fd)
    finally:
        os.close(fd)
