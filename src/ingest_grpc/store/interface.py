"""What the services ask of a ledger; every backend passes the suite in tests/conformance/test_store.py.

A *unit* is an async function of a transaction that awaits nothing but its transaction and has no other
effect: a backend may run it again from its start, together with others in one commit, and on a thread
(SQLite drives it without an event loop, see docs/decisions/0001-units.md). So the use cases are written
once, in `service`, and a backend only holds SQL.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus, Trigger
from ingest_grpc.model import (
    EventType,
    File,
    FileKind,
    FileRecord,
    IngestionJob,
    Job,
    JobFile,
    Scope,
    TimelineEvent,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record and what of its row the service alone needs.

    `source` and `source_type` are the blob key (None once the file is deleted) and the declared content
    type of the source file; `replaces_row` is the record that this one resolves once it completes.
    """

    record: FileRecord
    job_row: int
    ingestion_row: int
    file_row: int
    source: str | None
    source_type: str
    bytes_in: int
    priority: int
    fair_tag: int
    claimable: bool
    replaces_row: int | None


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record about to be inserted. `record.status` and `trigger` must be a transition from nothing."""

    record: FileRecord
    trigger: Trigger
    job_row: int
    ingestion_row: int
    file_row: int
    bytes_in: int
    priority: int
    fair_tag: int
    replaces_row: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """The rank of a claimable record in claim order, 1 = next."""

    row_id: int
    record_id: str
    position: int


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """An earlier call with the same request id: the hash of its payload and its result as JSON."""

    payload_hash: bytes
    result: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret."""

    key_id: str
    team_id: str
    user_id: str
    scopes: frozenset[Scope]
    created_at: int
    revoked_at: int | None


@dataclass(slots=True)
class Commit:
    """What one commit touched, for those who must wake: told by the units, delivered after COMMIT.

    `jobs` have new events; `stopped` records left RUNNING by a caller's wish, so their conversion may be
    killed; `claimable` says that the queue may have grown; `delayed` that a record waits for its back-off.
    """

    jobs: set[int] = field(default_factory=set)
    stopped: set[int] = field(default_factory=set)
    claimable: bool = False
    delayed: bool = False

    def merge(self, other: "Commit") -> None:
        self.jobs |= other.jobs
        self.stopped |= other.stopped
        self.claimable |= other.claimable
        self.delayed |= other.delayed


class Rows(Protocol):
    """Reads inside one snapshot. Lists are index ranges: their cost does not grow with history.

    A method that finds nothing returns None or an empty sequence; another team's rows are not found.
    """

    async def ledger_id(self) -> str: ...

    async def job(self, team: str, job_id: str) -> Job | None: ...
    async def job_by_row(self, row_id: int) -> Job: ...
    async def jobs_newest(
        self, team: str, statuses: Sequence[JobStatus], before: int | None, limit: int
    ) -> list[Job]: ...
    async def markdown_files(self, job_row: int, limit: int, after: int = 0) -> list[tuple[int, JobFile]]:
        """(row, entry) of the Markdown that a job lists, in the order it was added, after a row."""
        ...

    async def ingestion_job(self, team: str, ingestion_job_id: str) -> IngestionJob | None: ...
    async def ingestion_job_by_row(self, row_id: int) -> IngestionJob: ...
    async def ingestion_jobs(
        self,
        *,
        team: str,
        job_row: int | None,
        statuses: Sequence[IngestionJobStatus],
        after: int | None,
        oldest_first: bool,
        limit: int,
    ) -> list[IngestionJob]: ...

    async def record(self, job_row: int, record_id: str) -> RecordRow | None: ...
    async def record_by_row(self, row_id: int) -> RecordRow: ...
    async def record_of_output(self, team: str, output_file_id: str) -> RecordRow | None: ...
    async def records(
        self,
        *,
        job_row: int | None = None,
        ingestion_row: int | None = None,
        statuses: Sequence[RecordStatus] = (),
        show_deleted: bool = False,
        after: int = 0,
        limit: int,
    ) -> list[RecordRow]:
        """Records of one job or one ingestion job, in the order they were added."""
        ...

    async def live_records_of_file(self, job_row: int, file_row: int, file_id: str) -> list[RecordRow]:
        """Live records of a job that read this file, or whose output it is."""
        ...

    async def unresolved_records(self, job_row: int, limit: int) -> list[RecordRow]: ...
    async def in_flight_records(self, job_row: int, up_to: int, limit: int) -> list[RecordRow]: ...
    async def newest_record(self, job_row: int) -> int:
        """The integer key of a job's newest record, 0 if it has none."""
        ...

    async def running_records(self) -> list[RecordRow]: ...
    async def position(self, row: RecordRow) -> int | None:
        """The rank of a record in claim order, None unless it is claimable."""
        ...

    async def positions(self, job_row: int, limit: int) -> list[Position]:
        """The ranks of a job's first claimable records: one pass over the part of the queue before the last."""
        ...

    async def next_due_at(self) -> int | None:
        """When the next delayed record is due."""
        ...

    async def events_after(
        self, job_row: int, after: int, limit: int, types: Sequence[EventType] = ()
    ) -> list[TimelineEvent]: ...
    async def milestones_after(self, job_row: int, after: int, limit: int) -> list[TimelineEvent]: ...

    async def file(self, team: str, file_id: str) -> File | None: ...
    async def files_newest(self, team: str, kind: FileKind | None, before: int | None, limit: int) -> list[File]: ...
    async def deleted_blobs(self, limit: int) -> list[tuple[int, str]]:
        """(row, key) of blobs whose bytes may go."""
        ...

    async def blob_is_kept(self, blob_key: str) -> bool: ...

    async def api_key_by_hash(self, secret_hash: bytes) -> ApiKey | None: ...
    async def any_api_key(self) -> bool: ...
    async def api_keys(self) -> list[ApiKey]: ...


