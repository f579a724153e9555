"""What a worker needs to know about a document on its way into the index."""

from dataclasses import dataclass
from functools import partial

from ingest_grpc.model import Document, File, FileRecord, Indexing
from ingest_grpc.pipeline.index.interface import Document as IndexDocument
from ingest_grpc.pipeline.index.interface import Fence
from ingest_grpc.service.new_records import IsCurrent, earlier_conversion
from ingest_grpc.store.interface import RecordRow, Rows, Store, Tx


@dataclass(frozen=True, slots=True)
class Target:
    """Where a record's chunks go: a set of a knowledge base, and the document as the index is to know it."""

    key: str
    indexing: Indexing
    document: IndexDocument
    document_row: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Markdown that a record need not make: the source itself, or the output of an earlier record."""

    file: File
    made_by: FileRecord | None


class IndexWork:
    """Reads what workers of knowledge bases ask for. `is_current` says which earlier conversions are used."""

    def __init__(self, store: Store, is_current: IsCurrent) -> None:
        self._store = store
        self._is_current = is_current

    async def target(self, claim: RecordRow) -> Target:
        """Where the chunks of a claimed record of a document go."""
        return await self._store.read(partial(_target, claim=claim))

    async def ready(self, claim: RecordRow) -> Ready | None:
        """Markdown of the same bytes; to be asked once the source is fetched."""

        async def unit(tx: Tx) -> Ready | None:
            source = await tx.file_by_row(claim.file_row)
            if source is None or source.deleted_at is not None:
                return None
            if source.markdown:
                return Ready(source, None)
            earlier = await earlier_conversion(tx, source, claim.record.method, self._is_current)
            if earlier is None:
                return None
            output = await tx.file(claim.record.team_id, earlier.record.output_file_id)
            return None if output is None or output.deleted_at is not None else Ready(output, earlier.record)

        return await self._store.write(unit)


async def _target(rows: Rows, *, claim: RecordRow) -> Target:
    assert claim.document_row is not None, "only documents are indexed"
    document = await rows.document_by_row(claim.document_row)
    knowledge_base = await rows.knowledge_base_by_row(document.knowledge_base_row)
    indexing = knowledge_base.indexing_of(claim.record.job_id)
    return Target(
        key=knowledge_base.key_of(indexing),
        indexing=indexing,
        document=await as_indexed(rows, document, claim),
        document_row=document.row_id,
    )


async def as_indexed(rows: Rows, document: Document, version: RecordRow) -> IndexDocument:
    """A version of a document as the index is to know it: what was said when it was added counts before the file's."""
    source = None if document.data_source_row is None else await rows.data_source_by_row(document.data_source_row)
    file = await rows.file_by_row(version.file_row)
    return IndexDocument(
        document_id=document.document_id,
        file_id=version.record.file_id,
        record_id=version.record.record_id,
        data_source_id="" if source is None else source.data_source_id,
        metadata={**({} if file is None else file.metadata), **version.record.metadata},
    )


def swap_fence(record_row: int, attempt: int) -> Fence:
    """The fence of an attempt's chunks. Even, so that a removal of just these has a place between it and the next."""
    return record_row, 2 * attempt


def void_fence(fence: Fence) -> Fence:
    """The fence that takes back the chunks of an attempt, and lets those of the next one in."""
    return fence[0], fence[1] + 1


def removal_fence(record_row: int) -> Fence:
    """The fence of a document that is gone for good: no attempt of its records is greater."""
    return record_row, 2**62
