"""A file on its way to being a blob: written under `staging/`, published by a second name (blocking code)."""

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import BlobExists, checked_key

_STAGING = "staging"
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems without hard links answer (FAT, some network and FUSE mounts); all else is a failure."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a local blob store keeps what; everything within `root`, which may be a mount of its own."""

    root: Path

    @property
    def staging(self) -> Path:
        return self.root / _STAGING

    @property
    def shards(self) -> list[Path]:
        """256 folders, so that none grows too long to list."""
        return [self.root / f"{number:02x}" for number in range(256)]

    def staged(self, key: str) -> Path:
        return self.root.joinpath(_STAGING, checked_key(key))

    def blob(self, key: str) -> Path:
        """The folder comes from a hash: keys made at the same time share their first characters."""
        return self.root.joinpath(hashlib.sha256(checked_key(key).encode()).hexdigest()[:2], key)


class StagedFile:
    """One upload's file. `create`, `append`…, `publish` in this order; `discard` at any time after a failure."""

    def __init__(self, files: FileSystem, layout: Layout, key: str) -> None:
        self._files = files
        self._key = key
        self._staged = layout.staged(key)
        self._blob = layout.blob(key)
        self._sha256 = hashlib.sha256()
        self._fd: int | None = None
        self._created = False
        self._published = False

    def create(self) -> None:
        """Opens the staging file. Raises BlobExists."""
        if self._blob.exists():
            raise BlobExists(self._key)
        try:
            self._fd = self._files.create(self._staged)
        except FileExistsError as error:
            raise BlobExists(self._key) from error
        self._created = True

    def append(self, data: bytes | memoryview) -> None:
        """Writes and hashes `data`."""
        assert self._fd is not None
        self._files.write(self._fd, data)
        self._sha256.update(data)

    def publish(self) -> str:
        """Makes the file durable, then its staging name, then the blob's name. Returns the SHA-256 in hex.

        The staging name goes first: after a power cut a blob's name without it would be an orphan that
        no start can find.
        """
        assert self._fd is not None
        self._files.fsync(self._fd)
        self._close()
        self._files.fsync_folder(self._staged.parent)
        self._link()
        self._files.fsync_folder(self._blob.parent)
        return self._sha256.hexdigest()

    def whole(self, data: bytes | memoryview) -> str:
        """`create`, `append` and `publish`, for content that is at hand."""
        self.create()
        self.append(data)
        return self.publish()

    def adopt(self, source: Path) -> int | None:
        """Publishes a durable file under a second name, in place of `create` to `publish`; returns its bytes.

        None if this folder cannot hold a name of that file, and then nothing was done. Raises BlobExists.
        """
        if self._blob.exists():
            raise BlobExists(self._key)
        try:
            self._files.link(source, self._staged)
        except FileExistsError as error:
            raise BlobExists(self._key) from error
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS | {errno.EXDEV}:
                raise
            return None
        self._created = True
        try:
            self._files.fsync_folder(self._staged.parent)
            self._link()
            self._files.fsync_folder(self._blob.parent)
            return self._blob.lstat().st_size
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Removes every trace; the staging name last, so that a crash in between leaves it for the next start."""
        self._close()
        if self._published:
            self._files.unlink(self._blob)
            self._published = False
        if self._created:
            self._files.unlink(self._staged)
            self._created = False

    def _link(self) -> None:
        try:
            self._files.link(self._staged, self._blob)
        except FileExistsError as error:
            raise BlobExists(self._key) from error
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            self._files.rename(self._staged, self._blob)
        self._published = True

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)
