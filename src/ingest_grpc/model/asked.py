"""What callers ask for, and who they are. Validated where messages are read, see wire/requests."""

from dataclasses import dataclass
from enum import StrEnum

from ingest_grpc.lifecycle import JobType
from ingest_grpc.model.base import Method, Model
from ingest_grpc.model.events import EventKind


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
