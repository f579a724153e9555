"""What the tests of the blob stores store, and how."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ingest_grpc.blobs.interface import CHUNK_BYTES, Blobs, StoredBlob
from ingest_grpc.blobs.parts import PART_BYTES
from tests.faults import cancelled_at

DATA = b"The quick brown fox"
LARGE = bytes(range(256)) * (3 * PART_BYTES // 256) + b"tail"
"""More than one part of a multipart upload, and not a multiple of anything."""

Reopen = Callable[[], Blobs]


async def nobody_knows(key: str) -> bool:
    return False


async def store(blobs: Blobs, key: str, data: bytes = DATA) -> StoredBlob:
    async with blobs.writer(key) as writer:
        for start in range(0, len(data), CHUNK_BYTES):
            await writer.write(memoryview(data)[start : start + CHUNK_BYTES])
        return await writer.commit()


async def keys(blobs: Blobs) -> list[str]:
    return sorted([blob.key async for blob in blobs.listing()])


def open_files() -> list[str]:
    """The files this process has open, without the sockets of an object store's client."""
    targets = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    return sorted(target for target in targets if target.startswith("/"))


async def cancel_everywhere(
    use: Callable[[], Coroutine[Any, Any, object]],
    check: Callable[[], Coroutine[Any, Any, None]],
    again: int = 0,
) -> int:
    """Runs `use` over and over, cancelled at its first, second, … await; the number of awaits it has."""
    for at in range(1, 200):
        try:
            await cancelled_at(use(), at, at + again)
        except asyncio.CancelledError:
            await check()
        else:
            return at - 1
    raise AssertionError("no end of awaits")
