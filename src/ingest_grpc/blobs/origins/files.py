"""Files of this machine, as far as they lie below the folders that the operator names."""

import errno
import os
import re
import stat
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingest_grpc.blobs.interface import CHUNK_BYTES
from ingest_grpc.blobs.origins.interface import ListedObject, OriginObject, changed, not_allowed, not_found
from ingest_grpc.blobs.threads import Threads
from ingest_grpc.errors import IngestError, Reason

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG})
_NO_UTF8 = re.compile("[\udc80-\udcff]")
"""Bytes of a file name as Python holds those that are no text."""


class FileOrigin:
    """See Origin. A file's etag is made of its inode, its time of change and its size."""

    def __init__(self, roots: Sequence[Path], threads: Threads) -> None:
        self._roots = roots
        self._threads = threads

    async def head(self, path: str) -> OriginObject:
        with _translated(path):
            async with self._threads.descriptor(partial(self._open, path)) as fd:
                return _described(os.fstat(fd))

    async def read(self, path: str, expected: OriginObject) -> AsyncGenerator[bytes]:
        with _translated(path):
            async with self._threads.descriptor(partial(self._open, path)) as fd:
                offset = 0
                while offset <= expected.size_bytes:
                    if _described(os.fstat(fd)) != expected:
                        raise changed(path)
                    data = await self._threads.run(os.pread, fd, CHUNK_BYTES, offset)
                    if not data:
                        return
                    yield data
                    offset += len(data)
                raise changed(path)  # it has grown since the look at its size

    async def list(self, prefix: str) -> AsyncGenerator[ListedObject]:
        with _translated(prefix):
            folders = [await self._threads.run(self._folder, prefix)]
            top = folders[0]
            while folders:
                folder = folders.pop()
                inner, files = await self._threads.run(_entries, folder, top)
                folders += inner
                for each in files:
                    yield each

    def _folder(self, path: str) -> Path:
        """A folder that really lies below a root, or is one."""
        resolved = Path("/", path).resolve()
        if not _within(resolved, [root.resolve() for root in self._roots]):
            raise not_allowed(f"file:///{path}")
        if not resolved.is_dir():
            raise not_found(path)
        return resolved

    def _open(self, path: str) -> int:
        """A descriptor of a regular file that really lies below a root, whatever symbolic links say."""
        roots = [root.resolve() for root in self._roots]
        resolved = Path("/", path).resolve()
        if not _within(resolved, roots):
            raise not_allowed(f"file:///{path}")
        # Not blocking: opening a named pipe would wait for its writer.
        fd = os.open(resolved, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise not_found(path)
            # A folder on the way may have been replaced by a link since it was resolved: ask what was opened.
            if not _within(Path(f"/proc/self/fd/{fd}").readlink(), roots):
                raise not_allowed(f"file:///{path}")
        except BaseException:
            os.close(fd)
            raise
        return fd


def _entries(folder: Path, top: Path) -> tuple[list[Path], list[ListedObject]]:
    """(folders, files) of a folder. Symbolic links are left out: they may lead anywhere, and in circles."""
    folders, files = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                path = Path(entry.path).relative_to(top)
                files.append(ListedObject(_key(path), _described(entry.stat(follow_symlinks=False))))
    return folders, files


def _key(path: Path) -> str:
    """A path as text. Bytes that are no UTF-8 are written as "%E9": no URL leads to such a file, so it fails alone."""
    return _NO_UTF8.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", path.as_posix())


def _within(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _described(found: os.stat_result) -> OriginObject:
    return OriginObject(f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}", found.st_size)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links, as pathlib says it
        if isinstance(error, RuntimeError) or error.errno in _ABSENT:
            raise not_found(path) from error
        raise IngestError(Reason.SERVICE_UNAVAILABLE, {"path": path}) from error
