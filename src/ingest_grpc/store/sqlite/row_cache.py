"""What the writer knows of the ledger without asking, and what it has yet to write into it.

It alone writes jobs, ingestion jobs and records, so what it read or wrote last is what is there: the next transition of
a record reads nothing. And however many units of one transaction change a job, its row is written once, before COMMIT;
events go in together, in their order. Whoever else committed something makes it forget everything.
"""

import sqlite3
from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import TypeAlias, TypeVar

from ingest_grpc.model import IngestionJob, Job
from ingest_grpc.store.claims import RecordRow
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.statements import Row, statements

K = TypeVar("K")
T = TypeVar("T")

_Owed: TypeAlias = tuple[T | None, T]
"""What the ledger has, if that is known, and what it is to have."""

_SETTINGS = attrgetter(
    *("name", "description", "labels", "knowledge_base_id", "system_prompt", "system_prompt_updated_at"),
    *("instructions", "instructions_updated_at", "status", "ever_active", "alignment_job_id", "alignment_status"),
    *("deleted_at", "purge_at"),
)
"""All that may change in a job but its counts; with `in_flight` it decides whether the job is settled."""

MAX_JOBS = 512
MAX_RECORDS = 2_000
"""Some kilobytes each: what is under way at one time, not what there ever was."""

LONG_CHARACTERS = 8 * 1024
MAX_LONG_JOBS = 32
"""Jobs whose prompts have more characters than this, up to half a megabyte each: 16 MiB of them at most."""

OWED = frozenset({"jobs", "ingestion_jobs", "events"})
"""Tables whose rows may be owed: a statement that names one of them is run only after `settle`."""


class RowCache:
    """Rows by their integer keys. Values are immutable; what is here is what the transaction would read.

    `begin` opens each transaction, `settle` comes before each COMMIT and RELEASE, `forget` after each rollback.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.ingestion_jobs: dict[int, IngestionJob] = {}
        self.records: dict[int, RecordRow] = {}
        self._named: dict[str, int] = {}
        self._long: dict[int, None] = {}
        self._owed_jobs: dict[int, _Owed[Job]] = {}
        self._owed_ingestion_jobs: dict[int, _Owed[IngestionJob]] = {}
        self._owed_events: list[Row] = []
        self._version: int | None = None

    def begin(self, connection: sqlite3.Connection) -> None:
        """To be called inside the transaction: another connection's commits are seen by their version."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
            self._version = version
        while len(self._long) > MAX_LONG_JOBS:
            row_id = next(iter(self._long))
            del self._long[row_id]
            self.jobs.pop(row_id, None)
        _trim(self.jobs, MAX_JOBS)
        _trim(self._named, MAX_JOBS)
        _trim(self.ingestion_jobs, MAX_JOBS)
        _trim(self.records, MAX_RECORDS)

    def job_named(self, job_id: str) -> Job | None:
        """The job with this id, if it is known."""
        job = self.jobs.get(self._named.get(job_id, 0))
        return job if job is not None and job.job_id == job_id else None

    def keep_job(self, job: Job) -> Job:
        """Remembers a job that was read; returns it."""
        self.jobs[job.row_id] = job
        self._named[job.job_id] = job.row_id
        if job.prompt_characters > LONG_CHARACTERS:
            self._long[job.row_id] = None
        return job

    def update_job(self, job: Job) -> None:
        """Owes a job's row."""
        _owe(self._owed_jobs, self.jobs, job.row_id, job)
        self.keep_job(job)

    def update_ingestion_job(self, job: IngestionJob) -> None:
        """Owes an ingestion job's row."""
        _owe(self._owed_ingestion_jobs, self.ingestion_jobs, job.row_id, job)
        self.ingestion_jobs[job.row_id] = job

    def insert_events(self, rows: Iterable[Row]) -> None:
        """Owes events."""
        self._owed_events += rows

    def settle(self, connection: sqlite3.Connection) -> None:
        """Writes what is owed. Raises sqlite3.Error; the transaction must be rolled back then."""
        if self._owed_jobs:
            jobs, self._owed_jobs = self._owed_jobs, {}
            _write_jobs(connection, jobs.values())
        if self._owed_ingestion_jobs:
            runs, self._owed_ingestion_jobs = self._owed_ingestion_jobs, {}
            _write_ingestion_jobs(connection, runs.values())
        if self._owed_events:
            events, self._owed_events = self._owed_events, []
            _write_all(connection, "insert_event", events)

    def changed(self, tables: frozenset[str]) -> None:
        """Rows of these tables were changed or removed by a statement that the cache knows nothing of."""
        if "jobs" in tables:
            self.jobs.clear()
            self._named.clear()
            self._long.clear()
        if "ingestion_jobs" in tables:
            self.ingestion_jobs.clear()
        self.records.clear()

    def forget(self) -> None:
        """Nothing is known, nothing is owed."""
        self.jobs.clear()
        self._named.clear()
        self._long.clear()
        self.ingestion_jobs.clear()
        self.records.clear()
        self._owed_jobs.clear()
        self._owed_ingestion_jobs.clear()
        self._owed_events.clear()


def _owe(owed: dict[int, _Owed[T]], known: dict[int, T], row_id: int, value: T) -> None:
    """What is owed takes the place of what was owed before; the ledger still has what it had."""
    earlier = owed.get(row_id)
    owed[row_id] = (known.get(row_id) if earlier is None else earlier[0], value)


def _write_jobs(connection: sqlite3.Connection, owed: Iterable[_Owed[Job]]) -> None:
    whole: list[Row] = []
    counts: list[Row] = []
    settled: list[Row] = []
    for stored, job in owed:
        key = {"row_id": job.row_id}
        if stored is None or _more_than_counts(stored, job):
            whole.append(key | values.changeable_job_columns(job))
            continue
        counts.append(key | values.job_count_columns(job))
        if job.settled:
            settled.append(key | {"updated_at": job.updated_at})
    _write_all(connection, "update_job", whole)
    _write_all(connection, "update_job_counts", counts)
    _write_all(connection, "begin_compaction", settled)


def _more_than_counts(stored: Job, job: Job) -> bool:
    """Whether a job differs in what its row has indexes on, or in what changes seldom."""
    return _SETTINGS(stored) != _SETTINGS(job) or bool(stored.tally.in_flight) != bool(job.tally.in_flight)


def _write_ingestion_jobs(connection: sqlite3.Connection, owed: Iterable[_Owed[IngestionJob]]) -> None:
    whole: list[Row] = []
    counts: list[Row] = []
    for stored, job in owed:
        rows = counts if stored is not None and stored.status is job.status else whole
        rows.append({"row_id": job.row_id, **values.ingestion_job_columns(job)})
    _write_all(connection, "update_ingestion_job", whole)
    _write_all(connection, "update_ingestion_job_counts", counts)


def _write_all(connection: sqlite3.Connection, name: str, rows: Collection[Row]) -> None:
    if not rows:
        return
    statement = statements()[name]
    connection.executemany(statement.positional, map(statement.values, rows))


def _trim(kept: dict[K, T], most: int) -> None:
    """Drops what came first."""
    while len(kept) > most:
        del kept[next(iter(kept))]
