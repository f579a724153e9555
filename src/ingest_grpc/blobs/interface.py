"""What the service asks of the place where file bytes live; each docstring is the contract of every backend.

The order of an upload, which no crash may break: bytes durable under their key (`commit`), then the row
that names the key, then `settle`. A crash between the first two leaves bytes that nobody names; `start`
removes them where the backend can tell, and `listing` lets `admin check` find the rest.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ingest_grpc.units import MIB

CHUNK_BYTES = 2 * MIB
"""How much is read, hashed or written in one step."""

IN_MEMORY_BYTES = 64 * MIB
"""The largest output that may be kept in memory until it is committed."""

IsKnown = Callable[[str], Awaitable[bool]]
"""Asks the ledger whether a row keeps the blob of this key. False for a key whose row is deleted."""

OnChunk = Callable[[], None]
"""Called after each piece of a transfer that may be long: a sign of life."""

PATIENCE_SECONDS = 180.0
"""How long a backend may try a single request again before it raises: obstore's own `retry_timeout`."""

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that is durable: its key, its length in bytes and the lower-case hex SHA-256 of its bytes."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A blob that is there: its key, its length in bytes, and when it was written (UTC microseconds)."""

    key: str
    size_bytes: int
    written_at: int


def no_sign() -> None:
    """The OnChunk of callers who do not ask."""


class BlobMissing(LookupError):
    """No blob has this key. The key is `args[0]`."""


class BlobExists(Exception):
    """The key was already written: keys are made by us and used once, so this is a bug of the caller."""


class BlobWriter(Protocol):
    """One upload: an async context manager; leaving it without a finished `commit` leaves nothing behind.

    That holds for exceptions and for a cancellation at any await, also inside `commit`. One task uses it.
    Every method raises IngestError STORAGE_FULL when there is no room and STORAGE_UNAVAILABLE on any other
    failure of the storage; after either only leaving the context is allowed.
    """

    @property
    def size_bytes(self) -> int:
        """Bytes written so far."""
        ...

    async def __aenter__(self) -> Self:
        """Opens the upload. Raises BlobExists."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def write(self, data: bytes | memoryview) -> None:
        """Appends and hashes `data`, off the event loop; best in pieces of CHUNK_BYTES."""
        ...

    async def commit(self) -> StoredBlob:
        """Makes the blob readable under its key and durable: it outlives a power cut from here on."""
        ...

    async def abort(self) -> None:
        """Drops everything written, unless committed. Idempotent; leaving the context calls it."""
        ...


class Output(Protocol):
    """Room for what a converter child produces: nameless until committed, gone when its context is left."""

    @property
    def fd(self) -> int:
        """Descriptor to read and write; valid inside the context, closed by it. Check fstat before commit."""
        ...

    async def commit(self, key: str, on_chunk: OnChunk = no_sign) -> StoredBlob:
        """Copies the bytes of `fd`, from its start, to a durable blob; the same errors as a BlobWriter.

        A copy, so that a child that kept the descriptor cannot change the blob after it was hashed.
        """
        ...


class Blobs(Protocol):
    """Blobs by key. A key is `[a-z0-9-]`, 1 to 128 characters, never a client's; others raise ValueError."""

    async def start(self, is_known: IsKnown) -> None:
        """Readies the storage and removes what a crash left. To be called once, before any other method.

        Only the process that holds the ledger's lock may call it: it takes every unsettled blob of the
        storage for a leftover. A failure of `is_known` ends the start and removes nothing more.
        """
        ...

    async def stop(self) -> None:
        """Lets running calls end and frees the threads. Idempotent."""
        ...

    def writer(self, key: str) -> BlobWriter:
        """A new upload for `key`."""
        ...

    async def put(self, key: str, data: bytes | memoryview) -> StoredBlob:
        """A whole blob from bytes at hand, at most CHUNK_BYTES or so: as a writer would, but in one step.

        Raises BlobExists, and the errors of a BlobWriter; a call that raised or was cancelled leaves nothing behind.
        """
        ...

    async def adopt(self, key: str, source: Path, sha256: str) -> StoredBlob:
        """Makes a blob of a durable local file, whose bytes the caller has just hashed: like a commit.

        By a second name where that is possible, else by a copy; so the file must never be written again.
        The file keeps its name. Raises BlobExists. A cancelled call may leave the blob: `delete` it.
        """
        ...

    async def settle(self, key: str) -> None:
        """The row that names the blob is committed: from now on a start no longer asks for it. Idempotent.

        It may be done a moment later, together with others. Skipping it loses nothing: the next start asks the ledger
        and settles the blob itself.
        """
        ...

    async def read(self, key: str, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes (at least 1) from `offset`: fewer at the end, none beyond it. Raises BlobMissing."""
        ...

    def open(self, key: str, on_chunk: OnChunk = no_sign) -> AbstractAsyncContextManager[int]:
        """A descriptor of the whole blob at offset 0, closed on leaving. Entering raises BlobMissing.

        Entering may transfer the whole blob; `on_chunk` hears of each piece.

        Writing to it fails or changes nothing but a copy. A context and not a bare number, so that a
        cancelled caller cannot leak the descriptor.
        """
        ...

    def output(self, most_bytes: int | None = None) -> AbstractAsyncContextManager[Output]:
        """An empty Output for one conversion.

        `most_bytes` is what its writer is held to by other means, None = nobody knows. Up to IN_MEMORY_BYTES it is kept
        in memory: no file comes and goes for each conversion.
        """
        ...

    async def delete(self, key: str) -> None:
        """Removes the blob, settled or not. Idempotent: a missing blob is fine."""
        ...

    def removing(self) -> AbstractContextManager[bool]:
        """Whether bytes that a deleted row named may be deleted now, inside of this context: not during a backup.

        Raises IngestError STORAGE_UNAVAILABLE. Bytes that no committed row ever named may go at any time.
        """
        ...

    async def exists(self, key: str) -> bool:
        """Whether the key can be read."""
        ...

    def listing(self) -> AsyncIterator[ListedBlob]:
        """Every readable blob in no particular order, for `admin check`; needs no `start`."""
        ...

    async def free_bytes(self) -> int | None:
        """Bytes that can still be written; None where the storage cannot tell (an object store)."""
        ...


def is_key(name: str) -> bool:
    """Whether `name` is a plain name that can be a key; nothing else ever becomes part of a path."""
    return _KEY.fullmatch(name) is not None


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError if it cannot be one."""
    if not is_key(key):
        raise ValueError(f"not a blob key: {key!r}")
    return key
