"""What callers ask for, and who they are. Validated where messages are read, see wire/requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from ingest_grpc.lifecycle import JobStatus, JobType
from ingest_grpc.model.base import Method, Model
from ingest_grpc.model.events import EventKind
from ingest_grpc.model.files import Scalar


class FileToAdd(Model):
    """One file of an AddFiles call."""

    file_id: str
    method: Method | None = None
    replaces_record_id: str | None = None
    metadata: Mapping[str, Scalar] = Field(default_factory=dict)


class NewJob(Model):
    """What CreateJob asks for."""

    name: str
    description: str = ""
    job_type: JobType
    system_prompt: str = ""
    instructions: str = ""
    method: Method | None = None
    files: tuple[FileToAdd, ...] = ()
    priority: int = 0
    external_id: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    knowledge_base_id: str | None = None


class JobUpdate(Model):
    """What UpdateJob changes: a field that is None stays as it is; an empty knowledge base is none."""

    name: str | None = None
    description: str | None = None
    system_prompt: str | None = None
    instructions: str | None = None
    knowledge_base_id: str | None = None
    labels: Mapping[str, str] | None = None


class JobOrder(StrEnum):
    """What jobs are listed by."""

    CREATED_AT = "CREATED_AT"
    NAME = "NAME"
    UPDATED_AT = "UPDATED_AT"
    JOB_TYPE = "JOB_TYPE"


class JobFilter(Model):
    """Which jobs to list: those that pass every filter that is set. Times are UTC microseconds."""

    statuses: tuple[JobStatus, ...] = ()
    job_types: tuple[JobType, ...] = ()
    external_id: str | None = None
    knowledge_base_id: str | None = None
    name_contains: str = ""
    labels: Mapping[str, str] = Field(default_factory=dict)
    created_after: int | None = None
    created_before: int | None = None
    show_deleted: bool = False
    order_by: JobOrder = JobOrder.CREATED_AT
    ascending: bool = False


class WaitUntil(StrEnum):
    """What WaitJob waits for."""

    CHANGE = "CHANGE"
    SETTLED = "SETTLED"
    TERMINAL = "TERMINAL"


class WatchUntil(StrEnum):
    """When the server ends a watch with OK."""

    SETTLED = "SETTLED"
    TERMINAL = "TERMINAL"
    HEAD = "HEAD"
    NEVER = "NEVER"


class WatchEndReason(StrEnum):
    """Why a watch ended with OK."""

    SETTLED = "SETTLED"
    TERMINAL = "TERMINAL"
    HEAD = "HEAD"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What to watch. `kinds` None = every event; `after_sequence` None = a snapshot first."""

    job_id: str
    after_sequence: int | None = None
    until: WatchUntil = WatchUntil.SETTLED
    kinds: frozenset[EventKind] | None = None
    progress: bool = False
    heartbeat_interval_seconds: int = 15
    ledger_id: str | None = None


class WatchJobsUntil(StrEnum):
    """When the server ends a watch over all jobs with OK."""

    HEAD = "HEAD"
    NEVER = "NEVER"


class WatchJobsRequest(Model):
    """Which jobs to watch: those that pass every filter that is set. `resume_token` empty = a snapshot first."""

    job_types: tuple[JobType, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)
    external_id: str | None = None
    knowledge_base_id: str | None = None
    resume_token: str = ""
    until: WatchJobsUntil = WatchJobsUntil.NEVER
    heartbeat_interval_seconds: int = 15

    @property
    def filters(self) -> Mapping[str, object]:
        """What a resume token is bound to."""
        return self.model_dump(mode="json", include={"job_types", "labels", "external_id", "knowledge_base_id"})


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
    max_priority: int = 9


@dataclass(frozen=True, slots=True)
class Request:
    """The idempotency key of a mutation: repeated with the same payload, it has one effect.

    `method` is the full RPC name, `payload_hash` the SHA-256 of the request without its request_id.
    """

    method: str
    request_id: str
    payload_hash: bytes
