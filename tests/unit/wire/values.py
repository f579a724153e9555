"""Domain values for the tests of the wire, each complete but for what a test changes."""

from typing import Any

from ingest_grpc import model
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Tally

UUID = "1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
JOB_ID = f"dj-{UUID}"
INGESTION_JOB_ID = f"ij-{UUID}"
RECORD_ID = f"ijf-{UUID}"
FILE_ID = f"file-{UUID}"
OUTPUT_ID = f"md-file-{UUID}"
NOW = 1_700_000_000_123_456
"""2023-11-14T22:13:20.123456Z in microseconds."""


def record(**changes: Any) -> model.FileRecord:
    values: dict[str, Any] = {
        "record_id": RECORD_ID,
        "ingestion_job_id": INGESTION_JOB_ID,
        "job_id": JOB_ID,
        "file_id": FILE_ID,
        "output_file_id": OUTPUT_ID,
        "user_id": "user",
        "team_id": "team",
        "filename": "report.pdf",
        "output_filename": "report.md",
        "method": model.Method.SPEED_OPTIMIZED,
        "status": RecordStatus.QUEUED,
        "created_at": NOW,
    }
    return model.FileRecord(**{**values, **changes})


def ingestion_job(**changes: Any) -> model.IngestionJob:
    values: dict[str, Any] = {
        "ingestion_job_id": INGESTION_JOB_ID,
        "job_id": JOB_ID,
        "status": IngestionJobStatus.RUNNING,
        "created_at": NOW,
    }
    return model.IngestionJob(**{**values, **changes})


def job(**changes: Any) -> model.Job:
    values: dict[str, Any] = {
        "job_id": JOB_ID,
        "name": "Handbook",
        "job_type": JobType.CONTEXT_GROUNDED_FILES,
        "status": JobStatus.FILE_PROCESSING,
        "tally": Tally(queued=1, running=2, completed=3, failed=4, cancelled=5, unresolved=6),
        "ever_active": True,
        "method": model.Method.SPEED_OPTIMIZED,
        "user_id": "user",
        "team_id": "team",
        "last_sequence": 7,
        "created_at": NOW,
        "updated_at": NOW + 1,
    }
    return model.Job(**{**values, **changes})


def job_file(**changes: Any) -> model.JobFile:
    values: dict[str, Any] = {
        "file_id": OUTPUT_ID,
        "source_file_id": FILE_ID,
        "record_id": RECORD_ID,
        "name": "report.md",
        "content_type": "text/markdown",
        "created_at": NOW,
        "status": RecordStatus.QUEUED,
    }
    return model.JobFile(**{**values, **changes})


def event(change: model.Change, type_: model.EventType, **changes: Any) -> model.TimelineEvent:
    values: dict[str, Any] = {
        "job_id": JOB_ID,
        "sequence": 5,
        "timestamp": NOW,
        "type": type_,
        "message": "What happened.",
        "actor": "user",
        "change": change,
    }
    return model.TimelineEvent(**{**values, **changes})


def detail(**changes: Any) -> model.JobDetail:
    values: dict[str, Any] = {"job": job(), "files": (), "ingestion_jobs": (), "timeline": (), "records_total": 0}
    return model.JobDetail(**{**values, **changes})
