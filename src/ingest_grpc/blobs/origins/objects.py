"""Objects in other stores: S3, Google Cloud Storage, Azure. Credentials come from the server's environment."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import ObjectStore, from_url

from ingest_grpc.blobs.origins.interface import ListedObject, OriginObject, changed, not_found
from ingest_grpc.errors import IngestError, Reason

if TYPE_CHECKING:
    from obstore import ObjectMeta  # a type of its stubs alone

RANGE_BYTES = 8 * 1024 * 1024
"""What is asked for at once: a request has a time limit, an object of any size has none."""

_PATIENCE = timedelta(seconds=10)


def open_store(url: str) -> ObjectStore:
    """The bucket of a URL. It is given up soon: whoever waits knows better when to come back."""
    return from_url(
        url,
        client_options={"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)},
        retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
    )


class ObjectOrigin:
    """See Origin."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def head(self, path: str) -> OriginObject:
        with _translated(path):
            return _described(await obstore.head_async(self._store, path))

    async def read(self, path: str, expected: OriginObject) -> AsyncGenerator[bytes]:
        offset = 0
        while offset < expected.size_bytes:
            with _translated(path):
                end = min(offset + RANGE_BYTES, expected.size_bytes)
                found = await obstore.get_async(self._store, path, options={"range": (offset, end)})
                # Of this very answer: a look before or after it would leave a gap.
                if _described(found.meta) != expected:
                    raise changed(path)
                data = bytes(await found.bytes_async())
            if len(data) != end - offset:
                raise IngestError(Reason.SERVICE_UNAVAILABLE, {"path": path})
            yield data
            offset = end

    async def list(self, prefix: str) -> AsyncGenerator[ListedObject]:
        # With a slash: "in" is not to list what lies in "inside".
        folder = f"{prefix}/" if prefix else ""
        with _translated(prefix):
            async for page in obstore.list(self._store, prefix=folder or None):
                for meta in page:
                    key = meta["path"].removeprefix(folder)
                    if key and not key.endswith("/"):  # some stores keep empty objects as folders
                        yield ListedObject(key, _described(meta))


def _described(meta: "ObjectMeta") -> OriginObject:
    etag = meta["e_tag"] or f"{meta['last_modified'].timestamp()}-{meta['size']}"
    return OriginObject(etag, meta["size"])


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
        raise not_found(path) from error
    except PreconditionError as error:
        raise changed(path) from error
    except (BaseError, OSError) as error:
        raise IngestError(Reason.SERVICE_UNAVAILABLE, {"path": path}) from error
