"""Markdown that needs no conversion: a source that is Markdown, or an earlier record's output of the same bytes."""

import asyncio
import os

from ingest_grpc.blobs.interface import BlobMissing, Blobs
from ingest_grpc.service.knowledge_bases.index_work import IndexWork, Ready
from ingest_grpc.service.views import MARKDOWN
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.executors.interface import Converted

COPY_BYTES = 8 * 1024 * 1024

AS_IT_IS = ("markdown", "1")
"""Name and version of the engine that leaves Markdown as it is."""


async def ready_markdown(
    work: IndexWork, blobs: Blobs, claim: RecordRow, source: int, output: int
) -> tuple[Converted, str | None] | None:
    """Puts Markdown that there is already into the output; (what it is, the record that made it).

    None where the document is still to be converted.
    """
    ready = await work.ready(claim)
    if ready is None:
        return None
    if ready.made_by is None:
        await asyncio.to_thread(_copy, source, output)
    else:
        try:
            async with blobs.open(ready.file.blob_key) as earlier:
                await asyncio.to_thread(_copy, earlier, output)
        except BlobMissing:
            return None  # deleted a moment ago
    return _converted(ready), None if ready.made_by is None else ready.made_by.record_id


def _copy(source: int, output: int) -> None:
    """The whole file, from its start; the kernel moves the bytes."""
    size, done = os.fstat(source).st_size, 0
    os.ftruncate(output, 0)
    os.lseek(output, 0, os.SEEK_SET)
    while done < size:
        moved = os.sendfile(output, source, done, min(COPY_BYTES, size - done))
        if not moved:
            raise OSError(f"the source ended at byte {done} of {size}")
        done += moved


def _converted(ready: Ready) -> Converted:
    record = ready.made_by
    name, version = AS_IT_IS
    if record is not None and record.engine is not None:
        name, version = record.engine.name, record.engine.version
    return Converted(
        engine_name=name,
        engine_version=version,
        content_type=MARKDOWN,
        pages=None if record is None else record.pages,
        bytes_out=ready.file.size_bytes,
        title=None,
        warnings=() if record is None else record.warnings,
        losses=() if record is None else record.markdown_losses,
    )
