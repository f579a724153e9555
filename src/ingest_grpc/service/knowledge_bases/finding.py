"""Finds what a call names, or says that there is no such thing."""

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import FEEDS_KNOWLEDGE_BASE, JobType
from ingest_grpc.model import DataSource, Document, Job, KnowledgeBase
from ingest_grpc.store.interface import Rows


async def find_knowledge_base(
    rows: Rows, team: str, knowledge_base_id: str, *, deleted_too: bool = False
) -> KnowledgeBase:
    """Raises KNOWLEDGE_BASE_NOT_FOUND, for another team's as well, and KNOWLEDGE_BASE_DELETED unless `deleted_too`."""
    found = await rows.knowledge_base(team, knowledge_base_id)
    about = {"knowledge_base_id": knowledge_base_id}
    resource = ("KnowledgeBase", knowledge_base_id)
    if found is None:
        raise IngestError(Reason.KNOWLEDGE_BASE_NOT_FOUND, about, resource=resource)
    if found.deleted_at is not None and not deleted_too:
        raise IngestError(Reason.KNOWLEDGE_BASE_DELETED, about, resource=resource)
    return found


async def find_data_source(rows: Rows, team: str, data_source_id: str) -> tuple[DataSource, KnowledgeBase]:
    """A data source and its knowledge base. Raises DATA_SOURCE_NOT_FOUND and KNOWLEDGE_BASE_DELETED."""
    source = await rows.data_source(team, data_source_id)
    if source is None:
        raise data_source_not_found(data_source_id)
    return source, await find_knowledge_base(rows, team, source.knowledge_base_id)


async def find_source_row(rows: Rows, knowledge_base: KnowledgeBase, data_source_id: str | None) -> int | None:
    """The row of one of its data sources. Raises DATA_SOURCE_NOT_FOUND."""
    if data_source_id is None:
        return None
    source, owner = await find_data_source(rows, knowledge_base.team_id, data_source_id)
    if owner.row_id != knowledge_base.row_id:
        raise data_source_not_found(data_source_id)
    return source.row_id


async def find_document(rows: Rows, knowledge_base: KnowledgeBase, file_id: str) -> Document:
    """The newest live document that has this file as its latest or searchable version. Raises NOT_IN_KNOWLEDGE_BASE."""
    file = await rows.file(knowledge_base.team_id, file_id)
    found = [] if file is None else await rows.documents_of_file(knowledge_base.row_id, file.row_id)
    if not found:
        raise IngestError(
            Reason.NOT_IN_KNOWLEDGE_BASE,
            {"file_id": file_id, "knowledge_base_id": knowledge_base.knowledge_base_id},
            resource=("File", file_id),
        )
    return found[0]


def data_source_not_found(data_source_id: str) -> IngestError:
    """There is no such data source of the caller's team, or not in this knowledge base."""
    about = {"data_source_id": data_source_id}
    return IngestError(Reason.DATA_SOURCE_NOT_FOUND, about, resource=("DataSource", data_source_id))


def refuse_knowledge_base_job(job: Job) -> None:
    """Raises KNOWLEDGE_BASE_JOB for a job that KnowledgeBaseService alone commands."""
    if job.job_type is JobType.KNOWLEDGE_BASE:
        raise IngestError(Reason.KNOWLEDGE_BASE_JOB, {"job_id": job.job_id}, resource=("Job", job.job_id))


async def fed_by(rows: Rows, job: Job) -> KnowledgeBase | None:
    """The knowledge base that the job's files become part of, None for jobs that feed none.

    Raises KNOWLEDGE_BASE_REQUIRED, KNOWLEDGE_BASE_NOT_FOUND, KNOWLEDGE_BASE_DELETED and REINDEX_RUNNING.
    """
    if job.job_type not in FEEDS_KNOWLEDGE_BASE:
        return None
    if job.knowledge_base_id is None:
        raise IngestError(Reason.KNOWLEDGE_BASE_REQUIRED, {"job_id": job.job_id}, resource=("Job", job.job_id))
    await check_not_reindexing(rows, job)
    return await find_knowledge_base(rows, job.team_id, job.knowledge_base_id)


async def check_not_reindexing(rows: Rows, job: Job) -> None:
    """Raises REINDEX_RUNNING for a job whose files would miss the set of chunks that another job is filling."""
    if job.knowledge_base_id is None:
        return
    knowledge_base = await rows.knowledge_base(job.team_id, job.knowledge_base_id)
    if knowledge_base is not None and knowledge_base.next is not None and knowledge_base.next.job_id != job.job_id:
        raise reindex_running(knowledge_base)


def reindex_running(knowledge_base: KnowledgeBase) -> IngestError:
    """A knowledge base takes nothing in while all of it is cut and embedded anew."""
    job_id = knowledge_base.next.job_id if knowledge_base.next is not None else ""
    about = {"knowledge_base_id": knowledge_base.knowledge_base_id, "job_id": job_id}
    return IngestError(Reason.REINDEX_RUNNING, about, resource=("Job", job_id))


async def job_if_any(rows: Rows, *, team: str, job_id: str | None) -> Job | None:
    """None also for a job that was purged since a call made it: its replay has all the rest to say."""
    return None if job_id is None else await rows.job(team, job_id)
