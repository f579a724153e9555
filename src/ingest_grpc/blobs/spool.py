"""Unfinished uploads: files that grow piece by piece, each piece durable before it is acknowledged.

They stay on the server's own disk, also where the blobs live in an object store: its multipart parts cannot be
read back, appended to byte by byte, or trusted after a crash. How much of a file counts is the ledger's word; what a
crash left beyond that is cut off by the next append.
"""

import os
from pathlib import Path

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import IsKnown, checked_key
from ingest_grpc.blobs.threads import Threads


class Spool:
    """One file per key, in one folder. The caller sees to it that no two appends to a key run at once.

    Every method raises IngestError STORAGE_FULL when there is no room, STORAGE_UNAVAILABLE on any other failure.
    """

    def __init__(self, folder: Path, files: FileSystem | None = None) -> None:
        self._folder = folder
        self._files = files or FileSystem()
        self._threads = Threads()

    async def start(self, is_known: IsKnown) -> None:
        """Makes the folder, and removes the files that the ledger does not know as unfinished uploads."""
        with storage_errors():
            await self._threads.run(self._files.make_folder, self._folder)
            for name in await self._threads.run(os.listdir, self._folder):
                if not await is_known(name):
                    await self._threads.run(self._files.unlink, self._folder / name)

    async def stop(self) -> None:
        """Lets running calls end. Idempotent."""
        await self._threads.stop()

    def path(self, key: str) -> Path:
        """Where the bytes of a key are, for whoever makes a blob of them."""
        return self._folder / checked_key(key)

    async def append(self, key: str, offset: int, data: bytes) -> None:
        """Puts `data` at `offset` and cuts off whatever was there; durable when it returns.

        After a failure the bytes before `offset` are as they were. Raises ValueError if there are fewer than `offset`.
        """
        with storage_errors():
            await self._threads.run(self._append, self.path(key), offset, data)

    async def read(self, key: str, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes from `offset`; none for a key that has no file."""
        with storage_errors():
            return await self._threads.run(self._read, self.path(key), offset, limit)

    async def size(self, key: str) -> int:
        """How many bytes are there, acknowledged or not; 0 for a key that has no file."""
        with storage_errors():
            return await self._threads.run(_size, self.path(key))

    async def free_bytes(self) -> int:
        """Bytes that can still be written here."""
        with storage_errors():
            disk = await self._threads.run(os.statvfs, self._folder)
        return disk.f_bavail * disk.f_frsize

    async def drop(self, key: str) -> None:
        """Removes the file of a key. Idempotent."""
        with storage_errors():
            await self._threads.run(self._files.unlink, self.path(key))

    def _append(self, path: Path, offset: int, data: bytes) -> None:
        if _size(path) < offset:
            raise ValueError(f"{path.name} has fewer than {offset} bytes")
        fd = self._opened(path, offset)
        try:
            self._files.write(fd, data)
            # If it fails, the next append cuts these bytes off: they are written anew, never just synced again.
            self._files.fsync(fd)
        finally:
            os.close(fd)

    def _opened(self, path: Path, offset: int) -> int:
        try:
            return self._files.reopen(path, offset)
        except FileNotFoundError:
            fd = self._files.create(path)
        # At once: the first bytes must not be durable in a file whose name is not.
        try:
            self._files.fsync_folder(self._folder)
        except BaseException:
            os.close(fd)
            self._files.unlink(path)
            raise
        return fd

    def _read(self, path: Path, offset: int, limit: int) -> bytes:
        try:
            fd = self._files.open(path)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(fd, limit, offset)
        finally:
            os.close(fd)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
