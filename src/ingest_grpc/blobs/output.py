"""How local bytes become a blob by being copied: a finished file, and the Output of a converter child."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from ingest_grpc import memory_files
from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.interface import (
    CHUNK_BYTES,
    IN_MEMORY_BYTES,
    BlobWriter,
    OnChunk,
    Output,
    StoredBlob,
    no_sign,
)
from ingest_grpc.blobs.threads import Threads


class Storage(Protocol):
    """The part of Blobs that takes new bytes."""

    def writer(self, key: str) -> BlobWriter:
        """See Blobs."""
        ...

    async def put(self, key: str, data: bytes | memoryview) -> StoredBlob:
        """See Blobs."""
        ...


class SpooledOutput:
    """An Output over a descriptor that somebody else closes."""

    def __init__(self, fd: int, storage: Storage, threads: Threads) -> None:
        self._fd = fd
        self._storage = storage
        self._threads = threads

    @property
    def fd(self) -> int:
        return self._fd

    async def commit(self, key: str, on_chunk: OnChunk = no_sign) -> StoredBlob:
        return await _committed(self._fd, self._storage.writer(key), self._threads, on_chunk)


class MemoryOutput(SpooledOutput):
    """The same over memory, which can be read at once."""

    async def commit(self, key: str, on_chunk: OnChunk = no_sign) -> StoredBlob:
        if os.fstat(self._fd).st_size > CHUNK_BYTES:
            return await SpooledOutput.commit(self, key, on_chunk)
        stored = await self._storage.put(key, os.pread(self._fd, CHUNK_BYTES, 0))
        on_chunk()
        return stored


def output_for(
    most_bytes: int | None, storage: Storage, threads: Threads, create_file: Callable[[], int]
) -> AbstractAsyncContextManager[Output]:
    """An empty Output: in memory where little can come, else in the file without a name that `create_file` makes."""
    if most_bytes is not None and most_bytes <= IN_MEMORY_BYTES:
        return _memory_output(storage, threads)
    return _spooled_output(storage, threads, create_file)


@asynccontextmanager
async def _memory_output(storage: Storage, threads: Threads) -> AsyncIterator[Output]:
    with storage_errors():
        fd = memory_files.create("output")
    try:
        yield MemoryOutput(fd, storage, threads)
    finally:
        await threads.close(fd, memory_files.close)


@asynccontextmanager
async def _spooled_output(storage: Storage, threads: Threads, create_file: Callable[[], int]) -> AsyncIterator[Output]:
    async with threads.descriptor(storage_errors()(create_file)) as fd:
        yield SpooledOutput(fd, storage, threads)


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
