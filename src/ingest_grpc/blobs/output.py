"""The Output of every backend: a nameless temporary file whose bytes become a blob by being copied."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import CHUNK_BYTES, BlobWriter, Output, StoredBlob
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

    async def commit(self, key: str) -> StoredBlob:
        async with self._writer(key) as writer:
            while data := await self._next(writer.size_bytes):
                await writer.write(data)
            return await writer.commit()

    async def _next(self, offset: int) -> bytes:
        with storage_errors():
            # pread: the child shares the descriptor's offset and may move it at any time.
            return await self._threads.run(os.pread, self._fd, CHUNK_BYTES, offset)


@asynccontextmanager
async def spooled_output(
    files: FileSystem, folder: Path | None, writer: Callable[[str], BlobWriter], threads: Threads
) -> AsyncIterator[Output]:
    """An empty Output in `folder` (None = the machine's temporary folder)."""
    async with threads.descriptor(storage_errors()(partial(files.nameless, folder))) as fd:
        yield SpooledOutput(fd, writer, threads)
