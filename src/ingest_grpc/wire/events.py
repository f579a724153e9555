"""Timeline events as messages. An event is the same for every watcher, so it is encoded once."""

from collections.abc import Mapping

from ingest_grpc import model
from ingest_grpc.lifecycle import IngestionJobStatus
from ingest_grpc.v1 import job_pb2
from ingest_grpc.wire.alignments import alignment_job
from ingest_grpc.wire.enums import (
    EVENT_KIND,
    EVENT_TYPE,
    INGESTION_JOB_STATUS,
    JOB_STATUS,
    RECORD_STATUS,
    TRIGGER,
)
from ingest_grpc.wire.ingestion import ingestion_job, record
from ingest_grpc.wire.jobs import basic_job, job_file
from ingest_grpc.wire.times import set_time

SEEKR_WORDS: Mapping[IngestionJobStatus, str] = {
    IngestionJobStatus.QUEUED: "queued",
    IngestionJobStatus.RUNNING: "running",
    IngestionJobStatus.COMPLETED: "completed",
    IngestionJobStatus.PARTIALLY_COMPLETED: "failed",
    IngestionJobStatus.FAILED: "failed",
    IngestionJobStatus.CANCELLED: "failed",
}
"""SeekrFlow's word for each status: its "failed" means that one or more files could not be processed."""


def event(value: model.TimelineEvent) -> job_pb2.TimelineEvent:
    """A TimelineEvent message. Only milestones have metadata; that of "Created" is empty."""
    message = job_pb2.TimelineEvent(
        job_id=value.job_id,
        sequence=value.sequence,
        type=EVENT_TYPE.numbers[value.type],
        kind=EVENT_KIND.numbers[value.kind],
        title=value.title,
        message=value.message,
        actor=value.actor,
        trigger=TRIGGER.numbers[value.trigger],
    )
    set_time(message.timestamp, value.timestamp)
    _set_change(message, value.change)
    if value.kind is model.EventKind.MILESTONE:
        message.metadata.SetInParent()
    return message


def _set_change(message: job_pb2.TimelineEvent, change: model.Change) -> None:
    match change:
        case model.RecordChange():
            message.record_change.record.CopyFrom(record(change.record))
            message.record_change.previous_status = RECORD_STATUS.numbers[change.previous_status]
        case model.IngestionJobChange():
            message.ingestion_job_change.ingestion_job.CopyFrom(ingestion_job(change.ingestion_job))
            message.ingestion_job_change.previous_status = INGESTION_JOB_STATUS.numbers[change.previous_status]
        case model.AlignmentChange():
            message.alignment_change.alignment_job.CopyFrom(alignment_job(change.alignment))
            message.alignment_change.previous_status = RECORD_STATUS.numbers[change.previous_status]
        case model.JobChange():
            message.job_change.job.CopyFrom(basic_job(change.job))
            message.job_change.previous_status = JOB_STATUS.numbers[change.previous_status]
        case model.FilesChange():
            message.files_change.SetInParent()
            message.files_change.added.extend(map(job_file, change.added[: model.MAX_CHANGED_FILES]))
            message.files_change.removed.extend(map(job_file, change.removed))
            message.files_change.truncated = len(change.added) > model.MAX_CHANGED_FILES
        case model.Milestone():
            _set_milestone(message, change)


def _set_milestone(message: job_pb2.TimelineEvent, change: model.Milestone) -> None:
    message.milestone.ingestion_job_id = change.ingestion_job_id
    message.milestone.status = INGESTION_JOB_STATUS.numbers[change.status]
    message.milestone.record_count = change.record_count
    fields = message.metadata.fields
    fields["ingestion_job_id"].string_value = change.ingestion_job_id
    fields["status"].string_value = SEEKR_WORDS[change.status]
    fields["record_count"].number_value = change.record_count
