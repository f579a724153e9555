"""SeekrFlow: the data job in detail, and the ingestion job on its own."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict

from ingest_grpc.client.dialects.fields import first_time, lower, optional, said, time
from ingest_grpc.client.dialects.words import SEEKR
from ingest_grpc.client.messages import (
    AlignmentJob,
    FileRecord,
    IngestionJob,
    Job,
    JobFile,
    RecordStatus,
    TimelineEvent,
)

CANCELLED_MESSAGE = "The file was cancelled before it was converted."
CANCELLED_FIX = "Retry the file, or remove it from the job."


def data_job(job: Job) -> dict[str, Any]:
    """`DataJobDetailResponse`, with the documented `description` and `vector_database_id`."""
    return {
        "id": job.job_id,
        "user_id": job.user_id,
        "team_id": job.team_id,
        "name": job.name,
        "description": job.description or None,
        "job_type": lower(job, "job_type"),
        "alignment_job_id": optional(job, "alignment_job_id"),
        "origin_data_job_id": optional(job, "origin_job_id"),
        "vector_database_id": optional(job, "knowledge_base_id"),
        "deleted": job.HasField("deleted_at"),
        "created_at": time(job, "created_at"),
        "updated_at": time(job, "updated_at"),
        "status": said(SEEKR, job, "status"),
        "status_message": job.status_message or None,
        "system_prompt": job.system_prompt or None,
        "system_prompt_updated_at": time(job, "system_prompt_updated_at"),
        "instructions": job.instructions or None,
        "instructions_updated_at": time(job, "instructions_updated_at"),
        "resolved_instructions": job.instructions or None,
        "additional_alignment_file_ids": [file.file_id for file in job.files if not file.HasField("record_id")],
        "ingestion_jobs": [_ingestion_job_detail(each) for each in job.ingestion_jobs],
        "alignment_job": _alignment(job.alignment_job) if job.HasField("alignment_job") else None,
        "files": [_file(file) for file in job.files],
        "fine_tuning_job_ids": [],
        "timeline": [_event(event) for event in job.timeline],
    }


def ingestion_job(each: IngestionJob) -> dict[str, Any]:
    """`IngestionResponse`; here a record's `filename` is that of the output."""
    complete = bool(each.records) or not each.documents_total
    return {
        "id": each.ingestion_job_id,
        "created_at": time(each, "created_at"),
        "status": said(SEEKR, each, "status"),
        "output_files": _completed_outputs(each.records) or list(each.output_file_ids),
        "file_records": [_record(record, record.output_filename) for record in each.records] if complete else None,
    }


def _ingestion_job_detail(each: IngestionJob) -> dict[str, Any]:
    return {
        "id": each.ingestion_job_id,
        "status": said(SEEKR, each, "status"),
        "created_at": time(each, "created_at"),
        "updated_at": _last_change(each),
        "file_ids": [record.file_id for record in each.records] or list(each.file_ids),
        "records": [_record(record, record.filename) for record in each.records],
    }


def _completed_outputs(records: Iterable[FileRecord]) -> list[str]:
    completed = RecordStatus.RECORD_STATUS_COMPLETED
    return [record.output_file_id for record in records if record.status == completed and not record.deleted]


def _last_change(each: IngestionJob) -> str | None:
    # Times of one form, as these are, compare as text.
    ends = ("completed_at", "failed_at", "cancelled_at", "processing_at", "created_at")
    times = [first_time(each, "completed_at", "started_at", "created_at")]
    times += [first_time(record, *ends) for record in each.records]
    return max((found for found in times if found), default=None)


def _record(record: FileRecord, filename: str) -> dict[str, Any]:
    message, fix = _failure(record)
    return {
        "record_id": record.record_id,
        "ingestion_job_id": record.ingestion_job_id,
        "alignment_file_id": record.output_file_id,
        "user_id": record.user_id,
        "team_id": record.team_id,
        "filename": filename,
        "metaflow_job_id": optional(record, "engine_job_id"),
        "method": (lower(record, "method") or "").replace("_", "-") or None,
        "status": said(SEEKR, record, "status"),
        "queue_position": optional(record, "queue_position"),
        "error_message": message,
        "suggested_fix": fix,
        "worker_id": optional(record, "worker_id"),
        "deleted": record.deleted,
        "created_at": time(record, "created_at"),
        "processing_at": time(record, "processing_at"),
        "completed_at": time(record, "completed_at"),
        # A cancelled record is shown as failed, so it has the time of that as well.
        "failed_at": first_time(record, "failed_at", "cancelled_at"),
    }


def _failure(record: FileRecord) -> tuple[str | None, str | None]:
    """Message and fix. The error of an attempt that will be repeated is not one of theirs: the record is queued."""
    if record.status == RecordStatus.RECORD_STATUS_CANCELLED:
        return CANCELLED_MESSAGE, CANCELLED_FIX
    if record.status == RecordStatus.RECORD_STATUS_FAILED:
        return record.error.message, record.error.suggested_fix
    return None, None


def _file(file: JobFile) -> dict[str, Any]:
    record_id = optional(file, "record_id")
    cancelled = file.status == RecordStatus.RECORD_STATUS_CANCELLED
    return {
        "file_id": file.file_id,
        "record_id": record_id,
        "name": file.name,
        "type": "md" if file.content_type == "text/markdown" else file.name.rpartition(".")[2].lower(),
        "created_at": time(file, "created_at"),
        "status": said(SEEKR, file, "status") if record_id else None,
        "suggested_fix": file.suggested_fix or (CANCELLED_FIX if cancelled else None),
    }


def _alignment(each: AlignmentJob) -> dict[str, Any]:
    """`AlignmentResponse`, with the documented `completed_at`."""
    ended_at = first_time(each, "completed_at", "failed_at", "cancelled_at")
    return {
        "id": each.alignment_job_id,
        "created_at": time(each, "created_at"),
        "updated_at": ended_at or first_time(each, "started_at", "created_at"),
        "stopped_at": ended_at,
        "completed_at": time(each, "completed_at"),
        "status": lower(each, "status") or "running",
        "current_step": lower(each, "current_step"),
        "progress": each.progress,
        "step_progress": each.step_progress,
        "estimated_completion_at": time(each, "eta"),
        # It would count from the moment of reading, which a message does not tell.
        "eta_minutes": None,
        "status_message": each.status_message or None,
        "output_files": [_dataset(file_id, each) for file_id in each.output_file_ids],
    }


def _dataset(file_id: str, alignment: AlignmentJob) -> dict[str, Any]:
    return {
        "id": file_id,
        # The message knows the file by its id only; its own name is with GetFile.
        "filename": f"{file_id}.jsonl",
        "bytes": None,
        "created_at": time(alignment, "completed_at"),
        "file_type": "jsonl",
        "purpose": "fine-tune",
    }


def _event(event: TimelineEvent) -> dict[str, Any]:
    # A Struct knows numbers as floats only; theirs are counts.
    metadata = {name: _whole(value) for name, value in MessageToDict(event.metadata).items()}
    if event.HasField("milestone"):
        metadata["status"] = said(SEEKR, event.milestone, "status")
    return {
        "timestamp": time(event, "timestamp"),
        "event_type": event.title,
        "message": event.message,
        "metadata": metadata,
    }


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
