"""What an import may expect of a place that files come from."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.errors import IngestError, Reason


@dataclass(frozen=True, slots=True)
class OriginObject:
    """A version of some bytes: `etag` is another one as soon as the bytes are others."""

    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object below a folder or in a bucket: its path from there, and its present version."""

    key: str
    found: OriginObject


class Origin(Protocol):
    """One place. Methods raise FILE_NOT_FOUND, SERVICE_UNAVAILABLE, and IMPORT_NOT_ALLOWED for what leads out of it."""

    async def head(self, path: str) -> OriginObject:
        """What is there now."""
        ...

    def read(self, path: str, expected: OriginObject) -> AsyncGenerator[bytes]:
        """All bytes of the expected version, in pieces. Raises SOURCE_CHANGED, also at the very end."""
        ...

    def list(self, prefix: str) -> AsyncGenerator[ListedObject]:
        """All objects below a folder, or in all of the bucket where the prefix is empty; in no particular order.

        What goes or comes meanwhile may be listed or not. Raises FILE_NOT_FOUND for a folder that is not there.
        """
        ...


def not_found(path: str) -> IngestError:
    """No such object, or none that the server may read: stores do not tell these apart, so we do not either."""
    return IngestError(Reason.FILE_NOT_FOUND, {"path": path}, resource=("Object", path))


def changed(path: str) -> IngestError:
    """The bytes are not those that were imported."""
    return IngestError(Reason.SOURCE_CHANGED, {"path": path}, resource=("Object", path))


def not_allowed(url: str) -> IngestError:
    """The settings do not let the server read there."""
    return IngestError(Reason.IMPORT_NOT_ALLOWED, {"url": url}, resource=("Object", url))
