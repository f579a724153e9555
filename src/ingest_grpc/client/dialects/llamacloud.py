"""LlamaCloud: the status of each file of a pipeline, and that of a pipeline as a whole."""

from itertools import chain, repeat
from typing import Any

from ingest_grpc.client.dialects.fields import first_time, said, time
from ingest_grpc.client.dialects.words import LLAMACLOUD, LLAMACLOUD_WITH_LOSSES
from ingest_grpc.client.messages import (
    FileRecord,
    FileStatus,
    GetFileStatusCountsResponse,
    IngestionJob,
    Job,
    JobFile,
    RecordError,
    RecordStatus,
    Step,
)

_STEPS = {number: LLAMACLOUD[name] for name, number in Step.items()}
_END_TIMES = ("completed_at", "failed_at", "cancelled_at", "processing_at", "created_at")


def files(job: Job) -> dict[str, dict[str, Any]]:
    """`ManagedIngestionStatusResponse` by id of the source file, that of the newest record of each."""
    found = {file.file_id: _markdown(file) for file in job.files if not file.HasField("record_id")}
    for each in job.ingestion_jobs:
        found.update((record.file_id, _record(record, each)) for record in each.records if not record.deleted)
    return found


def ingestion_job(each: IngestionJob) -> dict[str, Any]:
    """`ManagedIngestionStatusResponse` of all files of an ingestion job, with the errors of all its records."""
    return {
        "status": said(LLAMACLOUD, each, "status"),
        "deployment_date": time(each, "created_at"),
        "effective_at": first_time(each, "completed_at", "started_at", "created_at"),
        "error": [error for record in each.records if not record.deleted for error in _errors(record)] or None,
        "job_id": _uuid(each.ingestion_job_id),
    }


def file_status(status: FileStatus) -> dict[str, Any]:
    """`ManagedIngestionStatusResponse` of a file of a knowledge base: since when its status holds and it is found."""
    job_id = _uuid(status.ingestion_job_id) if status.HasField("ingestion_job_id") else None
    errors = [_error(_uuid(each.ingestion_job_id), each.error) for each in status.errors] + _losses(job_id, status)
    return {
        "status": LLAMACLOUD_WITH_LOSSES if status.partial else said(LLAMACLOUD, status, "status"),
        "deployment_date": time(status, "deployed_at"),
        "effective_at": time(status, "effective_at"),
        "error": errors or None,
        "job_id": job_id,
    }


def status_counts(
    counts: GetFileStatusCountsResponse, *, knowledge_base_id: str = "", data_source_id: str = ""
) -> dict[str, Any]:
    """`FileGetStatusCountsResponse`: files per status, every status present; those that completed with losses are
    counted as PARTIAL_SUCCESS. The ids are those that the counts were asked of."""
    found = {said(LLAMACLOUD, each, "status"): each.count for each in counts.counts}
    found[LLAMACLOUD_WITH_LOSSES] = counts.partial_count
    found[LLAMACLOUD["RECORD_STATUS_COMPLETED"]] -= counts.partial_count
    return {
        "counts": found,
        "total_count": counts.total_count,
        "pipeline_id": _uuid(knowledge_base_id) if knowledge_base_id else None,
        "data_source_id": _uuid(data_source_id) if data_source_id else None,
        "only_manually_uploaded": False,
    }


def _markdown(file: JobFile) -> dict[str, Any]:
    """Markdown that was uploaded: no job had to run."""
    return {
        "status": said(LLAMACLOUD, file, "status"),
        "deployment_date": None,
        "effective_at": time(file, "created_at"),
        "error": None,
        "job_id": None,
    }


def _record(record: FileRecord, run: IngestionJob) -> dict[str, Any]:
    lossy = record.status == RecordStatus.RECORD_STATUS_COMPLETED and record.losses
    return {
        "status": LLAMACLOUD_WITH_LOSSES if lossy else said(LLAMACLOUD, record, "status"),
        "deployment_date": time(run, "created_at"),
        "effective_at": first_time(record, *_END_TIMES),
        "error": _errors(record) or None,
        "job_id": _uuid(record.ingestion_job_id),
    }


def _errors(record: FileRecord) -> list[dict[str, Any]]:
    """The error of the last attempt with its fix, which has no field of its own, and all losses."""
    job_id = _uuid(record.ingestion_job_id)
    errors = [_error(job_id, record.error)] if record.HasField("error") else []
    return errors + _losses(job_id, record)


def _error(job_id: str, error: RecordError) -> dict[str, Any]:
    text = f"{error.message} {error.suggested_fix}".strip()
    return {"job_id": job_id, "message": text, "step": said(LLAMACLOUD, error, "step")}


def _losses(job_id: str | None, of: FileRecord | FileStatus) -> list[dict[str, Any]]:
    """All losses; a server of an earlier version does not tell their steps."""
    unknown = LLAMACLOUD["STEP_UNSPECIFIED"]
    steps = chain((_STEPS.get(step, unknown) for step in of.loss_steps), repeat(unknown))
    return [{"job_id": job_id, "message": loss, "step": step} for loss, step in zip(of.losses, steps, strict=False)]


def _uuid(public_id: str) -> str:
    """Theirs are bare UUIDs, ours have a prefix before the first hyphen."""
    return public_id.partition("-")[2]
