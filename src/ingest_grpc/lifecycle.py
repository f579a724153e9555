"""The one table of what may become of a record, and how the statuses above it follow from it.

TRANSITIONS is the only place that says which trigger leads from which status to which. The function that
changes statuses consults it, the database guard and its CHECK constraints are generated from it, and
docs/lifecycle.md and the tests are derived from it. The roll-ups below it are pure functions of counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class RecordStatus(StrEnum):
    """Where one file of one ingestion job stands."""

    QUEUED = "QUEUED"  # to RUNNING by a claim, to CANCELLED by a caller
    RUNNING = (
        "RUNNING"  # to COMPLETED or FAILED by its outcome, to CANCELLED by a caller, to QUEUED by a retry or the reaper
    )
    COMPLETED = "COMPLETED"  # final
    FAILED = "FAILED"  # to QUEUED by a caller who retries it
    CANCELLED = "CANCELLED"  # to QUEUED by a caller who retries it


class IngestionJobStatus(StrEnum):
    """Where one ingestion run stands; derived by `ingestion_job_status`."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class JobStatus(StrEnum):
    """Where a job stands; derived by `job_status`. The last four but CANCELLED mirror an alignment."""

    FILE_PROCESSING = "FILE_PROCESSING"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    READY_TO_START = "READY_TO_START"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL_JOB_STATUSES = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})


class JobType(StrEnum):
    """What a job is for, and so what it needs before it can start."""

    PRINCIPLE_FILES = "PRINCIPLE_FILES"
    CONTEXT_GROUNDED_FILES = "CONTEXT_GROUNDED_FILES"
    CONTEXT_GROUNDED_VECTOR_DB = "CONTEXT_GROUNDED_VECTOR_DB"  # uses a knowledge base, and may feed it
    KNOWLEDGE_BASE = "KNOWLEDGE_BASE"  # feeds a knowledge base; never started


FEEDS_KNOWLEDGE_BASE = frozenset({JobType.CONTEXT_GROUNDED_VECTOR_DB, JobType.KNOWLEDGE_BASE})
"""Types of jobs whose files become searchable."""


class Step(StrEnum):
    """The part of the work in which a record is, or in which it failed."""

    FETCH = "FETCH"
    PARSE = "PARSE"
    CHUNK = "CHUNK"
    EMBED = "EMBED"
    INDEX = "INDEX"
    STORE = "STORE"


class AlignmentEngine(StrEnum):
    """What makes a dataset of a job's files."""

    ASSEMBLE = "ASSEMBLE"
    GENERATE = "GENERATE"


class AlignmentStep(StrEnum):
    """The part of the work in which an alignment is, or in which it failed."""

    SPLIT = "SPLIT"
    GENERATE = "GENERATE"
    STORE = "STORE"


class WaitReason(StrEnum):
    """Why a queued record cannot be claimed now."""

    BACK_OFF = "BACK_OFF"
    TEAM_CAP = "TEAM_CAP"


class Trigger(StrEnum):
    """What causes a change of a record."""

    ADDED = "ADDED"
    CLAIMED = "CLAIMED"
    CANCELLED = "CANCELLED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAILED_RETRYABLE = "FAILED_RETRYABLE"
    ORPHANED = "ORPHANED"
    REMOVED = "REMOVED"
    SUPERSEDED = "SUPERSEDED"
    RETRIED = "RETRIED"
    REUSED = "REUSED"
    EXPIRED = "EXPIRED"


TRANSITIONS: Mapping[tuple[RecordStatus | None, Trigger], RecordStatus] = {
    (None, Trigger.ADDED): RecordStatus.QUEUED,
    (None, Trigger.REUSED): RecordStatus.COMPLETED,
    (RecordStatus.QUEUED, Trigger.CLAIMED): RecordStatus.RUNNING,
    (RecordStatus.QUEUED, Trigger.CANCELLED): RecordStatus.CANCELLED,
    (RecordStatus.RUNNING, Trigger.CANCELLED): RecordStatus.CANCELLED,
    (RecordStatus.RUNNING, Trigger.SUCCEEDED): RecordStatus.COMPLETED,
    (RecordStatus.RUNNING, Trigger.FAILED): RecordStatus.FAILED,
    (RecordStatus.RUNNING, Trigger.FAILED_RETRYABLE): RecordStatus.QUEUED,
    (RecordStatus.RUNNING, Trigger.ORPHANED): RecordStatus.QUEUED,
    (RecordStatus.FAILED, Trigger.RETRIED): RecordStatus.QUEUED,
    (RecordStatus.CANCELLED, Trigger.RETRIED): RecordStatus.QUEUED,
}
"""(status before, trigger) to status after. What is not here is refused."""

IN_FLIGHT = frozenset({RecordStatus.QUEUED, RecordStatus.RUNNING})
FROZEN_BY = IN_FLIGHT | {RecordStatus.COMPLETED}
"""Statuses of the current alignment in which the job's files cannot change."""


class TransitionRefused(Exception):
    """The table has no such transition: the caller saw an older state, or holds an older attempt."""


