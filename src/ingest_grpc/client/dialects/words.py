"""The mapping tables, one per dialect: what another system says for each value of our enums.

The entry of an enum's UNSPECIFIED value also stands for values that a later server may send. For a status that
is "in progress": nobody may take what we do not know for a result.
"""

from collections.abc import Mapping

SEEKR: Mapping[str, str] = {
    "RECORD_STATUS_UNSPECIFIED": "running",
    "RECORD_STATUS_QUEUED": "queued",
    "RECORD_STATUS_RUNNING": "running",
    "RECORD_STATUS_COMPLETED": "completed",
    "RECORD_STATUS_FAILED": "failed",
    "RECORD_STATUS_CANCELLED": "failed",
    "INGESTION_JOB_STATUS_UNSPECIFIED": "running",
    "INGESTION_JOB_STATUS_QUEUED": "queued",
    "INGESTION_JOB_STATUS_RUNNING": "running",
    "INGESTION_JOB_STATUS_COMPLETED": "completed",
    "INGESTION_JOB_STATUS_PARTIALLY_COMPLETED": "failed",
    "INGESTION_JOB_STATUS_FAILED": "failed",
    "INGESTION_JOB_STATUS_CANCELLED": "failed",
    "JOB_STATUS_UNSPECIFIED": "file_processing",
    "JOB_STATUS_FILE_PROCESSING": "file_processing",
    "JOB_STATUS_NEEDS_REVIEW": "needs_review",
    "JOB_STATUS_READY_TO_START": "ready_to_start",
    "JOB_STATUS_QUEUED": "queued",
    "JOB_STATUS_RUNNING": "running",
    "JOB_STATUS_COMPLETED": "completed",
    "JOB_STATUS_FAILED": "failed",
    "JOB_STATUS_CANCELLED": "cancelled",
}
"""SeekrFlow: `status` of file records, of ingestion jobs, and of data jobs."""

LLAMACLOUD: Mapping[str, str] = {
    "RECORD_STATUS_UNSPECIFIED": "IN_PROGRESS",
    "RECORD_STATUS_QUEUED": "NOT_STARTED",
    "RECORD_STATUS_RUNNING": "IN_PROGRESS",
    "RECORD_STATUS_COMPLETED": "SUCCESS",
    "RECORD_STATUS_FAILED": "ERROR",
    "RECORD_STATUS_CANCELLED": "CANCELLED",
    "INGESTION_JOB_STATUS_UNSPECIFIED": "IN_PROGRESS",
    "INGESTION_JOB_STATUS_QUEUED": "NOT_STARTED",
    "INGESTION_JOB_STATUS_RUNNING": "IN_PROGRESS",
    "INGESTION_JOB_STATUS_COMPLETED": "SUCCESS",
    "INGESTION_JOB_STATUS_PARTIALLY_COMPLETED": "PARTIAL_SUCCESS",
    "INGESTION_JOB_STATUS_FAILED": "ERROR",
    "INGESTION_JOB_STATUS_CANCELLED": "CANCELLED",
    "STEP_UNSPECIFIED": "MANAGED_INGESTION",
    "STEP_FETCH": "DATA_SOURCE",
    "STEP_PARSE": "PARSE",
    "STEP_CHUNK": "TRANSFORM",
    "STEP_EMBED": "TRANSFORM",
    "STEP_INDEX": "INGESTION",
    "STEP_STORE": "METADATA_UPDATE",
}
"""LlamaCloud: `status` of a file and of a pipeline, and `step` of an error."""

TENSORAS: Mapping[str, str] = {
    "RECORD_STATUS_UNSPECIFIED": "processing",
    "RECORD_STATUS_QUEUED": "queued",
    "RECORD_STATUS_RUNNING": "processing",
    "RECORD_STATUS_COMPLETED": "completed",
    "RECORD_STATUS_FAILED": "failed",
    "RECORD_STATUS_CANCELLED": "failed",
    "INGESTION_JOB_STATUS_UNSPECIFIED": "processing",
    "INGESTION_JOB_STATUS_QUEUED": "queued",
    "INGESTION_JOB_STATUS_RUNNING": "processing",
    "INGESTION_JOB_STATUS_COMPLETED": "completed",
    "INGESTION_JOB_STATUS_PARTIALLY_COMPLETED": "completed",
    "INGESTION_JOB_STATUS_FAILED": "failed",
    "INGESTION_JOB_STATUS_CANCELLED": "failed",
}
"""Tensoras: `status` of an ingestion job and of its documents; "completed" although some documents failed."""

LLAMACLOUD_WITH_LOSSES = "PARTIAL_SUCCESS"
"""What LlamaCloud says of a completed record that lost something on the way."""
