"""The life of one upload, the same for every backend: begun, written, then committed or dropped."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from ingest_grpc.blobs.failures import storage_errors
from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.cancellation import to_its_end
from ingest_grpc.errors import IngestError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Upload(ABC):
    """A BlobWriter; a backend gives the four steps. A step that raised or was cancelled ends the upload."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._size_bytes = 0
        self._ended = False
        self._committed = False

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    async def __aenter__(self) -> Self:
        try:
            await self._step(self._begin)
        except BaseException:
            await self.abort()  # `async with` leaves nothing to __aexit__ when entering fails
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.abort()

    async def write(self, data: bytes | memoryview) -> None:
        await self._step(self._append, data)
        self._size_bytes += len(data)

    async def commit(self) -> StoredBlob:
        return self._finished(await self._step(self._publish))

    async def whole(self, data: bytes | memoryview) -> StoredBlob:
        """All of it, in place of everything else."""
        try:
            sha256 = await self._step(self._at_once, data)
        except BaseException:
            await self.abort()
            raise
        self._size_bytes = len(data)
        return self._finished(sha256)

    def _finished(self, sha256: str) -> StoredBlob:
        self._ended = self._committed = True
        return StoredBlob(self._key, self._size_bytes, sha256)

    async def abort(self) -> None:
        self._ended = True
        if self._committed:
            return
        try:
            with storage_errors():
                await to_its_end(self._drop())  # whole: a second cancellation must not skip its later half
        except IngestError as error:
            # Not raised: it would hide why the upload ended. The next start or `admin check` removes the rest.
            _log.warning("upload %s left bytes behind: %s", self._key, error.__cause__)

    async def _step(self, step: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Awaits one step. After a failed one the bytes are unknown, so a later commit must not succeed."""
        if self._ended:
            raise RuntimeError(f"the upload {self._key} has ended")
        self._ended = True
        with storage_errors():
            result = await step(*args, **kwargs)
        self._ended = False
        return result

    async def _at_once(self, data: bytes | memoryview) -> str:
        """All three steps; the blob's SHA-256 in hex. Raises BlobExists."""
        await self._begin()
        await self._append(data)
        return await self._publish()

    @abstractmethod
    async def _begin(self) -> None:
        """Readies the upload. Raises BlobExists."""

    @abstractmethod
    async def _append(self, data: bytes | memoryview) -> None:
        """Writes and hashes `data`."""

    @abstractmethod
    async def _publish(self) -> str:
        """Makes the blob durable and readable; its SHA-256 in hex."""

    @abstractmethod
    async def _drop(self) -> None:
        """Removes whatever the steps did so far, also one that was cut short. Idempotent."""
