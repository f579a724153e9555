"""What the tests of the blob stores store, and how."""

from collections.abc import Callable

from ingest_grpc.blobs.interface import CHUNK_BYTES, Blobs, StoredBlob
from ingest_grpc.blobs.parts import PART_BYTES

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
