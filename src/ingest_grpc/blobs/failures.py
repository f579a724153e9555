"""The storage's own errors, translated in one place into the catalogue's."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from ingest_grpc.blobs.interface import BlobMissing
from ingest_grpc.errors import IngestError, Reason

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raises STORAGE_FULL where there is no room left, STORAGE_UNAVAILABLE for any other failure."""
    try:
        yield
    except (OSError, BaseError) as error:
        full = isinstance(error, OSError) and error.errno in _FULL
        raise IngestError(Reason.STORAGE_FULL if full else Reason.STORAGE_UNAVAILABLE) from error


@contextmanager
def read_errors(key: str) -> Iterator[None]:
    """As `storage_errors`, but what is not there is BlobMissing."""
    with storage_errors():
        try:
            yield
        except FileNotFoundError as error:
            raise BlobMissing(key) from error
