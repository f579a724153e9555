"""Tells the index of metadata that changed after a document was indexed; its chunks stay as they are."""

from functools import partial

from ingest_grpc.model import Document
from ingest_grpc.pipeline.index.interface import Document as IndexDocument
from ingest_grpc.pipeline.index.interface import Index, UnknownKnowledgeBase
from ingest_grpc.service.knowledge_bases.index_work import as_indexed
from ingest_grpc.store.interface import Rows, Store, Tx

PAGE = 100

_Told = tuple[Document, int, str, IndexDocument | None]
"""A document, how many changes there were, the set of chunks that is searched, and what to tell it; None = nothing."""


class MetadataTeller:
    """Works off what UpdateFile left in the ledger, so that a crash between ledger and index loses no change."""

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index

    async def step(self) -> int:
        """Tells everything that can be told now; returns how many documents that were."""
        after, told = 0, 0
        while page := await self._store.read(partial(_untold, after=after)):
            for document, changes, key, labels in page:
                await self._tell(key, labels)
                await self._store.write(partial(_note, row=document.row_id, changes=changes))
                told += 1
            after = page[-1][0].row_id
        return told

    async def _tell(self, key: str, labels: IndexDocument | None) -> None:
        if labels is None:
            return
        try:
            await self._index.update(key, labels)
        except UnknownKnowledgeBase:
            return  # nothing of it was ever indexed, or it was dropped


async def _untold(rows: Rows, *, after: int) -> list[_Told]:
    """One page. An attempt that runs has read the metadata before it changed, perhaps, and will put that into the
    index: its document is told later."""
    page: list[_Told] = []
    while not page:
        documents = await rows.documents_to_tell(after, PAGE)
        if not documents:
            return []
        for document, changes in documents:
            after = document.row_id
            if await rows.in_flight_records_of_document(document.row_id):
                continue
            page.append(await _with_labels(rows, document, changes))
    return page


async def _with_labels(rows: Rows, document: Document, changes: int) -> _Told:
    knowledge_base = await rows.knowledge_base_by_row(document.knowledge_base_row)
    return document, changes, knowledge_base.key, await _labels(rows, document)


async def _labels(rows: Rows, document: Document) -> IndexDocument | None:
    if document.indexed_record_row is None:
        return None
    version = await rows.record_of_document(document.row_id, document.indexed_record_row)
    if version is None:
        return None  # purged with its job, and with it what was said when it was added: the index keeps what it has
    return await as_indexed(rows, document, version)


async def _note(tx: Tx, *, row: int, changes: int) -> None:
    await tx.document_told(row, changes)
