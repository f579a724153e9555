"""A multipart upload that is fed part by part and can be taken back."""

import asyncio
from collections.abc import AsyncIterator

import obstore
from obstore.store import ObjectStore

from ingest_grpc.cancellation import to_its_end

PART_BYTES = 8 * 1024 * 1024
"""What is sent as one part; S3 allows 10,000 of them, so 80 GB, and none but the last below 5 MiB."""

_PARTS_AT_ONCE = 2
"""Bounds the memory of one upload to a few parts: a server has many uploads at once."""


class _Dropped(Exception):
    """Raised into obstore, which then aborts the multipart upload."""


class PartStream:
    """One multipart upload to `key`. Obstore pulls the parts; its own writer object could not be aborted.

    After a method raised or was cancelled, only `drop` is allowed.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._dropped = asyncio.Event()
        self._upload = asyncio.ensure_future(
            obstore.put_async(
                store,
                key,
                self._pulled(),
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        )

    async def send(self, part: bytes) -> None:
        """Hands over one part and waits while two are on their way. Raises what the upload raised."""
        await self._hand_over(part)

    async def finish(self) -> None:
        """The last part was sent: completes the object. Raises what the upload raised."""
        await self._hand_over(None)
        await to_its_end(self._upload)

    async def drop(self) -> None:
        """Aborts the upload, and returns when the store has confirmed it. Idempotent."""
        self._dropped.set()
        await asyncio.wait([self._upload])
        self._upload.exception()  # seen: why it failed was raised by `send` or `finish`, or it is _Dropped

    async def _hand_over(self, part: bytes | None) -> None:
        putting = asyncio.ensure_future(self._parts.put(part))
        try:
            # A failed upload pulls no more: waiting for room alone would be waiting for ever.
            await asyncio.wait([putting, self._upload], return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()
        if part is not None and self._upload.done():
            await self._upload

    async def _pulled(self) -> AsyncIterator[bytes]:
        while (part := await self._next()) is not None:
            yield part

    async def _next(self) -> bytes | None:
        getting, dropped = asyncio.ensure_future(self._parts.get()), asyncio.ensure_future(self._dropped.wait())
        try:
            await asyncio.wait([getting, dropped], return_when=asyncio.FIRST_COMPLETED)
            if self._dropped.is_set():
                raise _Dropped
            return getting.result()
        finally:
            getting.cancel()
            dropped.cancel()
