"""What the services ask of a ledger; every backend passes the suite in tests/conformance/test_store.py.

A *unit* is an async function of a transaction that awaits nothing but its transaction and has no other
effect: a backend may run it again from its start, together with others in one commit, and on a thread
(SQLite drives it without an event loop, see docs/decisions/0001-units.md). So the use cases are written
once, in `service`, and a backend only holds SQL.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus, Trigger
from ingest_grpc.model import (
    EventType,
    File,
    FileRecord,
    IngestionJob,
    Job,
    JobFile,
    JobFilter,
    Scope,
    TimelineEvent,
)
from ingest_grpc.store.alignment_interface import AlignmentRows, AlignmentTx
from ingest_grpc.store.claims import Claim as Claim
from ingest_grpc.store.claims import NewRecord as NewRecord
from ingest_grpc.store.claims import QueueState as QueueState
from ingest_grpc.store.claims import RecordRow as RecordRow
from ingest_grpc.store.file_interface import FileRows, FileTx
from ingest_grpc.store.knowledge_interface import KnowledgeRows, KnowledgeTx
from ingest_grpc.store.record_interface import RecordSearchTx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """The rank of a claimable record in claim order, 1 = next."""

    row_id: int
    record_id: str
    position: int


@dataclass(frozen=True, slots=True)
class JobHead:
    """A job's place in a list, and its version: nothing that callers see of it changes without one of the last two."""

    row_id: int
    created_at: int
    last_sequence: int
    updated_at: int


JobCursor = tuple[str | int, int]
"""Where a list of jobs goes on: the value it is ordered by, and the row."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event of the feed over all jobs of a team. `row_id` rises with every commit and is never given twice."""

    row_id: int
    job_row: int
    event: TimelineEvent


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
    max_priority: int = 9


@dataclass(frozen=True, slots=True)
class JobStep:
    """A job as a transaction left it, and the events that led there, one after the other."""

    job: Job
    events: Sequence[TimelineEvent]


@dataclass(slots=True)
class Commit:
    """What one commit touched, for those who must wake: told by the units, delivered after COMMIT.

    `events` are those of the unit that runs; `told` holds those of all units of a commit, with what is known of the
    call that each unit came from; `steps` are how the jobs came by them, in order. `jobs` changed or are gone, most
    with new events; `lists` are the teams that they belong to; `teams` have new ones in their feeds; `stopped` are the
    keys of claims that left RUNNING by a caller's wish, so that their work may be killed; `claimable` says that the
    queue may have grown; `delayed` that something waits for its back-off; `unindexed` that the index may hold what it
    should not.
    """

    events: list[TimelineEvent] = field(default_factory=list)
    told: list[tuple[Mapping[str, str], Sequence[TimelineEvent]]] = field(default_factory=list)
    steps: list[JobStep] = field(default_factory=list)
    jobs: set[int] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    stopped: set[tuple[str, int]] = field(default_factory=set)
    claimable: bool = False
    delayed: bool = False
    unindexed: bool = False

    def merge(self, other: "Commit") -> None:
        """Adds all but the events, which belong to the call that each came from."""
        self.steps += other.steps
        self.jobs |= other.jobs
        self.lists |= other.lists
        self.teams |= other.teams
        self.stopped |= other.stopped
        self.claimable |= other.claimable
        self.delayed |= other.delayed
        self.unindexed |= other.unindexed