def next_status(status: RecordStatus | None, trigger: Trigger) -> RecordStatus:
    """The status that `trigger` leads to from `status`. Raises TransitionRefused."""
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise TransitionRefused(f"{trigger} does not apply to a record that is {status}") from None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many live records of a job or an ingestion job have each status, and what they add up to.

    `unresolved` counts live failed and cancelled records that nothing has superseded. All values count
    rows; they are kept by adding the difference that one changed record makes.
    """

    queued: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    unresolved: int = 0

    @property
    def in_flight(self) -> int:
        return self.queued + self.running

    @property
    def total(self) -> int:
        return self.queued + self.running + self.completed + self.failed + self.cancelled

    def of(self, status: RecordStatus) -> int:
        """Live records with this status."""
        return int(getattr(self, status.lower()))

    def plus(self, other: "Tally", sign: int = 1) -> "Tally":
        return Tally(
            self.queued + sign * other.queued,
            self.running + sign * other.running,
            self.completed + sign * other.completed,
            self.failed + sign * other.failed,
            self.cancelled + sign * other.cancelled,
            self.unresolved + sign * other.unresolved,
        )


NOTHING = Tally()
_ONE = {status: replace(NOTHING, **{status.lower(): 1}) for status in RecordStatus}
_ONE_UNRESOLVED = {
    status: replace(_ONE[status], unresolved=1) for status in (RecordStatus.FAILED, RecordStatus.CANCELLED)
}


def contribution(status: RecordStatus, *, deleted: bool, superseded: bool) -> Tally:
    """What one record adds to the tallies of its job and its ingestion job."""
    if deleted:
        return NOTHING
    if superseded:
        return _ONE[status]
    return _ONE_UNRESOLVED.get(status, _ONE[status])


def ingestion_job_status(tally: Tally, *, ever_claimed: bool) -> IngestionJobStatus:
    """The status of an ingestion job, from its live records."""
    if tally.in_flight:
        return IngestionJobStatus.RUNNING if ever_claimed else IngestionJobStatus.QUEUED
    if tally.completed:
        whole = tally.completed == tally.total
        return IngestionJobStatus.COMPLETED if whole else IngestionJobStatus.PARTIALLY_COMPLETED
    return IngestionJobStatus.FAILED if tally.failed else IngestionJobStatus.CANCELLED


def is_settled(tally: Tally, alignment: RecordStatus | None, *, ever_active: bool) -> bool:
    """Whether nothing is in flight although something ever happened."""
    return ever_active and not (tally.queued or tally.running or alignment in IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """All that a job's status depends on.

    `markdown_files` counts Markdown that skipped ingestion, `archives` the completed records whose output lists the
    members of an archive and is no document, `expired_outputs` the completed records whose output
    was not kept that long; `cancelled` says that CancelJob was the last command; `ever_active` that a file was ever
    added or the job started, or of the type KNOWLEDGE_BASE that all its files were added. `alignment` is the status of
    the current alignment, the one that was started last, unless it is history.
    """

    job_type: JobType
    tally: Tally = NOTHING
    markdown_files: int = 0
    has_system_prompt: bool = False
    has_knowledge_base: bool = False
    cancelled: bool = False
    ever_active: bool = False
    alignment: RecordStatus | None = None
    expired_outputs: int = 0
    archives: int = 0

    @property
    def in_flight(self) -> bool:
        """Whether a record or the alignment is queued or running."""
        return bool(self.tally.in_flight) or self.alignment in IN_FLIGHT

    @property
    def filling(self) -> bool:
        """Whether the server is still adding the files of a sync, which takes several transactions."""
        return self.job_type is JobType.KNOWLEDGE_BASE and not self.ever_active

    @property
    def files_frozen(self) -> bool:
        """Whether an alignment reads the files or was made of them."""
        return self.alignment in FROZEN_BY

    @property
    def viable_files(self) -> int:
        return self.tally.completed - self.expired_outputs - self.archives + self.markdown_files

    @property
    def settled(self) -> bool:
        """Nothing is in flight although something ever happened."""
        return is_settled(self.tally, self.alignment, ever_active=self.ever_active)

    @property
    def misses_viable_file(self) -> bool:
        return self.viable_files == 0 and self.job_type not in FEEDS_KNOWLEDGE_BASE

    @property
    def misses_system_prompt(self) -> bool:
        return self.job_type is JobType.PRINCIPLE_FILES and not self.has_system_prompt

    @property
    def misses_knowledge_base(self) -> bool:
        return self.job_type is JobType.CONTEXT_GROUNDED_VECTOR_DB and not self.has_knowledge_base

    @property
    def reviews(self) -> int:
        """How many things need a hand; while an alignment is current, none."""
        if self.alignment is not None:
            return 0
        missing = self.misses_viable_file + self.misses_system_prompt + self.misses_knowledge_base
        return self.tally.unresolved + missing


def job_status(facts: JobFacts) -> JobStatus:
    """The status of a job: the first line that applies."""
    if facts.alignment is not None:
        return JobStatus(facts.alignment.value)
    if facts.tally.in_flight or facts.filling:
        return JobStatus.FILE_PROCESSING
    if facts.cancelled:
        return JobStatus.CANCELLED
    if facts.job_type is JobType.KNOWLEDGE_BASE:
        return JobStatus.FAILED if facts.tally.failed and not facts.tally.completed else JobStatus.COMPLETED
    if facts.reviews:
        return JobStatus.NEEDS_REVIEW
    return JobStatus.READY_TO_START
