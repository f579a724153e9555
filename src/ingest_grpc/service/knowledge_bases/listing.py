"""The keys of a data source as they are now, and whether bytes are really others."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from urllib.parse import quote

from ingest_grpc.blobs.origins.interface import ListedObject, OriginObject
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import DataSource, DataSourceType, File
from ingest_grpc.service.knowledge_bases.comparing import Comparison, FoundKey, compare
from ingest_grpc.service.knowledge_bases.patterns import KeyFilter
from ingest_grpc.store.interface import Rows, Store
from ingest_grpc.store.knowledge_interface import KnownKey

BATCH = 1_000
"""Keys that are matched at once, in a thread: a large source must not keep the event loop."""


class Listing:
    """Looks at data sources."""

    def __init__(self, store: Store, origins: Origins, *, max_keys: int) -> None:
        self._store = store
        self._origins = origins
        self._max_keys = max_keys

    async def of(self, source: DataSource) -> list[FoundKey]:
        """All keys of a source that pass its patterns.

        Raises INVALID_FIELD, IMPORT_NOT_ALLOWED, FILE_NOT_FOUND, SERVICE_UNAVAILABLE and SOURCE_TOO_LARGE.
        """
        if source.type is DataSourceType.FILES:
            return await self._store.read(partial(_files, source=source))
        found: list[FoundKey] = []
        batch: list[ListedObject] = []
        passing = partial(_passing, passes=KeyFilter.of(source).passes)
        async with aclosing(self._origins.list(source.url)) as objects:
            async for each in objects:
                batch.append(each)
                if len(batch) == BATCH:
                    found += await asyncio.to_thread(passing, batch)
                    self._check_size(source, found)
                    batch = []
        found += await asyncio.to_thread(passing, batch)
        self._check_size(source, found)
        return await asyncio.to_thread(lambda: sorted(found, key=lambda each: each.key))

    def _check_size(self, source: DataSource, found: Sequence[FoundKey]) -> None:
        if len(found) > self._max_keys:
            about = {"max_keys": str(self._max_keys)}
            raise IngestError(Reason.SOURCE_TOO_LARGE, about, resource=("DataSource", source.data_source_id))

    async def compared(self, source: DataSource, known: Sequence[KnownKey], named: Sequence[str] = ()) -> Comparison:
        """All keys of a source, or the named ones, against what is known of them. Raises what `of` raises."""
        return await asyncio.to_thread(compare, await self.of(source), known, named)

    async def settle_doubts(self, source: DataSource, comparison: Comparison) -> list[tuple[int, FoundKey]]:
        """Reads what may only look modified: others count as modified, equal ones as unchanged.

        Returns (row, key) of the equal ones, which have another etag now.
        """
        equal = []
        for found, known in comparison.doubtful:
            if await self._sha256(source, found) == known.sha256:
                comparison.unchanged += 1
                equal.append((known.row_id, found))
            else:
                comparison.modified.append(found)
        comparison.doubtful.clear()
        return equal

    async def _sha256(self, source: DataSource, found: FoundKey) -> str:
        """Of the present bytes; empty where they change or go right now, so that they count as modified."""
        digest = hashlib.sha256()
        expected = OriginObject(found.etag, found.size_bytes)
        try:
            async with aclosing(self._origins.read(url_of(source, found.key), expected)) as chunks:
                async for chunk in chunks:
                    digest.update(chunk)
        except IngestError as error:
            if error.reason in (Reason.SOURCE_CHANGED, Reason.FILE_NOT_FOUND):
                return ""
            raise
        return digest.hexdigest()


def url_of(source: DataSource, key: str) -> str:
    """The URL of one object of a source."""
    return f"{source.url.removesuffix('/')}/{quote(key)}"


def _passing(batch: Sequence[ListedObject], passes: Callable[[str], bool]) -> list[FoundKey]:
    return [FoundKey(each.key, each.found.etag, each.found.size_bytes) for each in batch if passes(each.key)]


async def _files(rows: Rows, *, source: DataSource) -> list[FoundKey]:
    """Uploaded files that are still there."""
    files = [await rows.file(source.team_id, file_id) for file_id in await rows.source_files(source.row_id)]
    return [FoundKey(file.file_id, _etag(file), file.size_bytes) for file in _live(files)]


def _live(files: Sequence[File | None]) -> list[File]:
    return [file for file in files if file is not None and file.deleted_at is None]


def _etag(file: File) -> str:
    """The bytes of an uploaded file never change."""
    return file.sha256 or (file.import_source.etag if file.import_source else "")
