"""Blobs in any object store that obstore reaches: S3, Google Cloud Storage, Azure, or memory for tests.

Uploads stream: from PART_BYTES on they are multipart, and one that is dropped is aborted. After a crash its
parts stay hidden and billed until the bucket's lifecycle rule for incomplete uploads removes them. A crash
between the blob and its row leaves an orphan for `admin check`: no start deletes anything here, because other
servers may be writing to the same bucket.
"""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from ingest_grpc.blobs.failures import read_errors, storage_errors
from ingest_grpc.blobs.filesystem import FileSystem
from ingest_grpc.blobs.interface import (
    CHUNK_BYTES,
    BlobExists,
    BlobWriter,
    IsKnown,
    ListedBlob,
    OnChunk,
    Output,
    StoredBlob,
    checked_key,
    is_key,
    no_sign,
)
from ingest_grpc.blobs.output import copied, output_for
from ingest_grpc.blobs.parts import PART_BYTES, PartStream
from ingest_grpc.blobs.threads import Threads
from ingest_grpc.blobs.upload import Upload
from ingest_grpc.cancellation import to_its_end
from ingest_grpc.clock import MICROSECONDS


class ObjectBlobs:
    """Blobs as objects named by their keys, below the URL's path."""

    def __init__(self, store: ObjectStore, files: FileSystem | None = None) -> None:
        self._store = store
        self._files = files or FileSystem()
        self._threads = Threads()

    @classmethod
    def from_url(cls, url: str) -> "ObjectBlobs":
        """The store that the URL names; credentials come from the environment, as obstore documents them."""
        return cls(from_url(url))

    async def start(self, is_known: IsKnown) -> None:
        """Nothing to ready and nothing to sweep: see the module's first lines."""

    async def stop(self) -> None:
        await self._threads.stop()

    def writer(self, key: str) -> BlobWriter:
        return self._upload(key)

    def _upload(self, key: str) -> "_ObjectUpload":
        return _ObjectUpload(self._store, checked_key(key), self._threads)

    async def put(self, key: str, data: bytes | memoryview) -> StoredBlob:
        return await self._upload(key).whole(data)

    async def adopt(self, key: str, source: Path, sha256: str) -> StoredBlob:
        """Sends the bytes, and hashes them once more on their way: what is stored is what the hash says."""
        return await copied(source, self.writer(key), self._threads)

    async def settle(self, key: str) -> None:
        """Nothing was noted, so there is nothing to forget."""
        checked_key(key)

    async def read(self, key: str, offset: int, limit: int) -> bytes:
        if offset < 0 or limit < 1:
            raise ValueError(f"no such range: {limit} bytes from {offset}")
        with read_errors(checked_key(key)):
            try:
                return bytes(await obstore.get_range_async(self._store, key, start=offset, length=limit))
            except BaseError:
                # A range beyond the end is an error to every store, and to each another one: ask for the size.
                if offset < (await obstore.head_async(self._store, key))["size"]:
                    raise
                return b""

    @asynccontextmanager
    async def open(self, key: str, on_chunk: OnChunk = no_sign) -> AsyncIterator[int]:
        checked_key(key)
        async with self._threads.descriptor(storage_errors()(partial(self._files.nameless, None))) as fd:
            with read_errors(key):
                found = await obstore.get_async(self._store, key)
                async for data in found.stream(min_chunk_size=CHUNK_BYTES):
                    await self._threads.run(self._files.write, fd, memoryview(data))
                    on_chunk()
                os.lseek(fd, 0, os.SEEK_SET)
            yield fd

    def output(self, most_bytes: int | None = None) -> AbstractAsyncContextManager[Output]:
        return output_for(most_bytes, self, self._threads, partial(self._files.nameless, None))

    async def delete(self, key: str) -> None:
        with storage_errors():
            await _delete(self._store, checked_key(key))

    def removing(self) -> AbstractContextManager[bool]:
        return nullcontext(True)  # a backup holds none of these bytes

    async def exists(self, key: str) -> bool:
        with storage_errors():
            return await _exists(self._store, checked_key(key))

    async def listing(self) -> AsyncIterator[ListedBlob]:
        with storage_errors():
            async for page in obstore.list(self._store):
                for found in page:
                    if is_key(found["path"]):
                        written_at = round(found["last_modified"].timestamp() * MICROSECONDS)
                        yield ListedBlob(found["path"], found["size"], written_at)

    async def free_bytes(self) -> int | None:
        return None


class _ObjectUpload(Upload):
    """Below PART_BYTES one plain put at the end; from there on a multipart upload."""

    def __init__(self, store: ObjectStore, key: str, threads: Threads) -> None:
        super().__init__(key)
        self._store = store
        self._threads = threads
        self._sha256 = hashlib.sha256()
        self._part = bytearray()
        self._stream: PartStream | None = None
        self._publishing = False

    async def _begin(self) -> None:
        if await _exists(self._store, self._key):
            raise BlobExists(self._key)

    async def _append(self, data: bytes | memoryview) -> None:
        await self._threads.run(self._sha256.update, data)
        self._part += data
        if len(self._part) >= PART_BYTES:
            self._stream = self._stream or PartStream(self._store, self._key)
            part, self._part = bytes(self._part), bytearray()
            await self._stream.send(part)

    async def _publish(self) -> str:
        self._publishing = True
        if self._stream is None:
            await to_its_end(obstore.put_async(self._store, self._key, bytes(self._part), use_multipart=False))
        else:
            if self._part:
                await self._stream.send(bytes(self._part))
            await self._stream.finish()
        return self._sha256.hexdigest()

    async def _drop(self) -> None:
        if self._stream is not None:
            await self._stream.drop()
        if self._publishing:  # it may have been completed although its caller was cancelled
            await _delete(self._store, self._key)


async def _exists(store: ObjectStore, key: str) -> bool:
    try:
        await obstore.head_async(store, key)
    except FileNotFoundError:
        return False
    return True


async def _delete(store: ObjectStore, key: str) -> None:
    with suppress(FileNotFoundError):  # local stores say so, S3 does not
        await obstore.delete_async(store, key)
