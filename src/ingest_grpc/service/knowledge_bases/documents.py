"""Documents in the ledger: which version of a key there is, which is searchable, and how one goes. Parts of units.

A record makes a version of a document. It gets searchable in the index first, then `deploy` says so in the
transaction that completes the record; a removal commits here first, and the index follows. Nothing but these
functions changes a document.
"""

from dataclasses import dataclass

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IN_FLIGHT, JobType, RecordStatus, Trigger
from ingest_grpc.model import Document, File, Job, KnowledgeBase
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import RecordRow, Tx
from ingest_grpc.store.knowledge_interface import NextVersion


@dataclass(frozen=True, slots=True)
class Indexed:
    """A version of a document that is in the index: its chunks, and in which set of the knowledge base they are."""

    chunks: int
    generation: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document belongs: the row of its data source, None for what was added by hand; the archive around it."""

    knowledge_base: KnowledgeBase
    data_source_row: int | None = None
    parent_row: int | None = None


async def attach(tx: Tx, place: Place, key: str, etag: str, file: File, now: int) -> Document:
    """The document of a key, with a file as its latest version; what is searchable of it stays so until that is."""
    known = await tx.document_of_key(place.knowledge_base.row_id, place.data_source_row, key)
    if known is not None:
        document = known.model_copy(update={"etag": etag, "file_row": file.row_id})
        await tx.update_document(document)
        return document
    document = Document(
        document_id=new_id(Prefix.DOCUMENT),
        knowledge_base_row=place.knowledge_base.row_id,
        data_source_row=place.data_source_row,
        parent_row=place.parent_row,
        team_id=place.knowledge_base.team_id,
        key=key,
        etag=etag,
        file_row=file.row_id,
        created_at=now,
    )
    return document.model_copy(update={"row_id": await tx.insert_document(document)})


async def record_added(tx: Tx, document: Document, record_row: int) -> None:
    """A record is to make the document's latest version."""
    await tx.update_document(document.model_copy(update={"record_row": record_row}))


async def present(tx: Tx, knowledge_base: KnowledgeBase, file: File) -> RecordRow | None:
    """The latest record of a document that holds this very file, unless that record failed or was cancelled."""
    for document in await tx.documents_of_file(knowledge_base.row_id, file.row_id):
        if document.file_row == file.row_id and document.record_row is not None:
            row = await tx.record_by_row(document.record_row)
            if not row.record.deleted and row.record.status in IN_FLIGHT | {RecordStatus.COMPLETED}:
                return row
    return None


async def deploy(ledger: JobLedger, row: RecordRow, document_row: int, indexed: Indexed | None) -> None:
    """The record completes: its version is searchable, and what went wrong with the document before is resolved.

    Of an archive nothing is indexed itself: what came out of it are documents of their own.
    """
    document = await ledger.tx.document_by_row(document_row)
    if indexed is not None:
        await _deploy(ledger, row, document, indexed)
    await resolve_older(ledger, document, row.record.record_id)


async def _deploy(ledger: JobLedger, row: RecordRow, document: Document, indexed: Indexed) -> None:
    tx, record = ledger.tx, row.record
    knowledge_base = await tx.knowledge_base_by_row(document.knowledge_base_row)
    if knowledge_base.next is not None and knowledge_base.next.job_id == record.job_id:
        await tx.set_next_version(document.row_id, NextVersion(record.row_id, record.attempt, indexed.chunks))
    else:
        await tx.update_document(
            document.model_copy(
                update={
                    "indexed_record_row": record.row_id,
                    "indexed_attempt": record.attempt,
                    "indexed_file_row": row.file_row,
                    "chunks": indexed.chunks,
                    "deployed_at": ledger.now,
                }
            )
        )


async def resolve_older(ledger: JobLedger, document: Document, by: str) -> None:
    """Marks the document's unresolved records superseded, in this job and in older ones, each on its own timeline."""
    for row in await ledger.tx.unresolved_records_of_document(document.row_id):
        if row.job_row == ledger.job.row_id:
            await ledger.mark(row, Trigger.SUPERSEDED, superseded_by=by)
        else:
            await _in_its_job(ledger.tx, row, ledger.now, ledger.actor, by)