class Tx(Rows, Protocol):
    """Reads and writes inside one transaction. `commit` collects whom to wake."""

    @property
    def commit(self) -> Commit: ...

    async def insert_job(self, job: Job) -> int: ...
    async def update_job(self, job: Job) -> None:
        """Stores status, tallies, flags, sequence and updated_at."""
        ...

    async def insert_ingestion_job(self, job: IngestionJob, job_row: int, team: str) -> int: ...
    async def update_ingestion_job(self, job: IngestionJob) -> None: ...
    async def markdown_file(self, job_row: int, file_id: str) -> tuple[int, JobFile, bool] | None:
        """(row, entry, still listed) of the newest Markdown entry of this file in the job's list."""
        ...

    async def add_markdown_file(self, job_row: int, file_row: int, now: int) -> None: ...
    async def remove_markdown_file(self, row_id: int, now: int) -> None: ...

    async def insert_record(self, new: NewRecord) -> int: ...
    async def transition_record(
        self, before: FileRecord, after: FileRecord, trigger: Trigger, *, claimable: bool
    ) -> bool:
        """Stores `after` if the record still has the status and attempt of `before`; else changes nothing.

        The database itself refuses a (status, trigger) that lifecycle.TRANSITIONS does not have.
        """
        ...

    async def mark_record(
        self, row_id: int, *, deleted_at: int | None, superseded_by: str | None, sequence: int
    ) -> None: ...
    async def make_claimable(self, row_id: int) -> None: ...
    async def records_to_claim(self, limit: int) -> list[RecordRow]: ...
    async def records_due(self, now: int, latest: int, limit: int) -> list[RecordRow]: ...
    async def unresolved_with_name(self, job_row: int, filename: str) -> list[tuple[int, str]]:
        """(row, record id) of at most two unresolved records with this name."""
        ...

    async def removed_record_of_file(self, job_row: int, file_row: int, file_id: str) -> bool: ...
    async def live_records_reading(self, file_row: int) -> list[RecordRow]:
        """Live records of any job that read this file."""
        ...

    async def jobs_listing_file(self, file_row: int) -> list[int]:
        """Rows of the jobs that list this file as Markdown."""
        ...

    async def greatest_queued_tag(self, team: str, priority: int) -> int | None: ...
    async def virtual_time(self, priority: int) -> int: ...
    async def advance_virtual_time(self, priority: int, fair_tag: int) -> None: ...

    async def insert_events(self, job_row: int, team: str, events: Sequence[TimelineEvent]) -> None: ...

    async def insert_file(self, file: File, *, shareable: bool) -> File:
        """Stores a file and its blob; equal bytes of one team share the blob that is there already.

        Returns the file as stored: if its blob_key is another one, the caller's own blob is not needed.
        """
        ...

    async def delete_file(self, file: File, now: int) -> None:
        """Marks the file deleted, and its blob once no live file refers to it."""
        ...

    async def forget_blob(self, row_id: int) -> None: ...

    async def request(self, team: str, method: str, request_id: str) -> StoredRequest | None: ...
    async def insert_request(
        self, team: str, method: str, request_id: str, stored: StoredRequest, now: int
    ) -> None: ...
    async def forget_requests(self, before: int, limit: int) -> int: ...

    async def insert_api_key(self, key: ApiKey, secret_hash: bytes) -> None: ...
    async def revoke_api_key(self, key_id: str, now: int) -> bool: ...


ReadUnit = Callable[[Rows], Awaitable[T]]
WriteUnit = Callable[[Tx], Awaitable[T]]


class Units(Protocol):
    """Whatever runs units."""

    async def read(self, unit: ReadUnit[T]) -> T:
        """Runs a unit on one consistent snapshot. Raises what the unit raises, and STORAGE_UNAVAILABLE."""
        ...

    async def write(self, unit: WriteUnit[T]) -> T:
        """Runs a unit in a transaction and returns its result once it is durable."""
        ...


class Store(Units, Protocol):
    """A ledger that one process owns."""

    async def start(self) -> None:
        """Opens, locks and migrates. Raises LedgerLocked when another process owns it."""
        ...

    async def stop(self) -> None:
        """Finishes what was queued, then closes readers before the writer. Idempotent."""
        ...

    async def read(self, unit: ReadUnit[T]) -> T:
        """Runs a unit on one consistent snapshot. Raises what the unit raises, and STORAGE_UNAVAILABLE."""
        ...

    async def write(self, unit: WriteUnit[T]) -> T:
        """Runs a unit in a transaction and returns its result once it is durable.

        What the unit raises is raised here and leaves nothing behind. Raises STORAGE_FULL (nothing was
        stored), STORAGE_UNAVAILABLE (whether it was stored is unknown) and SERVER_BUSY (the queue is full).
        A caller that is cancelled while it waits does not stop the unit.
        """
        ...

    @property
    def healthy(self) -> bool:
        """Whether writes are accepted."""
        ...


class LedgerLocked(Exception):
    """Another process owns this ledger."""

    fix = "Stop the server that owns it, or give this one a data folder of its own with --data-dir."
