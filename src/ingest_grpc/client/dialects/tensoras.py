"""Tensoras: the ingestion jobs of a knowledge base, in lists and one by one, and its errors."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from ingest_grpc.client.dialects.fields import optional, said
from ingest_grpc.client.dialects.words import TENSORAS
from ingest_grpc.client.messages import ErrorReason, FileRecord, IngestionJob, Job, RecordError, RecordStatus

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
CANCELLED = {"message": "The work was cancelled.", "type": "ingestion_error", "param": None, "code": "cancelled"}


def job(value: Job) -> dict[str, Any]:
    """The list of a job's ingestion jobs, as `GET …/ingestion-jobs` returns it: oldest first, without details."""
    return {"object": "list", "data": [_summary(each) for each in value.ingestion_jobs], "has_more": False}


def ingestion_jobs(
    values: Iterable[IngestionJob], *, limit: int = DEFAULT_LIMIT, after: str = "", status: str = ""
) -> dict[str, Any]:
    """A page of ingestion jobs that are given oldest first: those after a job's id, with one of Tensoras' statuses.

    Raises ValueError for a limit that is not 1 to 100, and for a status that Tensoras does not have.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit must be 1 to {MAX_LIMIT}")
    if status and status not in TENSORAS.values():
        raise ValueError(f"{status!r} is none of {', '.join(sorted(set(TENSORAS.values())))}")
    listed = list(values)
    if after:
        ids = [each.ingestion_job_id for each in listed]
        listed = listed[ids.index(after) + 1 :] if after in ids else []
    fitting = [each for each in listed if not status or said(TENSORAS, each, "status") == status]
    return {
        "object": "list",
        "data": [_summary(each) for each in fitting[:limit]],
        "has_more": len(fitting) > limit,
    }


def ingestion_job(value: IngestionJob) -> dict[str, Any]:
    """`GET …/ingestion-jobs/{job_id}`: with what became of each document, which lists do not have."""
    details = [_document(record) for record in value.records if not record.deleted]
    return {**_summary(value), "document_details": details}


def not_found(ingestion_job_id: str) -> dict[str, Any]:
    """What Tensoras answers where there is no such job."""
    return {
        "error": {
            "message": f"Ingestion job '{ingestion_job_id}' not found",
            "type": "not_found_error",
            "param": "job_id",
            "code": "ingestion_job_not_found",
        }
    }


def _summary(value: IngestionJob) -> dict[str, Any]:
    status = said(TENSORAS, value, "status")
    return {
        "id": value.ingestion_job_id,
        "object": "ingestion_job",
        "knowledge_base_id": optional(value, "knowledge_base_id"),
        "data_source_id": optional(value, "data_source_id"),
        "status": status,
        "documents_processed": value.documents_processed,
        "documents_failed": value.documents_failed + value.documents_cancelled,
        "chunks_created": value.chunks_created,
        "started_at": _seconds(value, "started_at"),
        "completed_at": _seconds(value, "completed_at"),
        "created_at": _seconds(value, "created_at"),
        "error": _job_error(value) if status == "failed" else None,
    }


def _job_error(value: IngestionJob) -> dict[str, Any]:
    """Why a job failed entirely: what its first failed document says; there is none where all were cancelled."""
    return _error(value.error) if value.HasField("error") else CANCELLED


def _document(record: FileRecord) -> dict[str, Any]:
    error = None
    if record.status == RecordStatus.RECORD_STATUS_CANCELLED:
        error = CANCELLED
    elif record.status == RecordStatus.RECORD_STATUS_FAILED:
        error = _error(record.error)
    return {
        "document_id": record.file_id,
        "document_name": record.filename,
        "status": said(TENSORAS, record, "status"),
        "chunks_created": record.chunks_created,
        "error": error,
    }


def _error(error: RecordError) -> dict[str, Any]:
    """The message with the fix, which has no field of its own."""
    try:
        code = ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_").lower()
    except ValueError:  # of a later server
        code = "unknown"
    message = f"{error.message} {error.suggested_fix}".strip()
    return {"message": message, "type": "ingestion_error", "param": None, "code": code}


def _seconds(message: Message, field: str) -> int | None:
    """Unix seconds; None where the time is absent."""
    return getattr(message, field).seconds if message.HasField(field) else None
