"""Keeps the index in step with the ledger, which is right: after removals, dead attempts, crashes and restores."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.model import Caller, Document, Indexing, KnowledgeBase, Scope
from ingest_grpc.pipeline.index.interface import DocumentState, Fence, Index, UnknownKnowledgeBase
from ingest_grpc.service.attempted import attempted, attempted_each
from ingest_grpc.service.knowledge_bases.index_work import removal_fence, swap_fence, void_fence
from ingest_grpc.service.knowledge_bases.reindexing import Reindexer
from ingest_grpc.service.knowledge_bases.telling import MetadataTeller
from ingest_grpc.store.interface import Rows, Store, Tx

log = logging.getLogger(__name__)

PAGE = 500
SYSTEM = "system"


@dataclass(slots=True)
class _Differences:
    """What of one page of documents is not as the ledger says."""

    to_void: list[tuple[Document, Fence]] = field(default_factory=list)
    to_adopt: list[tuple[Document, DocumentState]] = field(default_factory=list)
    lost: list[Document] = field(default_factory=list)


class IndexKeeper:
    """Clears what was removed at once, and compares documents whose last attempt ended otherwise than by completing."""

    def __init__(self, store: Store, clock: Clock, index: Index, reindexer: Reindexer) -> None:
        self._store = store
        self._clock = clock
        self._index = index
        self._reindexer = reindexer
        self._teller = MetadataTeller(store, index)
        self._suspects: set[int] = set()

    def suspect(self, document_row: int) -> None:
        """An attempt may have put chunks of this document into the index, and then did not complete."""
        self._suspects.add(document_row)

    async def step(self) -> int:
        """Goes on with reindexes, clears removed documents and old sets, and settles suspects.

        Returns how many documents were cleared.
        """
        await self._reindexer.fill()
        cleared = await attempted("clearing removed documents", self._clear_removed())
        await attempted_each("settling a document", self._suspects, self._settle_one)
        await attempted("telling the index of metadata", self._teller.step())
        await attempted("dropping old sets of chunks", self._drop_old_sets())
        return cleared or 0

    async def recover(self) -> None:
        """At start, before any claim: compares everything, since nobody knows what the last server left half-way."""
        await self._drop_old_sets()
        after = 0
        while page := await self._store.read(partial(_bases, after=after)):
            for knowledge_base in page:
                self._reindexer.resume(knowledge_base)
                await self._compare(knowledge_base)
            after = page[-1].row_id
        await self._clear_removed()

    # ── removed documents ──────────────────────────────────────────────────────────────────────────────

    async def _clear_removed(self) -> int:
        count = 0
        while documents := await self._store.read(lambda rows: rows.documents_to_clear(None, PAGE)):
            for document in documents:
                await self._clear(document)
                count += 1
        return count

    async def _clear(self, document: Document) -> None:
        knowledge_base = await self._store.read(lambda rows: rows.knowledge_base_by_row(document.knowledge_base_row))
        fence = removal_fence(max(document.record_row or 0, document.indexed_record_row or 0))
        for indexing in _sets(knowledge_base):
            try:
                await self._index.remove(knowledge_base.key_of(indexing), document.document_id, fence)
            except UnknownKnowledgeBase:
                continue  # nothing was ever put in
        await self._store.write(lambda tx: tx.document_cleared(document.row_id, self._clock.now()))

    # ── documents that are not as the ledger says ──────────────────────────────────────────────────────

    async def _settle_one(self, row: int) -> bool:
        """False while an attempt runs: it settles the document, or the next look does."""
        document, busy = await self._store.read(partial(_document, row=row))
        if busy or document.removed_at is not None:
            return not busy
        knowledge_base = await self._store.read(lambda rows: rows.knowledge_base_by_row(document.knowledge_base_row))
        try:
            state = await self._index.document(knowledge_base.key, document.document_id)
        except UnknownKnowledgeBase:
            state = None
        await self._settle(knowledge_base, [(document, state)])
        return True

    async def _compare(self, knowledge_base: KnowledgeBase) -> None:
        """All live documents of a knowledge base with the set that is searched; pages of both in parallel."""
        states = await self._states(knowledge_base.key)
        after = 0
        while page := await self._store.read(partial(_page, knowledge_base=knowledge_base, after=after)):
            idle = [document for document, busy in page if not busy]
            await self._settle(knowledge_base, [(each, states.get(each.document_id)) for each in idle])
            after = page[-1][0].row_id

    async def _states(self, key: str) -> dict[str, DocumentState]:
        states: dict[str, DocumentState] = {}
        after = ""
        try:
            while page := await self._index.documents(key, after, PAGE):
                states |= {each.document.document_id: each for each in page}
                after = page[-1].document.document_id
        except UnknownKnowledgeBase:
            return {}
        return states

    async def _settle(
        self, knowledge_base: KnowledgeBase, pairs: Iterable[tuple[Document, DocumentState | None]]
    ) -> None:
        differences = _Differences()
        for document, state in pairs:
            _judge(differences, document, state)
        for document, fence in differences.to_void:
            await self._index.remove(knowledge_base.key, document.document_id, void_fence(fence))
        for document, state in differences.to_adopt:
            adopt = partial(_adopt, document_row=document.row_id, state=state, now=self._clock.now())
            if not await self._store.write(adopt):
                differences.lost.append(document)
        if differences.lost:
            await self._mend(knowledge_base, differences.lost)

    async def _mend(self, knowledge_base: KnowledgeBase, lost: list[Document]) -> None:
        caller = Caller(knowledge_base.team_id, SYSTEM, frozenset({Scope.WRITE}))
        job_id = await self._reindexer.mend(caller, knowledge_base, lost)
        log.warning("the index lost %d documents of %s: %s brings them back", len(lost), knowledge_base.key, job_id)

    # ── sets of chunks that nobody needs ───────────────────────────────────────────────────────────────

    async def _drop_old_sets(self) -> None:
        keys = await self._index.keys()
        for key in keys:
            if await self._store.read(partial(_is_old, key=key)):
                await self._index.drop(key)


def _judge(differences: _Differences, document: Document, state: DocumentState | None) -> None:
    """What is to be done about a live document that no attempt works on."""
    held = state if state is not None and not state.removed else None
    if document.indexed_record_row is None:
        if held is not None:
            differences.to_void.append((document, held.fence))
        return
    expected = swap_fence(document.indexed_record_row, document.indexed_attempt or 0)
    if held is None or held.fence < expected:
        differences.lost.append(document)
    elif held.fence > expected:
        differences.to_adopt.append((document, held))


async def _adopt(tx: Tx, *, document_row: int, state: DocumentState, now: int) -> bool:
    """A newer version got into the index and its record did not complete: what is found is what is told.

    False if nobody can tell, as its record is purged.
    """
    document = await tx.document_by_row(document_row)
    row = await tx.record_of_document(document_row, state.fence[0])
    if row is None:
        return False
    changes = {
        "indexed_record_row": state.fence[0],
        "indexed_attempt": state.fence[1] // 2,
        "indexed_file_row": row.file_row,
        "chunks": state.chunks,
        "deployed_at": now,
    }
    await tx.update_document(document.model_copy(update=changes))
    return True


def _sets(knowledge_base: KnowledgeBase) -> list[Indexing]:
    return [knowledge_base.indexing] + ([knowledge_base.next.indexing] if knowledge_base.next is not None else [])


async def _bases(rows: Rows, *, after: int) -> list[KnowledgeBase]:
    return await rows.knowledge_bases_after(after, PAGE)


async def _document(rows: Rows, *, row: int) -> tuple[Document, bool]:
    return await rows.document_by_row(row), bool(await rows.in_flight_records_of_document(row))


async def _page(rows: Rows, *, knowledge_base: KnowledgeBase, after: int) -> list[tuple[Document, bool]]:
    documents = await rows.documents_of_knowledge_base(knowledge_base.row_id, after, PAGE)
    return [(each, bool(await rows.in_flight_records_of_document(each.row_id))) for each in documents]


async def _is_old(rows: Rows, *, key: str) -> bool:
    """Whether a set of chunks is neither searched nor being filled; those of another ledger are old too."""
    knowledge_base_id, _, _ = key.partition("/")
    knowledge_base = await rows.knowledge_base_by_public_id(knowledge_base_id)
    if knowledge_base is None:
        return True
    return key not in {knowledge_base.key_of(each) for each in _sets(knowledge_base)}
