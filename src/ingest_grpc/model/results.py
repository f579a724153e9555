"""What callers get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from ingest_grpc.model.alignments import AlignmentJob
from ingest_grpc.model.base import Engine, Method, Model
from ingest_grpc.model.events import TimelineEvent
from ingest_grpc.model.jobs import Job, JobFile
from ingest_grpc.model.records import IngestionJob

T = TypeVar("T")


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
    REUSED = "REUSED"


class AddFileResult(Model):
    """What became of one file of an AddFiles call."""

    file_id: str
    outcome: AddFileOutcome
    record_id: str | None = None
    output_file_id: str | None = None
    supersedes_record_id: str | None = None


class RetryFileOutcome(StrEnum):
    """What became of one record of a RetryFiles call."""

    RETRIED = "RETRIED"
    NOT_RETRYABLE = "NOT_RETRYABLE"
    NOT_FOUND = "NOT_FOUND"
    SOURCE_DELETED = "SOURCE_DELETED"


class RetryFileResult(Model):
    """What became of one record of a RetryFiles call."""

    record_id: str
    outcome: RetryFileOutcome


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
    alignment: AlignmentJob | None = None


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
class FilesRetried:
    """The result of RetryFiles."""

    job: JobDetail
    results: Sequence[RetryFileResult]
    records_retried: int


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The result of CancelJob."""

    job: Job
    records_cancelled: int
    alignment_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `next_page_token` is empty on the last.

    `total` counts what passes the filter, up to 10,000, None unless asked for.
    """

    items: Sequence[T]
    next_page_token: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One page of a job's events; `total` as of a Page."""

    events: Sequence[TimelineEvent]
    next_page_token: str
    earliest_sequence: int
    head_sequence: int
    total: int | None = None


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
    embedders: Sequence[str] = ()
