"""The domain: what is stored, returned and streamed, free of I/O and of gRPC.

Times are UTC microseconds since the epoch. `row_id` is the ledger's own integer key: it never leaves the
service and is not part of what an event stores.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ingest_grpc.errors import CATALOGUE, Reason
from ingest_grpc.lifecycle import (
    NOTHING,
    IngestionJobStatus,
    JobFacts,
    JobStatus,
    JobType,
    RecordStatus,
    Step,
    Tally,
    Trigger,
    WaitReason,
)

T = TypeVar("T")


class Method(StrEnum):
    """How a file is converted."""

    SPEED_OPTIMIZED = "SPEED_OPTIMIZED"


class Model(BaseModel):
    """Base of all domain values: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordError(Model):
    """Why an attempt failed. Texts come from the catalogue, so that they are the same everywhere."""

    reason: Reason
    step: Step | None = None
    detail: str = ""

    @property
    def message(self) -> str:
        return CATALOGUE[self.reason].message

    @property
    def suggested_fix(self) -> str:
        return CATALOGUE[self.reason].suggested_fix

    @property
    def retryable(self) -> bool:
        return CATALOGUE[self.reason].retryable


class Engine(Model):
    """The software that converted a file."""

    name: str
    version: str


class UnitProgress(Model):
    """How far a step has come; `units_total` 0 = not known."""

    units_done: int
    units_total: int
    unit: str


class FileRecord(Model):
    """One file in one ingestion job. `queue_position` and `progress` are computed when asked, never stored."""

    row_id: int = Field(0, exclude=True)
    record_id: str
    ingestion_job_id: str
    job_id: str
    file_id: str
    output_file_id: str
    user_id: str
    team_id: str
    filename: str
    output_filename: str
    method: Method
    engine: Engine | None = None
    status: RecordStatus
    step: Step | None = None
    queue_position: int | None = None
    error: RecordError | None = None
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    attempt: int = 0
    failures: int = 0
    orphaned_count: int = 0
    next_attempt_at: int | None = None
    wait_reason: WaitReason | None = None
    worker_id: str | None = None
    superseded_by: str | None = None
    deleted_at: int | None = None
    created_at: int
    processing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    cancelled_at: int | None = None
    progress: UnitProgress | None = None
    pages: int | None = None
    bytes_out: int | None = None
    last_sequence: int = 0

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None


class IngestionJob(Model):
    """One ingestion run inside a job. File ids and records are filled only by the calls that say so."""

    row_id: int = Field(0, exclude=True)
    ingestion_job_id: str
    job_id: str
    status: IngestionJobStatus
    tally: Tally = NOTHING
    pages: int = 0
    bytes_in: int = 0
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    last_sequence: int = 0
    file_ids: tuple[str, ...] = ()
    output_file_ids: tuple[str, ...] = ()
    records: tuple[FileRecord, ...] = ()


class ReviewReasonType(StrEnum):
    """What kind of thing needs a hand."""

    RECORD_FAILED = "RECORD_FAILED"
    RECORD_CANCELLED = "RECORD_CANCELLED"
    NO_VIABLE_FILE = "NO_VIABLE_FILE"
    SYSTEM_PROMPT_MISSING = "SYSTEM_PROMPT_MISSING"


class ReviewReason(Model):
    """One thing that stands between a job and READY_TO_START."""

    type: ReviewReasonType
    message: str
    suggested_fix: str
    record_id: str | None = None
    file_id: str | None = None
    filename: str | None = None


class JobFile(Model):
    """One line of a job's unified file list: an ingestion output, or Markdown that needed none."""

    file_id: str
    source_file_id: str | None = None
    record_id: str | None = None
    name: str
    content_type: str
    created_at: int
    status: RecordStatus
    suggested_fix: str = ""


class Job(Model):
    """A job in the BASIC view: all but its files, ingestion jobs and timeline."""

    row_id: int = Field(0, exclude=True)
    job_id: str
    name: str
    description: str = ""
    job_type: JobType
    status: JobStatus
    tally: Tally = NOTHING
    markdown_files: int = 0
    cancelled: bool = False
    ever_active: bool = False
    review_reasons: tuple[ReviewReason, ...] = ()
    system_prompt: str = ""
    system_prompt_updated_at: int | None = None
    instructions: str = ""
    instructions_updated_at: int | None = None
    method: Method
    user_id: str
    team_id: str
    last_sequence: int = 0
    earliest_sequence: int = 1
    created_at: int
    updated_at: int

    @property
    def facts(self) -> JobFacts:
        """What the status depends on."""
        return JobFacts(
            job_type=self.job_type,
            tally=self.tally,
            markdown_files=self.markdown_files,
            has_system_prompt=bool(self.system_prompt),
            cancelled=self.cancelled,
            ever_active=self.ever_active,
        )


class EventKind(StrEnum):
    """Groups of events that a watcher can choose."""

    MILESTONE = "MILESTONE"
    RECORD = "RECORD"
    JOB = "JOB"
    FILES = "FILES"


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
    EventType.INGESTION_JOB_CHANGED: EventDescription(
        EventKind.JOB, "Ingestion Job Changed", "The ingestion job is {status}."
    ),
    EventType.JOB_CHANGED: EventDescription(EventKind.JOB, "Job Changed", "The job is {status}."),
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


class JobChange(Model):
    """A job after a transaction."""

    change: Literal["job"] = "job"
    job: Job
    previous_status: JobStatus | None = None


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


Change = RecordChange | IngestionJobChange | JobChange | FilesChange | Milestone


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


class FileKind(StrEnum):
    """Uploads have "file-…" ids, outputs "md-file-…"."""

    UPLOAD = "UPLOAD"
    OUTPUT = "OUTPUT"


