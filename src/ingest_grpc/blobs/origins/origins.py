"""All places that files may be imported from, as the settings allow them."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from obstore.store import ObjectStore

from ingest_grpc.blobs.origins.files import FileOrigin
from ingest_grpc.blobs.origins.interface import ListedObject, Origin, OriginObject, not_allowed
from ingest_grpc.blobs.origins.locations import Location, parse, parse_prefix
from ingest_grpc.blobs.origins.objects import ObjectOrigin, open_store
from ingest_grpc.blobs.threads import Threads
from ingest_grpc.config import WrongSetting
from ingest_grpc.errors import invalid


class Origins:
    """Reads objects by URL, from below `urls` and, for file://, below `roots`; both empty = from nowhere.

    Raises WrongSetting for a URL in the settings that cannot be one.
    """

    def __init__(
        self,
        urls: Sequence[str] = (),
        roots: Sequence[Path] = (),
        open_store: Callable[[str], ObjectStore] = open_store,
    ) -> None:
        self._allowed = [_setting(url) for url in urls]
        self._open_store = open_store
        self._threads = Threads()
        self._files = FileOrigin(roots, self._threads)
        self._stores: dict[str, ObjectOrigin] = {}

    async def stop(self) -> None:
        """Lets running calls end. Idempotent."""
        await self._threads.stop()

    async def head(self, url: str) -> OriginObject:
        """What is there now.

        Raises INVALID_FIELD, IMPORT_NOT_ALLOWED, FILE_NOT_FOUND (also where the server has no access) and
        SERVICE_UNAVAILABLE.
        """
        origin, path = self._at(url)
        return await origin.head(path)

    def read(self, url: str, expected: OriginObject) -> AsyncGenerator[bytes]:
        """All bytes of the expected version. Raises what `head` raises, and SOURCE_CHANGED."""
        origin, path = self._at(url)
        return origin.read(path, expected)

    def list(self, url: str) -> AsyncGenerator[ListedObject]:
        """All objects below the URL of a folder or a bucket. Raises what `head` raises."""
        origin, path = self._at(url, parse_prefix)
        return origin.list(path)

    def _at(self, url: str, parse: Callable[[str], Location] = parse) -> tuple[Origin, str]:
        try:
            location = parse(url)
        except ValueError as error:
            raise invalid("url", str(error)) from None
        if location.scheme == "file":
            return self._files, location.path
        if not any(location.is_below(prefix) for prefix in self._allowed):
            raise not_allowed(url)
        return self._store_of(location), location.path

    def _store_of(self, location: Location) -> ObjectOrigin:
        bucket = f"{location.scheme}://{location.host}"
        if bucket not in self._stores:
            self._stores[bucket] = ObjectOrigin(self._open_store(bucket))
        return self._stores[bucket]


def _setting(url: str) -> Location:
    try:
        prefix = parse_prefix(url)
    except ValueError as error:
        raise WrongSetting(f"import_urls: {url!r} {error}") from None
    if prefix.scheme == "file":
        raise WrongSetting(f"import_urls: {url!r} is a folder: name it in import_roots")
    return prefix
