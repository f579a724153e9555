"""The timeline: what happened, and what each kind of event says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus, Trigger
from ingest_grpc.model.alignments import AlignmentJob
from ingest_grpc.model.base import Model
from ingest_grpc.model.jobs import Job, JobFile
from ingest_grpc.model.records import FileRecord, IngestionJob


class EventKind(StrEnum):
    """Groups of events that a watcher can choose."""

    MILESTONE = "MILESTONE"
    RECORD = "RECORD"
    JOB = "JOB"
    FILES = "FILES"


MAX_CHANGED_FILES = 1_000
"""Most files that one event tells of. With the longest names and types they take 1.3 MiB: the event fits a message."""

FEED_KINDS = frozenset({EventKind.MILESTONE, EventKind.JOB})
"""What a watch over all jobs shows of each."""


class EventType(StrEnum):
    """What happened; EVENT_TYPES says the kind and the title of each."""

    CREATED = "CREATED"
    FILE_PROCESSING_STARTED = "FILE_PROCESSING_STARTED"
    FILE_PROCESSING_COMPLETED = "FILE_PROCESSING_COMPLETED"
    RECORD_ADDED = "RECORD_ADDED"
    RECORD_CLAIMED = "RECORD_CLAIMED"
    RECORD_COMPLETED = "RECORD_COMPLETED"
    RECORD_FAILED = "RECORD_FAILED"
    RECORD_RETRY_SCHEDULED = "RECORD_RETRY_SCHEDULED"
    RECORD_ORPHANED = "RECORD_ORPHANED"
    RECORD_CANCELLED = "RECORD_CANCELLED"
    RECORD_REMOVED = "RECORD_REMOVED"
    RECORD_SUPERSEDED = "RECORD_SUPERSEDED"
    INGESTION_JOB_CHANGED = "INGESTION_JOB_CHANGED"
    JOB_CHANGED = "JOB_CHANGED"
    FILES_ADDED = "FILES_ADDED"
    FILES_REMOVED = "FILES_REMOVED"
    RECORD_RETRIED = "RECORD_RETRIED"
    RECORD_REUSED = "RECORD_REUSED"
    RECORD_EXPIRED = "RECORD_EXPIRED"
    JOB_UPDATED = "JOB_UPDATED"
    JOB_DELETED = "JOB_DELETED"
    JOB_UNDELETED = "JOB_UNDELETED"
    ALIGNMENT_ADDED = "ALIGNMENT_ADDED"
    ALIGNMENT_CLAIMED = "ALIGNMENT_CLAIMED"
    ALIGNMENT_COMPLETED = "ALIGNMENT_COMPLETED"
    ALIGNMENT_FAILED = "ALIGNMENT_FAILED"
    ALIGNMENT_RETRY_SCHEDULED = "ALIGNMENT_RETRY_SCHEDULED"
    ALIGNMENT_ORPHANED = "ALIGNMENT_ORPHANED"
    ALIGNMENT_CANCELLED = "ALIGNMENT_CANCELLED"
    ALIGNMENT_RETIRED = "ALIGNMENT_RETIRED"


@dataclass(frozen=True, slots=True)
class EventDescription:
    """The fixed parts of an event type. Milestone titles and messages are SeekrFlow's words."""

    kind: EventKind
    title: str
    message: str


