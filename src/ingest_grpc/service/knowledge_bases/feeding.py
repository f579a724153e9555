"""Jobs of type KNOWLEDGE_BASE: what makes versions of documents. Parts of units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IngestionJobStatus, JobFacts, JobType, job_status
from ingest_grpc.model import Caller, Document, File, FileRecord, IngestionJob, Job, KnowledgeBase, Method
from ingest_grpc.service.knowledge_bases.documents import record_added
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.new_records import Intended, new_record
from ingest_grpc.service.queue import QueueTail
from ingest_grpc.store.interface import Tx

MAX_NAME_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Version:
    """A file that is to become the searchable version of a document."""

    document: Document
    file: File
    method: Method


def feeding_job(
    caller: Caller,
    knowledge_base: KnowledgeBase,
    name: str,
    method: Method,
    now: int,
    data_source_id: str | None = None,
    job_id: str | None = None,
) -> Job:
    """A job of type KNOWLEDGE_BASE that is to be created."""
    return Job(
        job_id=job_id or new_id(Prefix.JOB),
        name=name[:MAX_NAME_CHARACTERS],
        job_type=JobType.KNOWLEDGE_BASE,
        status=job_status(JobFacts(JobType.KNOWLEDGE_BASE)),
        method=method,
        user_id=caller.user_id,
        team_id=caller.team_id,
        knowledge_base_id=knowledge_base.knowledge_base_id,
        data_source_id=data_source_id,
        created_at=now,
        updated_at=now,
    )


def feeding_run(ledger: JobLedger) -> IngestionJob:
    """An ingestion job of a job that feeds a knowledge base."""
    return IngestionJob(
        ingestion_job_id=new_id(Prefix.INGESTION_JOB),
        job_id=ledger.job.job_id,
        status=IngestionJobStatus.QUEUED,
        knowledge_base_id=ledger.job.knowledge_base_id,
        data_source_id=ledger.job.data_source_id,
        created_at=ledger.now,
    )


async def feed(ledger: JobLedger, run: IngestionJob, versions: Sequence[Version]) -> list[FileRecord]:
    """A queued record per version; each is its document's latest from here on."""
    tail = await QueueTail.of(ledger.tx, ledger.job.team_id, ledger.job.priority)
    return [await _feed_one(ledger, run, version, tail.next()) for version in versions]


async def _feed_one(ledger: JobLedger, run: IngestionJob, version: Version, fair_tag: int) -> FileRecord:
    intended = Intended(version.file, version.method, ledger.job.user_id)
    new = replace(new_record(ledger, intended, run, fair_tag), document_row=version.document.row_id)
    record = await ledger.add_record(new)
    await record_added(ledger.tx, version.document, record.row_id)
    return record


async def run_of(tx: Tx, job: Job) -> IngestionJob:
    """The ingestion job of a job that has one alone."""
    [run] = await tx.ingestion_jobs(
        team=job.team_id, job_row=job.row_id, statuses=(), after=None, oldest_first=True, limit=1
    )
    return run