class File(Model):
    """Stored bytes. `blob_key` names them in the blob store and never leaves the service.

    `markdown` says that they are valid, non-empty Markdown, which needs no conversion.
    """

    row_id: int = Field(0, exclude=True)
    blob_key: str = Field("", exclude=True)
    markdown: bool = Field(False, exclude=True)
    file_id: str
    kind: FileKind
    filename: str
    path: str = ""
    content_type: str
    size_bytes: int
    sha256: str
    user_id: str
    team_id: str
    created_at: int
    deleted_at: int | None = None


# ── what callers ask for (validated where messages are read, see wire/requests) ─────────────────────────


class FileToAdd(Model):
    """One file of an AddFiles call."""

    file_id: str
    method: Method | None = None
    replaces_record_id: str | None = None


class NewJob(Model):
    """What CreateJob asks for."""

    name: str
    description: str = ""
    job_type: JobType
    system_prompt: str = ""
    instructions: str = ""
    method: Method | None = None
    files: tuple[FileToAdd, ...] = ()


class NewFile(Model):
    """What an upload announces. `size_bytes` and `sha256` are checked against the bytes when given."""

    filename: str
    path: str = ""
    content_type: str
    size_bytes: int | None = None
    sha256: str | None = None


class WatchUntil(StrEnum):
    """When the server ends a watch with OK."""

    SETTLED = "SETTLED"
    TERMINAL = "TERMINAL"
    HEAD = "HEAD"
    NEVER = "NEVER"


class WatchRequest(Model):
    """What to watch. `kinds` None = every event; `after_sequence` None = a snapshot first."""

    job_id: str
    after_sequence: int | None = None
    until: WatchUntil = WatchUntil.SETTLED
    kinds: frozenset[EventKind] | None = None
    progress: bool = False
    heartbeat_interval_seconds: int = 15
    ledger_id: str | None = None


# ── what they get ──────────────────────────────────────────────────────────────────────────────────────────


class Scope(StrEnum):
    """What an API key may do; ADMIN includes WRITE, WRITE includes READ."""

    READ = "READ"
    WRITE = "WRITE"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: team and user come only from credentials."""

    team_id: str
    user_id: str
    scopes: frozenset[Scope]
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The idempotency key of a mutation: repeated with the same payload, it has one effect.

    `method` is the full RPC name, `payload_hash` the SHA-256 of the request without its request_id.
    """

    method: str
    request_id: str
    payload_hash: bytes


@dataclass(frozen=True, slots=True)
class Mutation(Generic[T]):
    """The result of a mutation, and whether it was replayed from an earlier call with the same request_id."""

    value: T
    replayed: bool = False


class AddFileOutcome(StrEnum):
    """What became of one file of an AddFiles call."""

    ADDED = "ADDED"
    ALREADY_PRESENT = "ALREADY_PRESENT"
    MARKDOWN_READY = "MARKDOWN_READY"
    NOT_FOUND = "NOT_FOUND"
    NOT_REPLACEABLE = "NOT_REPLACEABLE"


class AddFileResult(Model):
    """What became of one file of an AddFiles call."""

    file_id: str
    outcome: AddFileOutcome
    record_id: str | None = None
    output_file_id: str | None = None
    supersedes_record_id: str | None = None


class RemoveFileOutcome(StrEnum):
    """What became of one id of a RemoveFiles call."""

    REMOVED = "REMOVED"
    ALREADY_REMOVED = "ALREADY_REMOVED"
    NOT_FOUND = "NOT_FOUND"


class RemoveFileResult(Model):
    """What became of one id of a RemoveFiles call."""

    id: str
    outcome: RemoveFileOutcome
    record_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job in the FULL view, bounded: `records_total` counts live records, the flags say what is missing."""

    job: Job
    files: Sequence[JobFile]
    ingestion_jobs: Sequence[IngestionJob]
    timeline: Sequence[TimelineEvent]
    records_total: int
    records_truncated: bool = False
    timeline_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FilesAdded:
    """The result of CreateJob and AddFiles."""

    job: JobDetail
    results: Sequence[AddFileResult]
    ingestion_job_id: str | None


@dataclass(frozen=True, slots=True)
class FilesRemoved:
    """The result of RemoveFiles."""

    job: JobDetail
    results: Sequence[RemoveFileResult]


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The result of CancelJob."""

    job: Job
    records_cancelled: int


@dataclass(frozen=True, slots=True)
class FileDeleted:
    """The result of DeleteFile."""

    file: File
    job_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A part of a file: for text cut so that no character is split; `text` only where the bytes are UTF-8 text."""

    data: bytes
    text: str | None
    eof: bool


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out, from byte `offset` on."""

    file: File
    offset: int
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class IngestionDetail:
    """An ingestion job with its records, bounded: `records_total` counts the live ones."""

    ingestion_job: IngestionJob
    records_total: int
    records_truncated: bool


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What this server is and can do; its limits are in the settings."""

    version: str
    ledger_id: str
    content_types: Sequence[str]
    methods: Sequence[Method]
    default_method: Method
    engines: Sequence[Engine]
    protections: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `next_page_token` is empty on the last."""

    items: Sequence[T]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One page of a job's events."""

    events: Sequence[TimelineEvent]
    next_page_token: str
    earliest_sequence: int
    head_sequence: int


@dataclass(frozen=True, slots=True)
class RecordProgress:
    """Where one record is now: the step and its progress while RUNNING, the position while QUEUED."""

    record_id: str
    step: Step | None = None
    progress: UnitProgress | None = None
    queue_position: int | None = None
