"""How local bytes become a blob by being copied: a finished file, and the Output of a converter child."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import CHUNK_BYTES, BlobWriter, OnChunk, Output, StoredBlob, no_sign
from ingest_grpc.blobs.threads import Threads


class SpooledOutput:
    """An Output over a descriptor that somebody else closes."""

    def __init__(self, fd: int, writer: Callable[[str], BlobWriter], threads: Threads) -> None:
        self._fd = fd
        self._writer = writer
        self._threads = threads

    @property
    def fd(self) -> int:
        return self._fd

    async def commit(self, key: str, on_chunk: OnChunk = no_sign) -> StoredBlob:
        return await _committed(self._fd, self._writer(key), self._threads, on_chunk)


@asynccontextmanager
async def spooled_output(
    files: FileSystem, folder: Path | None, writer: Callable[[str], BlobWriter], threads: Threads
) -> AsyncIterator[Output]:
    """An empty Output in `folder` (None = the machine's temporary folder)."""
    async with threads.descriptor(storage_errors()(partial(files.nameless, folder))) as fd:
        yield SpooledOutput(fd, writer, threads)


async def copied(source: Path, writer: BlobWriter, threads: Threads) -> StoredBlob:
    """The bytes of a local file, committed to `writer`."""
    async with threads.descriptor(storage_errors()(partial(os.open, source, os.O_RDONLY | os.O_CLOEXEC))) as fd:
        return await _committed(fd, writer, threads)


async def _committed(fd: int, opened: BlobWriter, threads: Threads, on_chunk: OnChunk = no_sign) -> StoredBlob:
    async with opened as writer:
        while True:
            with storage_errors():
                # pread: a child may share the descriptor's offset and move it at any time.
                data = await threads.run(os.pread, fd, CHUNK_BYTES, writer.size_bytes)
            if not data:
                return await writer.commit()
            await writer.write(data)
            on_chunk()