EVENT_TYPES = {
    EventType.CREATED: EventDescription(EventKind.MILESTONE, "Created", "Data job created."),
    EventType.FILE_PROCESSING_STARTED: EventDescription(
        EventKind.MILESTONE, "File Processing Started", "Started processing files."
    ),
    EventType.FILE_PROCESSING_COMPLETED: EventDescription(
        EventKind.MILESTONE, "File Processing Completed", "Finished processing files."
    ),
    EventType.RECORD_ADDED: EventDescription(EventKind.RECORD, "File Added", "{filename} was added."),
    EventType.RECORD_CLAIMED: EventDescription(EventKind.RECORD, "File Started", "{filename} is being converted."),
    EventType.RECORD_COMPLETED: EventDescription(EventKind.RECORD, "File Completed", "{filename} was converted."),
    EventType.RECORD_FAILED: EventDescription(EventKind.RECORD, "File Failed", "{filename} failed: {error}"),
    EventType.RECORD_RETRY_SCHEDULED: EventDescription(
        EventKind.RECORD, "File Retry Scheduled", "{filename} will be tried again: {error}"
    ),
    EventType.RECORD_ORPHANED: EventDescription(
        EventKind.RECORD, "File Requeued", "{filename} lost its worker and is queued again."
    ),
    EventType.RECORD_CANCELLED: EventDescription(EventKind.RECORD, "File Cancelled", "{filename} was cancelled."),
    EventType.RECORD_REMOVED: EventDescription(EventKind.RECORD, "File Removed", "{filename} was removed."),
    EventType.RECORD_SUPERSEDED: EventDescription(
        EventKind.RECORD, "File Superseded", "{filename} was resolved by a corrected upload."
    ),
    EventType.RECORD_REUSED: EventDescription(
        EventKind.RECORD, "File Reused", "{filename} was converted before; its output is shared."
    ),
    EventType.RECORD_EXPIRED: EventDescription(
        EventKind.RECORD, "Output Expired", "The output of {filename} was deleted: its retention time is over."
    ),
    EventType.RECORD_RETRIED: EventDescription(EventKind.RECORD, "File Retried", "{filename} is queued again."),
    EventType.JOB_UPDATED: EventDescription(EventKind.JOB, "Job Updated", "The job's {fields} changed."),
    EventType.JOB_DELETED: EventDescription(EventKind.JOB, "Job Deleted", "The job was deleted."),
    EventType.JOB_UNDELETED: EventDescription(EventKind.JOB, "Job Undeleted", "The job was undeleted."),
    EventType.INGESTION_JOB_CHANGED: EventDescription(
        EventKind.JOB, "Ingestion Job Changed", "The ingestion job is {status}."
    ),
    EventType.JOB_CHANGED: EventDescription(EventKind.JOB, "Job Changed", "The job is {status}."),
    EventType.ALIGNMENT_ADDED: EventDescription(EventKind.JOB, "Alignment Queued", "The job was started."),
    EventType.ALIGNMENT_CLAIMED: EventDescription(EventKind.JOB, "Alignment Started", "The dataset is being made."),
    EventType.ALIGNMENT_COMPLETED: EventDescription(EventKind.JOB, "Alignment Completed", "The dataset is there."),
    EventType.ALIGNMENT_FAILED: EventDescription(EventKind.JOB, "Alignment Failed", "The alignment failed: {error}"),
    EventType.ALIGNMENT_RETRY_SCHEDULED: EventDescription(
        EventKind.JOB, "Alignment Retry Scheduled", "The alignment will be tried again: {error}"
    ),
    EventType.ALIGNMENT_ORPHANED: EventDescription(
        EventKind.JOB, "Alignment Requeued", "The alignment lost its worker and is queued again."
    ),
    EventType.ALIGNMENT_CANCELLED: EventDescription(
        EventKind.JOB, "Alignment Cancelled", "The alignment was cancelled."
    ),
    EventType.ALIGNMENT_RETIRED: EventDescription(
        EventKind.JOB, "Alignment Retired", "The alignment is history: the job goes on without it."
    ),
    EventType.FILES_ADDED: EventDescription(EventKind.FILES, "Markdown Added", "{count} Markdown file(s) were added."),
    EventType.FILES_REMOVED: EventDescription(
        EventKind.FILES, "Markdown Removed", "{count} Markdown file(s) were removed."
    ),
}


class RecordChange(Model):
    """A record after a transition."""

    change: Literal["record"] = "record"
    record: FileRecord
    previous_status: RecordStatus | None = None


class IngestionJobChange(Model):
    """An ingestion job after a transaction."""

    change: Literal["ingestion_job"] = "ingestion_job"
    ingestion_job: IngestionJob
    previous_status: IngestionJobStatus | None = None


class AlignmentChange(Model):
    """An alignment after a transition, or when it became history."""

    change: Literal["alignment"] = "alignment"
    alignment: AlignmentJob
    previous_status: RecordStatus | None = None


class JobChange(Model):
    """A job after a transaction. `labels_before` and `knowledge_base_before` ("" = none) are both set where either
    changed, for who judges the event later: the job may have another value of both by then. Callers do not see them.
    """

    change: Literal["job"] = "job"
    job: Job
    previous_status: JobStatus | None = None
    labels_before: Mapping[str, str] | None = None
    knowledge_base_before: str | None = None


class FilesChange(Model):
    """Markdown added to a job's file list or removed from it."""

    change: Literal["files"] = "files"
    added: tuple[JobFile, ...] = ()
    removed: tuple[JobFile, ...] = ()


class Milestone(Model):
    """What a milestone of an ingestion job tells."""

    change: Literal["milestone"] = "milestone"
    ingestion_job_id: str
    status: IngestionJobStatus
    record_count: int


Change = RecordChange | IngestionJobChange | AlignmentChange | JobChange | FilesChange | Milestone


class TimelineEvent(Model):
    """One committed fact about a job; never changes, the same for every watcher."""

    job_id: str
    sequence: int
    timestamp: int
    type: EventType
    message: str
    actor: str
    trigger: Trigger | None = None
    change: Change = Field(discriminator="change")

    @property
    def kind(self) -> EventKind:
        return EVENT_TYPES[self.type].kind

    @property
    def title(self) -> str:
        return EVENT_TYPES[self.type].title
