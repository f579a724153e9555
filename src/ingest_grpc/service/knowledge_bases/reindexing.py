"""Cuts and embeds all documents of a knowledge base anew, while the old chunks go on being searched."""

from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Document, Indexing, KnowledgeBase, Method, Reindexing
from ingest_grpc.service.job_files import check_queue_room
from ingest_grpc.service.knowledge_bases.feeding import Version, feed, feeding_job, feeding_run
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import Store, Tx

ALL = 2**31


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

    async def begin(self, tx: Tx, caller: Caller, knowledge_base: KnowledgeBase, indexing: Indexing) -> str | None:
        """Begins the next set of chunks; its job's id. Without a searchable document it is the present set at once.

        Raises TOO_MANY_RECORDS and TEAM_QUEUE_FULL. Once begun it is written whole, however many files that are.
        """
        documents = [each for each in await self._documents(tx, knowledge_base) if each.searchable]
        await tx.forget_next_versions(knowledge_base.row_id)
        begun = knowledge_base.model_copy(update={"generations": indexing.generation, "updated_at": self._clock.now()})
        tx.commit.unindexed = True  # an earlier set that nobody finished is to be dropped
        if not documents:
            await tx.update_knowledge_base(begun.model_copy(update={"indexing": indexing, "next": None}))
            return None
        await check_queue_room(tx, caller.team_id, self._max_queued)
        job_id = await self._job(tx, caller, knowledge_base, documents, f"Reindex of {knowledge_base.name}")
        next_set = Reindexing(indexing=indexing, job_id=job_id)
        await tx.update_knowledge_base(begun.model_copy(update={"next": next_set}))
        return job_id

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
        return await self._job(tx, caller, knowledge_base, documents, f"Repair of {knowledge_base.name}")

    async def _documents(self, tx: Tx, knowledge_base: KnowledgeBase) -> list[Document]:
        documents = await tx.documents_of_knowledge_base(knowledge_base.row_id, 0, ALL)
        if len(documents) > self._max_records:
            raise IngestError(Reason.TOO_MANY_RECORDS, {"max_records": str(self._max_records)})
        return documents

    async def _job(
        self, tx: Tx, caller: Caller, knowledge_base: KnowledgeBase, documents: list[Document], name: str
    ) -> str:
        now = self._clock.now()
        job = feeding_job(caller, knowledge_base, name, self._default_method, now)
        ledger = await JobLedger.create(tx, job, caller.user_id)
        run = await ledger.add_ingestion_job(feeding_run(ledger))
        versions = [await self._version(tx, each) for each in documents]
        await feed(ledger, run, [each for each in versions if each is not None])
        ledger.filled()
        return (await ledger.close()).job_id

    async def _version(self, tx: Tx, document: Document) -> Version | None:
        """The document's latest version again, by the method of its latest record."""
        file = await tx.file_by_row(document.file_row)
        if file is None or file.deleted_at is not None:
            return None
        method = self._default_method
        if document.record_row is not None:
            method = (await tx.record_by_row(document.record_row)).record.method
        return Version(document, file, method)
