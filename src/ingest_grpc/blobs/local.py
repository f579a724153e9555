"""Blobs in a local folder: `<root>/ab/<key>`, written and named so that a power cut loses nothing promised.

An upload is written to `<root>/staging/<key>`, and published by a hard link. The staging name stays as a
note that the ledger has not yet confirmed the blob; `settle` removes it. So a start lists `staging/` alone,
however many blobs there are. On a file system without hard links the file is renamed instead: a crash
between the blob and its row then leaves an orphan for `admin check`.
See docs/decisions/0003-blob-intent-links.md.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from ingest_grpc.blobs.failures import read_errors, storage_errors
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.hold import removing
from ingest_grpc.blobs.interface import BlobWriter, IsKnown, ListedBlob, OnChunk, Output, StoredBlob, is_key, no_sign
from ingest_grpc.blobs.notes import Notes
from ingest_grpc.blobs.output import copied, output_for
from ingest_grpc.blobs.staged import Layout, StagedFile
from ingest_grpc.blobs.threads import Threads
from ingest_grpc.blobs.upload import Upload


class LocalBlobs:
    """Blobs below `root`, which only this process may write to (the ledger's lock sees to it)."""

    def __init__(self, root: Path, files: FileSystem | None = None) -> None:
        self._layout = Layout(root)
        self._files = files or FileSystem()
        self._threads = Threads()
        self._notes = Notes(self._files, self._threads)

    async def start(self, is_known: IsKnown) -> None:
        with storage_errors():
            await self._threads.run(self._make_folders)
            for name in await self._threads.run(_file_names, self._layout.staging):
                known = is_key(name) and await is_known(name)
                await self._threads.run(self._confirm if known else self._forget, name)

    async def stop(self) -> None:
        await self._notes.stop()
        await self._threads.stop()

    def writer(self, key: str) -> BlobWriter:
        return self._upload(key)

    def _upload(self, key: str) -> "_LocalUpload":
        return _LocalUpload(key, StagedFile(self._files, self._layout, key), self._threads)

    async def put(self, key: str, data: bytes | memoryview) -> StoredBlob:
        return await self._upload(key).whole(data)

    async def adopt(self, key: str, source: Path, sha256: str) -> StoredBlob:
        staged = StagedFile(self._files, self._layout, key)
        with storage_errors():
            size_bytes = await self._threads.run(staged.adopt, source)
        if size_bytes is None:
            return await copied(source, self.writer(key), self._threads)
        return StoredBlob(key, size_bytes, sha256)

    async def settle(self, key: str) -> None:
        self._notes.drop(self._layout.staged(key))

    async def settled(self) -> None:
        """Returns when nothing is left of the notes of the blobs that were settled so far."""
        await self._notes.flush()

    async def read(self, key: str, offset: int, limit: int) -> bytes:
        if offset < 0 or limit < 1:
            raise ValueError(f"no such range: {limit} bytes from {offset}")
        with read_errors(key):
            return await self._threads.run(self._read, self._layout.blob(key), offset, limit)

    def open(self, key: str, on_chunk: OnChunk = no_sign) -> AbstractAsyncContextManager[int]:
        return self._threads.descriptor(read_errors(key)(partial(self._files.open, self._layout.blob(key))))

    def output(self, most_bytes: int | None = None) -> AbstractAsyncContextManager[Output]:
        return output_for(most_bytes, self, self._threads, partial(self._files.nameless, self._layout.staging))

    async def delete(self, key: str) -> None:
        self._notes.keep(self._layout.staged(key))
        with storage_errors():
            await self._threads.run(self._remove, self._layout.blob(key), self._layout.staged(key))

    @contextmanager
    def removing(self) -> Iterator[bool]:
        with ExitStack() as stack:
            with storage_errors():
                allowed = stack.enter_context(removing(self._layout.root))
            yield allowed

    async def exists(self, key: str) -> bool:
        with storage_errors():
            return await self._threads.run(_exists, self._layout.blob(key))

    async def listing(self) -> AsyncIterator[ListedBlob]:
        for shard in self._layout.shards:
            with storage_errors():
                listed = await self._threads.run(_listed, shard)
            for blob in listed:
                yield blob

    async def free_bytes(self) -> int | None:
        with storage_errors():
            disk = await self._threads.run(os.statvfs, self._layout.root)
        return disk.f_bavail * disk.f_frsize

    def _make_folders(self) -> None:
        """All folders at once: made lazily, a shard could be in use before its own name is durable."""
        self._files.make_folder(self._layout.root)
        for folder in (self._layout.staging, *self._layout.shards):
            folder.mkdir(mode=0o700, exist_ok=True)
        # Even if none was new: the start that made them may have crashed before this line.
        self._files.fsync_folder(self._layout.root)

    def _confirm(self, key: str) -> None:
        """A crash came between the row and `settle`: the blob is wanted, so never drop its last name."""
        if not _exists(self._layout.blob(key)):
            self._files.link(self._layout.staged(key), self._layout.blob(key))
            self._files.fsync_folder(self._layout.blob(key).parent)
        self._files.unlink(self._layout.staged(key))

    def _forget(self, name: str) -> None:
        """A crash came before the row: nobody knows these bytes. Other names are the temporary files' own."""
        if is_key(name):
            self._remove(self._layout.blob(name), self._layout.staged(name))
        else:
            self._files.unlink(self._layout.staging / name)

    def _remove(self, blob: Path, staged: Path) -> None:
        """The staging name goes last and after the fsync, so that a crash at any point leaves no orphan."""
        if self._files.unlink(blob):
            self._files.fsync_folder(blob.parent)
        self._files.unlink(staged)

    def _read(self, path: Path, offset: int, limit: int) -> bytes:
        fd = self._files.open(path)
        try:
            return os.pread(fd, limit, offset)
        finally:
            os.close(fd)


class _LocalUpload(Upload):
    def __init__(self, key: str, staged: StagedFile, threads: Threads) -> None:
        super().__init__(key)
        self._staged = staged
        self._threads = threads

    async def _at_once(self, data: bytes | memoryview) -> str:
        """In one hop to a thread, where each step of its own would take one."""
        return await self._threads.run(self._staged.whole, data)

    async def _begin(self) -> None:
        await self._threads.run(self._staged.create)

    async def _append(self, data: bytes | memoryview) -> None:
        await self._threads.run(self._staged.append, data)

    async def _publish(self) -> str:
        return await self._threads.run(self._staged.publish)

    async def _drop(self) -> None:
        await self._threads.run(self._staged.discard)


def _file_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _listed(shard: Path) -> list[ListedBlob]:
    listed = []
    for name in filter(is_key, _file_names(shard)):
        with suppress(FileNotFoundError):  # deleted since the folder was read
            found = (shard / name).lstat()
            listed.append(ListedBlob(name, found.st_size, found.st_mtime_ns // 1_000))
    return listed


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True
