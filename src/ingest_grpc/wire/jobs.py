"""Jobs as messages, and what became of the files of a call."""

from collections.abc import Mapping

from ingest_grpc import model
from ingest_grpc.lifecycle import JobStatus, JobType, RecordStatus
from ingest_grpc.v1 import job_pb2, job_service_pb2
from ingest_grpc.wire.enums import (
    ADD_FILE_OUTCOME,
    JOB_STATUS,
    JOB_TYPE,
    METHOD,
    RECORD_STATUS,
    REMOVE_FILE_OUTCOME,
    RETRY_FILE_OUTCOME,
    REVIEW_REASON_TYPE,
)
from ingest_grpc.wire.times import set_time

MAX_REVIEW_REASONS = 100

_STATUS_MESSAGES: Mapping[JobStatus, str] = {
    JobStatus.FILE_PROCESSING: "{queued} file(s) wait and {running} are being converted; {completed} are done.",
    JobStatus.NEEDS_REVIEW: "{reviews} thing(s) need review.",
    JobStatus.READY_TO_START: "Everything is in place.",
    JobStatus.QUEUED: "The alignment waits for a worker.",
    JobStatus.RUNNING: "The alignment is running.",
    JobStatus.COMPLETED: "The alignment completed.",
    JobStatus.FAILED: "The alignment failed.",
    JobStatus.CANCELLED: "The job was cancelled.",
}

_OF_KNOWLEDGE_BASES: Mapping[JobStatus, str] = {
    JobStatus.COMPLETED: "{completed} file(s) became searchable, {failed} failed.",
    JobStatus.FAILED: "No file could be ingested, {failed} failed.",
}
"""What these statuses mean of a job that feeds a knowledge base and is never started."""


def status_message(job: model.Job) -> str:
    """The status in a sentence."""
    tally, words = job.tally, _STATUS_MESSAGES[job.status]
    if job.job_type is JobType.KNOWLEDGE_BASE:
        words = _OF_KNOWLEDGE_BASES.get(job.status, words)
    return words.format(
        queued=tally.queued,
        running=tally.running,
        completed=tally.completed,
        failed=tally.failed,
        reviews=job.facts.reviews,
    )


def review_reason(value: model.ReviewReason) -> job_pb2.ReviewReason:
    """A ReviewReason message."""
    return job_pb2.ReviewReason(
        type=REVIEW_REASON_TYPE.numbers[value.type],
        message=value.message,
        suggested_fix=value.suggested_fix,
        record_id=value.record_id,
        file_id=value.file_id,
        filename=value.filename,
    )


def job_file(value: model.JobFile) -> job_pb2.JobFile:
    """A JobFile message."""
    message = job_pb2.JobFile(
        file_id=value.file_id,
        source_file_id=value.source_file_id,
        record_id=value.record_id,
        name=value.name,
        content_type=value.content_type,
        status=RECORD_STATUS.numbers[value.status],
        suggested_fix=value.suggested_fix,
    )
    set_time(message.created_at, value.created_at)
    if value.expired_at is not None:
        set_time(message.expired_at, value.expired_at)
    return message


def basic_job(value: model.Job) -> job_pb2.Job:
    """A Job message in the BASIC view."""
    facts = value.facts
    message = job_pb2.Job(
        job_id=value.job_id,
        name=value.name,
        description=value.description,
        job_type=JOB_TYPE.numbers[value.job_type],
        status=JOB_STATUS.numbers[value.status],
        status_message=status_message(value),
        settled=facts.settled,
        review_reasons=[review_reason(reason) for reason in value.review_reasons[:MAX_REVIEW_REASONS]],
        review_reasons_total=facts.reviews,
        record_counts=[
            job_pb2.RecordStatusCount(status=RECORD_STATUS.numbers[status], count=value.tally.of(status))
            for status in RecordStatus
        ],
        markdown_files=value.markdown_files,
        expired_outputs=value.expired_outputs,
        alignment_job_id=value.alignment_job_id,
        system_prompt=value.system_prompt,
        instructions=value.instructions,
        method=METHOD.numbers[value.method],
        user_id=value.user_id,
        team_id=value.team_id,
        last_sequence=value.last_sequence,
        external_id=value.external_id,
        labels=value.labels,
        origin_job_id=value.origin_job_id,
        knowledge_base_id=value.knowledge_base_id,
        data_source_id=value.data_source_id,
        chunks_created=value.chunks_created,
        priority=value.priority,
        etag=value.etag,
        files_etag=value.files_etag,
    )
    set_time(message.created_at, value.created_at)
    set_time(message.updated_at, value.updated_at)
    if value.system_prompt_updated_at is not None:
        set_time(message.system_prompt_updated_at, value.system_prompt_updated_at)
    if value.instructions_updated_at is not None:
        set_time(message.instructions_updated_at, value.instructions_updated_at)
    if value.deleted_at is not None:
        set_time(message.deleted_at, value.deleted_at)
    if value.purge_at is not None:
        set_time(message.purge_at, value.purge_at)
    return message


def get_job_reply(value: model.Job) -> bytes:
    """A whole GetJobResponse in the BASIC view."""
    reply = job_service_pb2.GetJobResponse(job=basic_job(value), records_total=value.tally.total)
    return reply.SerializeToString()


def listed_job(value: model.Job) -> bytes:
    """A ListJobsResponse with one job. Encoded messages that follow each other are one, with all their jobs."""
    return job_service_pb2.ListJobsResponse(jobs=[basic_job(value)]).SerializeToString()


def add_file_result(value: model.AddFileResult) -> job_service_pb2.AddFileResult:
    """An AddFileResult message."""
    return job_service_pb2.AddFileResult(
        file_id=value.file_id,
        outcome=ADD_FILE_OUTCOME.numbers[value.outcome],
        record_id=value.record_id,
        output_file_id=value.output_file_id,
        supersedes_record_id=value.supersedes_record_id,
    )


def remove_file_result(value: model.RemoveFileResult) -> job_service_pb2.RemoveFileResult:
    """A RemoveFileResult message."""
    return job_service_pb2.RemoveFileResult(
        id=value.id, outcome=REMOVE_FILE_OUTCOME.numbers[value.outcome], record_ids=value.record_ids
    )


def retry_file_result(value: model.RetryFileResult) -> job_service_pb2.RetryFileResult:
    """A RetryFileResult message."""
    return job_service_pb2.RetryFileResult(record_id=value.record_id, outcome=RETRY_FILE_OUTCOME.numbers[value.outcome])
