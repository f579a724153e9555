"""Requests of IngestionService."""

from dataclasses import dataclass

from ingest_grpc.ids import Prefix
from ingest_grpc.lifecycle import IngestionJobStatus, RecordStatus, Step
from ingest_grpc.v1 import ingestion_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.requests.fields import Fields


@dataclass(frozen=True, slots=True)
class ListIngestionJobs:
    """A page of ingestion jobs to read; no job = all of the team, no statuses = all."""

    job_id: str | None
    statuses: tuple[IngestionJobStatus, ...]
    oldest_first: bool
    after: str | None
    page_size: int
    page_token: str
    knowledge_base_id: str | None = None
    data_source_id: str | None = None
    include_total: bool = False


def list_ingestion_jobs(message: pb.ListIngestionJobsRequest) -> ListIngestionJobs:
    """`after` and a page token exclude each other."""
    with Fields() as fields:
        if message.after and message.page_token:
            fields.wrong("after", "must be empty when page_token is given")
        return ListIngestionJobs(
            fields.optional_id("job_id", message.job_id, Prefix.JOB),
            fields.enum_list("statuses", message.statuses, enums.INGESTION_JOB_STATUS),
            message.oldest_first,
            fields.optional_id("after", message.after, Prefix.INGESTION_JOB),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            fields.knowledge_base(message.knowledge_base_id),
            fields.optional_id("data_source_id", message.data_source_id, Prefix.DATA_SOURCE),
            message.include_total,
        )


def get_ingestion_job(message: pb.GetIngestionJobRequest) -> str:
    """The ingestion job's id."""
    with Fields() as fields:
        return fields.id("ingestion_job_id", message.ingestion_job_id, Prefix.INGESTION_JOB)


@dataclass(frozen=True, slots=True)
class ListFileRecords:
    """A page of records to read, of a job, an ingestion job or both; no statuses = all, no steps = any or none."""

    job_id: str | None
    ingestion_job_id: str | None
    statuses: tuple[RecordStatus, ...]
    show_deleted: bool
    page_size: int
    page_token: str
    steps: tuple[Step, ...] = ()
    include_total: bool = False


def list_file_records(message: pb.ListFileRecordsRequest) -> ListFileRecords:
    """At least one of the two ids."""
    with Fields() as fields:
        if not message.job_id and not message.ingestion_job_id:
            fields.wrong("job_id", "is required, unless ingestion_job_id is given")
        return ListFileRecords(
            fields.optional_id("job_id", message.job_id, Prefix.JOB),
            fields.optional_id("ingestion_job_id", message.ingestion_job_id, Prefix.INGESTION_JOB),
            fields.enum_list("statuses", message.statuses, enums.RECORD_STATUS),
            message.show_deleted,
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            fields.enum_list("steps", message.steps, enums.STEP),
            message.include_total,
        )


def get_file_record(message: pb.GetFileRecordRequest) -> str:
    """The record's id."""
    with Fields() as fields:
        return fields.id("record_id", message.record_id, Prefix.RECORD)