class Rows(FileRows, AlignmentRows, KnowledgeRows, Protocol):
    """Reads inside one snapshot. Lists are index ranges: their cost does not grow with history.

    A method that finds nothing returns None or an empty sequence; another team's rows are not found.
    """

    async def ledger_id(self) -> str: ...

    async def job(self, team: str, job_id: str) -> Job | None: ...
    async def job_by_row(self, row_id: int) -> Job: ...
    async def job_by_external_id(self, team: str, external_id: str) -> Job | None: ...
    async def jobs_newest(
        self, team: str, statuses: Sequence[JobStatus], before: int | None, limit: int
    ) -> list[JobHead]: ...
    async def jobs_where(
        self, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
    ) -> tuple[list[Job], JobCursor | None]:
        """Jobs that pass the filter, in its order, after a cursor.

        The cost is bounded: after so many rows that did not pass the page ends early, perhaps empty. The
        cursor is where to go on, None at the end.
        """
        ...

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
        knowledge_base_id: str | None = None,
        data_source_id: str | None = None,
    ) -> list[IngestionJob]:
        """Ingestion jobs of the narrowest owner that is named: job, data source, knowledge base, team."""
        ...

    async def record(self, job_row: int, record_id: str) -> RecordRow | None: ...
    async def record_of_team(self, team: str, record_id: str) -> RecordRow | None: ...
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

    async def unresolved_records(self, job_row: int, limit: int, after: int = 0) -> list[RecordRow]: ...
    async def in_flight_records(self, job_row: int, up_to: int, limit: int) -> list[RecordRow]: ...
    async def newest_record(self, job_row: int) -> int:
        """The integer key of a job's newest record, 0 if it has none."""
        ...

    async def running_records(self) -> list[RecordRow]: ...
    async def queue_state(self) -> QueueState:
        """How full the queue is: passes over the queue, never over history."""
        ...

    async def ranks(self, rows: Sequence[RecordRow]) -> dict[int, int]:
        """The ranks in claim order, by row, of those of the records that are claimable."""
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
    async def count_events(self, job_row: int, after: int, limit: int, types: Sequence[EventType] = ()) -> int: ...
    async def milestones_after(self, job_row: int, after: int, limit: int) -> list[TimelineEvent]: ...

    async def feed_after(self, team: str, after: int, limit: int) -> list[FeedEvent]:
        """Milestones and events of the jobs themselves, of all jobs of a team, in the order of their commits."""
        ...

    async def feed_bounds(self, team: str) -> tuple[int, int]:
        """(floor, head) of a team's feed: a cursor below the floor may have missed what is no longer kept."""
        ...

    async def api_key_by_hash(self, secret_hash: bytes) -> ApiKey | None: ...
    async def any_api_key(self) -> bool: ...
    async def api_keys(self) -> list[ApiKey]: ...


class Tx(FileTx, RecordSearchTx, AlignmentTx, KnowledgeTx, Rows, Protocol):
    """Reads and writes inside one transaction. `commit` collects whom to wake."""

    @property
    def commit(self) -> Commit: ...

    async def insert_job(self, job: Job) -> int: ...
    async def update_job(self, job: Job) -> None:
        """Stores all that may change in a job."""
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
        self,
        row_id: int,
        *,
        deleted_at: int | None,
        superseded_by: str | None,
        output_expired_at: int | None,
        sequence: int,
    ) -> None: ...
    async def requeue_record(self, row_id: int, fair_tag: int) -> None: ...
    async def make_claimable(self, row_id: int) -> None: ...
    async def admit(self, team: str) -> None:
        """Lets a team's next records join the queue, as many as its cap leaves room for; does nothing without caps."""
        ...

    async def apply_caps(self) -> None:
        """Sorts all queued records anew into those within and those beyond their team's cap."""
        ...

    async def count_queued(self, team: str, limit: int) -> int:
        """A team's records in the queue, counted up to a limit."""
        ...

    async def records_to_claim(self, limit: int) -> list[RecordRow]: ...
    async def records_due(self, now: int, latest: int, limit: int) -> list[RecordRow]: ...
    async def jobs_listing_file(self, file_row: int) -> list[int]:
        """Rows of the jobs that list this file as Markdown."""
        ...

    async def greatest_queued_tag(self, team: str, priority: int) -> int | None: ...
    async def virtual_time(self, priority: int) -> int: ...
    async def advance_virtual_time(self, priority: int, fair_tag: int) -> None: ...

    async def insert_events(self, job_row: int, team: str, events: Sequence[TimelineEvent]) -> None: ...

    async def share_output(self, file: File, shared: File) -> None:
        """Stores an output that has the bytes of another one."""
        ...

    async def begin_purges(self, now: int, limit: int) -> list[Job]:
        """Deleted jobs whose time is over. Nobody finds them any more, so that none is undeleted half purged."""
        ...

    async def purge_slice(self, job: Job, now: int, limit: int) -> bool:
        """Removes up to `limit` events or records of a deleted job for good, with the files only they name.

        Returns whether the job is gone; until then it is to be called again.
        """
        ...

    async def compact_slice(self, before: int, limit: int) -> int | None:
        """Drops events older than a time that are no milestones, of the settled job that has waited longest.

        Looks at up to `limit` events and moves the job's earliest sequence and the feed's floor along. Returns the
        job's row; None once no job is left to compact.
        """
        ...

    async def outputs_before(self, before: int, after: JobCursor | None, limit: int) -> list[File]:
        """Outputs made before a time, oldest first, after a cursor of (created_at, row)."""
        ...

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

    @property
    def writes_waiting(self) -> int:
        """Units that wait for the next transaction."""
        ...


class LedgerLocked(Exception):
    """Another process owns this ledger."""

    fix = "Stop the server that owns it, or give this one a data folder of its own with --data-dir."