async def _in_its_job(tx: Tx, row: RecordRow, now: int, actor: str, by: str) -> None:
    """Cancels a record in flight, and marks one that is unresolved superseded, in a job that nobody else changes."""
    other = JobLedger(tx, await tx.job_by_row(row.job_row), now, actor)
    if row.record.status in IN_FLIGHT:
        await other.apply(
            row,
            Trigger.CANCELLED,
            cancelled_at=now,
            step=None,
            worker_id=None,
            next_attempt_at=None,
            wait_reason=None,
        )
        row = await tx.record_by_row(row.record.row_id)
    if row.record.unresolved:
        await other.mark(row, Trigger.SUPERSEDED, superseded_by=by)
    await end_reindex(tx, await other.close(), now)


async def remove_document(tx: Tx, document: Document, now: int, actor: str, by: str) -> int:
    """Takes a document and what was unpacked from it out of its knowledge base; work on it is stopped.

    `by` is the job or whatever else removed it. To be called where no ledger of a job of its records is open. Returns
    how many documents went.
    """
    removed = 1
    for member in await tx.members_of_document(document.row_id):
        removed += await remove_document(tx, member, now, actor, by)
    rows = await tx.in_flight_records_of_document(document.row_id)
    rows += await tx.unresolved_records_of_document(document.row_id)
    for row in rows:
        await _in_its_job(tx, row, now, actor, by)
    await _gone(tx, document, now)
    return removed


async def record_removed(ledger: JobLedger, row: RecordRow) -> None:
    """A caller removed a record from its job: the document that it made the latest version of goes with it."""
    if row.document_row is None:
        return
    document = await ledger.tx.document_by_row(row.document_row)
    if document.removed_at is None and document.record_row == row.record.row_id:
        await _gone(ledger.tx, document, ledger.now)


async def _gone(tx: Tx, document: Document, now: int) -> None:
    if document.removed_at is None:
        await tx.update_document(document.model_copy(update={"removed_at": now}))
        tx.commit.unindexed = True


async def end_reindex(tx: Tx, job: Job, now: int) -> None:
    """Once a reindex is whole, the set of chunks that its job filled takes the place of the one that is searched."""
    if job.facts.filling or job.tally.in_flight or job.tally.unresolved:
        return
    knowledge_base = await _reindexed_by(tx, job)
    if knowledge_base is None or knowledge_base.next is None:
        return
    if knowledge_base.next.filled_to is not None:  # its job was cancelled before it had all its files
        await give_up_reindex(tx, job, now)
        return
    await tx.deploy_next_versions(knowledge_base.row_id, now)
    changes = {"indexing": knowledge_base.next.indexing, "next": None, "updated_at": now}
    await tx.update_knowledge_base(knowledge_base.model_copy(update=changes))
    tx.commit.unindexed = True  # the old set is to be dropped


async def give_up_reindex(tx: Tx, job: Job, now: int) -> None:
    """A reindex was cancelled or its job deleted: what is searched stays, and what was filled so far is dropped."""
    knowledge_base = await _reindexed_by(tx, job)
    if knowledge_base is not None:
        await tx.forget_next_versions(knowledge_base.row_id)
        await tx.update_knowledge_base(knowledge_base.model_copy(update={"next": None, "updated_at": now}))
        tx.commit.unindexed = True


async def _reindexed_by(tx: Tx, job: Job) -> KnowledgeBase | None:
    """The knowledge base whose next set of chunks the job fills."""
    if job.job_type is not JobType.KNOWLEDGE_BASE or job.knowledge_base_id is None:
        return None
    knowledge_base = await tx.knowledge_base(job.team_id, job.knowledge_base_id)
    if knowledge_base is None or knowledge_base.next is None or knowledge_base.next.job_id != job.job_id:
        return None
    return knowledge_base
