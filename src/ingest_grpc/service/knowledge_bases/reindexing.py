"""Cuts and embeds all documents of a knowledge base anew, while the old chunks go on being searched."""

from collections.abc import Sequence
from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Document, Indexing, IngestionJob, KnowledgeBase, Method, Reindexing
from ingest_grpc.service.attempted import attempted_each
from ingest_grpc.service.job_files import check_queue_room
from ingest_grpc.service.knowledge_bases.documents import end_reindex
from ingest_grpc.service.knowledge_bases.feeding import Version, feed, feeding_job, feeding_run, run_of
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import Store, Tx

SLICE = 500
"""Documents per transaction: nobody's commit waits for a whole knowledge base."""


class Reindexer:
    """Makes the jobs that fill a knowledge base's next set of chunks, or mend the present one."""

    def __init__(
        self, store: Store, clock: Clock, *, default_method: Method, max_records: int, max_queued: int | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._default_method = default_method
        self._max_records = max_records
        self._max_queued = max_queued
        self._unfilled: set[int] = set()
        """Rows of knowledge bases whose job may not have all its files yet."""

    async def begin(self, tx: Tx, caller: Caller, knowledge_base: KnowledgeBase, indexing: Indexing) -> str | None:
        """Begins the next set of chunks; its job's id. Without a searchable document it is the present set at once.

        Raises TOO_MANY_RECORDS and TEAM_QUEUE_FULL. Once begun it is written whole, however many files that are:
        `fill` adds what the first slice leaves.
        """
        counts = await tx.document_counts(knowledge_base.row_id, None)
        if sum(count.documents for count in counts) > self._max_records:
            raise IngestError(Reason.TOO_MANY_RECORDS, {"max_records": str(self._max_records)})
        await tx.forget_next_versions(knowledge_base.row_id)
        begun = knowledge_base.model_copy(update={"generations": indexing.generation, "updated_at": self._clock.now()})
        tx.commit.unindexed = True  # an earlier set that nobody finished is to be dropped
        if not any(count.searchable for count in counts):
            await tx.update_knowledge_base(begun.model_copy(update={"indexing": indexing, "next": None}))
            return None
        await check_queue_room(tx, caller.team_id, self._max_queued)
        ledger, run = await self._job(tx, caller, knowledge_base, f"Reindex of {knowledge_base.name}")
        next_set = Reindexing(indexing=indexing, job_id=ledger.job.job_id, filled_to=0)
        if await self._fill(ledger, run, begun.model_copy(update={"next": next_set})):
            self._unfilled.add(knowledge_base.row_id)
        return ledger.job.job_id

    def resume(self, knowledge_base: KnowledgeBase) -> None:
        """The last server may have left a reindex half-filled."""
        if knowledge_base.next is not None and knowledge_base.next.filled_to is not None:
            self._unfilled.add(knowledge_base.row_id)

    async def fill(self) -> None:
        """Gives the jobs of all reindexes that were begun the rest of their files."""
        await attempted_each("giving a reindex its files", self._unfilled, self._fill_whole)

    async def _fill_whole(self, knowledge_base_row: int) -> bool:
        while await self._store.write(partial(self._fill_slice, knowledge_base_row=knowledge_base_row)):
            continue
        return True

    async def _fill_slice(self, tx: Tx, *, knowledge_base_row: int) -> bool:
        """Whether there may be more. The job may have ended meanwhile: it was cancelled, or the call failed."""
        knowledge_base = await tx.knowledge_base_by_row(knowledge_base_row)
        if knowledge_base.next is None or knowledge_base.next.filled_to is None:
            return False
        job = await tx.job(knowledge_base.team_id, knowledge_base.next.job_id)
        if job is None or not job.facts.filling:
            return False
        ledger = JobLedger(tx, job, self._clock.now(), job.user_id)
        return await self._fill(ledger, await run_of(tx, job), knowledge_base)

    async def _fill(self, ledger: JobLedger, run: IngestionJob, knowledge_base: KnowledgeBase) -> bool:
        """One slice, from where the knowledge base says; whether there is another."""
        assert knowledge_base.next is not None
        tx, after = ledger.tx, knowledge_base.next.filled_to or 0
        documents = await tx.documents_of_knowledge_base(knowledge_base.row_id, after, SLICE)
        await self._feed(ledger, run, [each for each in documents if each.searchable or await _is_mended(tx, each)])
        more = len(documents) == SLICE
        filled_to = documents[-1].row_id if more else None
        next_set = knowledge_base.next.model_copy(update={"filled_to": filled_to})
        await tx.update_knowledge_base(knowledge_base.model_copy(update={"next": next_set}))
        if not more:
            ledger.filled()
        await end_reindex(tx, await ledger.close(), ledger.now)
        return more

    async def mend(self, caller: Caller, knowledge_base: KnowledgeBase, lost: list[Document]) -> str:
        """A job that brings back chunks that the index lost; until then these documents are not searchable."""
        return await self._store.write(
            partial(self._mend, caller=caller, knowledge_base=knowledge_base, rows=[each.row_id for each in lost])
        )

    async def _mend(self, tx: Tx, *, caller: Caller, knowledge_base: KnowledgeBase, rows: list[int]) -> str:
        documents = []
        for row in rows:
            document = await tx.document_by_row(row)
            gone = {"indexed_record_row": None, "indexed_attempt": None, "indexed_file_row": None}
            lost = document.model_copy(update={**gone, "chunks": 0, "deployed_at": None})
            await tx.update_document(lost)
            documents.append(lost)
        ledger, run = await self._job(tx, caller, knowledge_base, f"Repair of {knowledge_base.name}")
        await self._feed(ledger, run, documents)
        ledger.filled()
        return (await ledger.close()).job_id

    async def _job(
        self, tx: Tx, caller: Caller, knowledge_base: KnowledgeBase, name: str
    ) -> tuple[JobLedger, IngestionJob]:
        job = feeding_job(caller, knowledge_base, name, self._default_method, self._clock.now())
        ledger = await JobLedger.create(tx, job, caller.user_id)
        return ledger, await ledger.add_ingestion_job(feeding_run(ledger))

    async def _feed(self, ledger: JobLedger, run: IngestionJob, documents: Sequence[Document]) -> None:
        versions = [await self._version(ledger.tx, each) for each in documents]
        await feed(ledger, run, [each for each in versions if each is not None])

    async def _version(self, tx: Tx, document: Document) -> Version | None:
        """The document's latest version again, by the method of its latest record."""
        file = await tx.file_by_row(document.file_row)
        if file is None or file.deleted_at is not None:
            return None
        method = self._default_method
        if document.record_row is not None:
            method = (await tx.record_by_row(document.record_row)).record.method
        return Version(document, file, method)


async def _is_mended(tx: Tx, document: Document) -> bool:
    """Whether it is not searchable only because the index lost it, and another job brings it back."""
    return bool(await tx.in_flight_records_of_document(document.row_id))
