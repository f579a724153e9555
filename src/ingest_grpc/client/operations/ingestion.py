"""Ingestion jobs and their records, and what the server can do."""

from collections.abc import Iterable

from ingest_grpc.client.effects import Feed, Operation
from ingest_grpc.client.messages import (
    FileRecord,
    GetFileRecordRequest,
    GetIngestionJobRequest,
    GetIngestionJobResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
    IngestionJob,
    IngestionJobStatus,
    ListFileRecordsRequest,
    ListIngestionJobsRequest,
    RecordStatus,
    Step,
)
from ingest_grpc.client.operations.common import enum_numbers, pages
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import (
    GET_FILE_RECORD,
    GET_INGESTION_JOB,
    GET_SERVER_INFO,
    LIST_FILE_RECORDS,
    LIST_INGESTION_JOBS,
)


def list_ingestion_jobs(
    session: Session,
    *,
    job_id: str = "",
    statuses: Iterable[str | int] = (),
    oldest_first: bool = False,
    page_size: int = 0,
) -> Feed[IngestionJob]:
    """Ingestion jobs of one job or of the whole team, without records, newest first, of all pages."""
    request = ListIngestionJobsRequest(
        job_id=job_id,
        statuses=enum_numbers(IngestionJobStatus, statuses),
        oldest_first=oldest_first,
        page_size=page_size,
    )
    return pages(session, LIST_INGESTION_JOBS, request, lambda page: page.ingestion_jobs)


def get_ingestion_job(session: Session, ingestion_job_id: str) -> Operation[GetIngestionJobResponse]:
    """An ingestion job with its records, as far as 3 MiB hold; the response says whether some were cut."""
    return (yield from call(session, GET_INGESTION_JOB, GetIngestionJobRequest(ingestion_job_id=ingestion_job_id)))


def list_file_records(
    session: Session,
    *,
    job_id: str = "",
    ingestion_job_id: str = "",
    statuses: Iterable[str | int] = (),
    steps: Iterable[str | int] = (),
    show_deleted: bool = False,
    page_size: int = 0,
) -> Feed[FileRecord]:
    """The records of a job or of an ingestion job (one of the two is required), oldest first, of all pages.

    With `steps`, for example "PARSE", only those that are in one of them or failed in it.
    """
    request = ListFileRecordsRequest(
        job_id=job_id,
        ingestion_job_id=ingestion_job_id,
        statuses=enum_numbers(RecordStatus, statuses),
        steps=enum_numbers(Step, steps),
        show_deleted=show_deleted,
        page_size=page_size,
    )
    return pages(session, LIST_FILE_RECORDS, request, lambda page: page.records)


def get_file_record(session: Session, record_id: str) -> Operation[FileRecord]:
    """A record, removed or not, with its step or its place in the queue."""
    return (yield from call(session, GET_FILE_RECORD, GetFileRecordRequest(record_id=record_id))).record


def server_info(session: Session) -> Operation[GetServerInfoResponse]:
    """Version, limits and abilities of the server."""
    return (yield from call(session, GET_SERVER_INFO, GetServerInfoRequest()))
