"""Search, and the chunks of one file."""

from collections.abc import Sequence
from functools import partial

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, FoundChunk, KnowledgeBase, Page, SearchMode, SearchQuery, SearchResult
from ingest_grpc.pipeline.embed.interface import EmbedderRefused, EmbedderUnavailable, Vector
from ingest_grpc.pipeline.index.interface import (
    Condition,
    Filter,
    Hit,
    Index,
    IndexUnavailable,
    Query,
    StoredChunk,
    UnknownKnowledgeBase,
)
from ingest_grpc.service.knowledge_bases.embedding import Embedders
from ingest_grpc.service.knowledge_bases.finding import find_document, find_knowledge_base
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.store.interface import Rows, Store

MAX_EXCLUDED = 10_000
"""Removed documents whose chunks may still be there: the keeper clears them within moments."""


class SearchService:
    """Finds chunks. A document that was removed is not found from the moment its removal committed."""

    def __init__(self, store: Store, index: Index, embedders: Embedders) -> None:
        self._store = store
        self._index = index
        self._embedders = embedders

    async def search(self, caller: Caller, query: SearchQuery) -> list[SearchResult]:
        """The best chunks.

        Raises KNOWLEDGE_BASE_NOT_FOUND, KNOWLEDGE_BASE_DELETED, EMBEDDER_UNAVAILABLE and SERVICE_UNAVAILABLE.
        """
        knowledge_base, excluded = await self._store.read(
            partial(self._searched, caller=caller, id_=query.knowledge_base_id)
        )
        asked = await self._query(knowledge_base, query, excluded)
        hits = await self._found(knowledge_base, asked)
        told = partial(_told, knowledge_base=knowledge_base, chunks=[hit.chunk for hit in hits])
        chunks = await self._store.read(told)
        return [_result(hit, chunk) for hit, chunk in zip(hits, chunks, strict=True) if chunk is not None]

    async def _searched(self, rows: Rows, *, caller: Caller, id_: str) -> tuple[KnowledgeBase, frozenset[str]]:
        found = await find_knowledge_base(rows, caller.team_id, id_)
        removed = await rows.documents_to_clear(found.row_id, MAX_EXCLUDED)
        return found, frozenset(each.document_id for each in removed)

    async def _query(self, knowledge_base: KnowledgeBase, query: SearchQuery, excluded: frozenset[str]) -> Query:
        vector: Vector | None = None
        text_weight = 1.0
        if query.mode is not SearchMode.TEXT:
            embedder = await self._embedders.of(knowledge_base.indexing)
            text_weight = embedder.text_weight
            try:
                vector = await embedder.embed_query(query.text)
            except (EmbedderUnavailable, EmbedderRefused) as error:
                about = {"embedder": knowledge_base.indexing.embedder}
                raise IngestError(Reason.SERVICE_UNAVAILABLE, about, retry_after_seconds=1.0) from error
        return Query(
            mode=query.mode,
            text=query.text,
            top_k=query.top_k,
            vector=vector,
            text_weight=text_weight,
            filter=Filter(
                file_ids=frozenset(query.file_ids),
                data_source_ids=frozenset(query.data_source_ids),
                conditions=tuple(Condition(each.key, each.op, each.values) for each in query.conditions),
                excluded_document_ids=excluded,
            ),
        )

    async def _found(self, knowledge_base: KnowledgeBase, query: Query) -> list[Hit]:
        try:
            return await self._index.search(knowledge_base.key, query)
        except UnknownKnowledgeBase:
            return []  # nothing was ever put in
        except IndexUnavailable as error:
            raise IngestError(Reason.SERVICE_UNAVAILABLE, {}, retry_after_seconds=1.0) from error

    async def chunks(
        self,
        caller: Caller,
        knowledge_base_id: str,
        file_id: str,
        *,
        page_size: int,
        page_token: str,
        include_total: bool = False,
    ) -> Page[FoundChunk]:
        """The searchable chunks of a file, in their order. Raises NOT_IN_KNOWLEDGE_BASE and INVALID_PAGE_TOKEN."""
        filters = [knowledge_base_id, file_id]
        after = decode_token(caller.team_id, "chunks", filters, page_token)

        async def unit(rows: Rows) -> tuple[KnowledgeBase, str]:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id)
            return found, (await find_document(rows, found, file_id)).document_id

        knowledge_base, document_id = await self._store.read(unit)
        start = -1 if after is None else after
        total = 0
        try:
            stored = await self._index.chunks(knowledge_base.key, document_id, start, page_size + 1)
            if include_total and (indexed := await self._index.document(knowledge_base.key, document_id)) is not None:
                total = min(indexed.chunks, MAX_TOTAL)
        except UnknownKnowledgeBase:
            stored = []
        except IndexUnavailable as error:
            raise IngestError(Reason.SERVICE_UNAVAILABLE, {}, retry_after_seconds=1.0) from error
        page = stored[:page_size]
        chunks = await self._store.read(partial(_told, knowledge_base=knowledge_base, chunks=page))
        more = len(stored) > page_size
        token = encode_token(caller.team_id, "chunks", filters, page[-1].ordinal) if more else ""
        return Page([chunk for chunk in chunks if chunk is not None], token, total if include_total else None)


async def _told(rows: Rows, *, knowledge_base: KnowledgeBase, chunks: Sequence[StoredChunk]) -> list[FoundChunk | None]:
    """Chunks with what they belong to; None in place of one whose document was removed a moment ago."""
    return [await _told_one(rows, knowledge_base, chunk) for chunk in chunks]


async def _told_one(rows: Rows, knowledge_base: KnowledgeBase, chunk: StoredChunk) -> FoundChunk | None:
    document = await rows.found_document(knowledge_base.row_id, chunk.document.document_id)
    if document is None:
        return None
    return FoundChunk(
        chunk_id=chunk.chunk_id,
        file_id=chunk.document.file_id,
        filename=document.filename,
        data_source_id=document.data_source_id,
        key=document.key,
        output_file_id=await rows.output_of_record(chunk.document.record_id),
        ordinal=chunk.ordinal,
        text=chunk.text,
        heading_path=chunk.heading_path,
        start_offset=chunk.start,
        end_offset=chunk.end,
        tokens=chunk.tokens,
    )


def _result(hit: Hit, chunk: FoundChunk) -> SearchResult:
    return SearchResult(chunk, hit.score, hit.text_score, hit.vector_score)
