"""What the ledger should believe, in plain Python: jobs, runs, records, one queue, and a count of events.

It knows no database, no transaction and no index; it recounts everything from its lists whenever it is asked.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ingest_grpc.lifecycle import IN_FLIGHT, RecordStatus
from ingest_grpc.service.queue import STEP

QUEUED, RUNNING, COMPLETED = RecordStatus.QUEUED, RecordStatus.RUNNING, RecordStatus.COMPLETED
FAILED, CANCELLED = RecordStatus.FAILED, RecordStatus.CANCELLED
MAX_FAILURES, MAX_ORPHANED = 2, 3


@dataclass(eq=False, repr=False)
class Record:
    """One file of one run. `number` is its place among all records that were ever added, `tag` that in the queue."""

    job: "Job"
    run: "Run"
    record_id: str
    name: str
    number: int
    tag: int
    replaces: "Record | None" = None
    status: RecordStatus = QUEUED
    attempt: int = 0
    failures: int = 0
    orphaned: int = 0
    delayed: bool = False
    deleted: bool = False
    superseded: bool = False

    @property
    def unresolved(self) -> bool:
        return self.status in (FAILED, CANCELLED) and not self.deleted and not self.superseded


@dataclass(eq=False)
class Run:
    """One ingestion job. `told` is the status that its last event told."""

    records: list[Record] = field(default_factory=list)
    claimed: bool = False
    told: str | None = None

    @property
    def live(self) -> list[Record]:
        return [record for record in self.records if not record.deleted]

    @property
    def status(self) -> str:
        found = {record.status for record in self.live}
        if found & IN_FLIGHT:
            return "RUNNING" if self.claimed else "QUEUED"
        if COMPLETED in found:
            return "COMPLETED" if found == {COMPLETED} else "PARTIALLY_COMPLETED"
        return "FAILED" if FAILED in found else "CANCELLED"

    @property
    def in_flight(self) -> int:
        return sum(record.status in IN_FLIGHT for record in self.live)


@dataclass(eq=False, repr=False)
class Job:
    """`sequence` counts the events that it must have."""

    team: str
    job_id: str
    runs: dict[str, Run] = field(default_factory=dict)
    markdown: int = 0
    cancelled: bool = False
    deleted: bool = False
    name: str = "job"
    sequence: int = 1

    @property
    def live(self) -> list[Record]:
        return [record for run in self.runs.values() for record in run.live]

    @property
    def unresolved(self) -> list[Record]:
        return [record for record in self.live if record.unresolved]

    @property
    def in_flight(self) -> list[Record]:
        return [record for record in self.live if record.status in IN_FLIGHT]

    @property
    def status(self) -> str:
        if self.in_flight:
            return "FILE_PROCESSING"
        if self.cancelled:
            return "CANCELLED"
        viable = self.markdown + sum(record.status is COMPLETED for record in self.live)
        return "READY_TO_START" if viable and not self.unresolved else "NEEDS_REVIEW"

    def counts(self) -> dict[RecordStatus, int]:
        """Live records by status; those that there are none of are left out."""
        statuses = [record.status for record in self.live]
        return {status: statuses.count(status) for status in RecordStatus if status in statuses}


class Model:
    """All jobs of all teams, and the one queue."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.records: dict[str, Record] = {}
        self.virtual_time = 0

    # ── the queue ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def line(self) -> list[Record]:
        """What can be claimed, in the order in which it will be."""
        waiting = [record for record in self.records.values() if record.status is QUEUED and not record.delayed]
        return sorted(waiting, key=lambda record: (record.tag, record.number))

    def positions(self, job: Job) -> dict[str, int]:
        return {record.record_id: place for place, record in enumerate(self.line, start=1) if record.job is job}

    def next_tag(self, team: str) -> int:
        """Behind the team's own last one, but never before the clock of the queue."""
        own = [one.tag for one in self.records.values() if one.status is QUEUED and one.job.team == team]
        return max(self.virtual_time, *own, 0) + STEP

    # ── one transaction ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def change(self, *records: Record, job: Job | None = None, worked: bool = False) -> Iterator[None]:
        """What follows from a change of these records, all of one job, or of the job itself.

        `worked` says that it is the outcome of work, and not a caller's wish.
        """
        job = job or records[0].job
        before, runs = job.status, {record.run: record.run.in_flight for record in records}
        for record in records:  # what it resolves may stand in another run
            if record.replaces is not None:
                runs.setdefault(record.replaces.run, record.replaces.run.in_flight)
        claimed = {run for run in runs if run.claimed}
        yield
        for run, in_flight in runs.items():
            if run.status != run.told:
                job.sequence, run.told = job.sequence + 1, run.status
            job.sequence += run.claimed and run not in claimed
            job.sequence += worked and bool(in_flight) and not run.in_flight
        job.sequence += job.status != before

    def move(self, record: Record, status: RecordStatus) -> None:
        """One transition: one event."""
        record.status, record.delayed = status, False
        record.job.sequence += 1

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    def create(self, team: str, job_id: str) -> None:
        self.jobs[job_id] = Job(team, job_id)

    def add(self, job: Job, run_id: str | None, added: Sequence[tuple[str | None, str]]) -> None:
        """Files by (record id, name) in one call; Markdown has no record, and resolves what it replaces at once."""
        names = [name for _, name in added]
        replaced = [self._named(job, name) if names.count(name) == 1 else None for name in names]
        pairs = list(zip(added, replaced, strict=True))
        resolved = [record for (record_id, _), record in pairs if record_id is None and record is not None]
        markdown = sum(record_id is None for record_id, _ in added)
        with self.change(*resolved, job=job):
            job.cancelled = False
            job.markdown += markdown
            job.sequence += bool(markdown)
            for record in resolved:
                self.supersede(record)
            if run_id is not None:
                job.runs[run_id] = Run()
                new = [(record_id, name, old) for (record_id, name), old in pairs if record_id is not None]
                self._add_records(job, job.runs[run_id], new)

    def _add_records(self, job: Job, run: Run, new: Sequence[tuple[str, str, Record | None]]) -> None:
        for record_id, name, replaces in new:
            tag = self.next_tag(job.team)
            record = Record(job, run, record_id, name, len(self.records), tag, replaces)
            self.records[record_id] = record
            run.records.append(record)
        run.told = run.status
        job.sequence += len(new) + 1  # each record, and the run that began

    def _named(self, job: Job, name: str) -> Record | None:
        """The only unresolved record of this name."""
        found = [record for record in job.unresolved if record.name == name]
        return found[0] if len(found) == 1 else None

    def supersede(self, record: Record) -> None:
        record.superseded = True
        record.job.sequence += 1

    def cancel(self, job: Job) -> int:
        """Returns how many records it cancels."""
        own = job.in_flight
        with self.change(*own, job=job):
            job.cancelled = True
            for record in own:
                self.move(record, CANCELLED)
        return len(own)

    def remove(self, record: Record) -> None:
        with self.change(record):
            if record.status in IN_FLIGHT:
                self.move(record, CANCELLED)
            record.deleted = True
            record.job.sequence += 1

    def retry(self, job: Job, wanted: Iterable[Record]) -> list[Record]:
        """Those of them that are retried."""
        retried = [record for record in wanted if record.unresolved]
        with self.change(*retried, job=job):
            job.cancelled = job.cancelled and not retried
            for record in retried:
                record.tag = self.next_tag(job.team)
                record.failures = record.orphaned = 0
                self.move(record, QUEUED)
        return retried

    def delete(self, job: Job) -> None:
        if not job.deleted:
            own = job.in_flight
            with self.change(*own, job=job):
                job.cancelled = job.deleted = True
                for record in own:
                    self.move(record, CANCELLED)
                job.sequence += 1

    def undelete(self, job: Job) -> None:
        job.sequence += job.deleted
        job.deleted = False

    def rename(self, job: Job, name: str) -> None:
        job.sequence += job.name != name
        job.name = name

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    def claim(self, limit: int) -> list[Record]:
        first = self.line[:limit]
        for job in {record.job for record in first}:
            own = [record for record in first if record.job is job]
            with self.change(*own):
                for record in own:
                    record.attempt, record.run.claimed = record.attempt + 1, True
                    self.move(record, RUNNING)
        self.virtual_time = max([self.virtual_time, *(record.tag for record in first)])
        return first

    def is_current(self, record: Record, attempt: int) -> bool:
        return record.status is RUNNING and record.attempt == attempt

    def succeed(self, record: Record) -> None:
        with self.change(record, worked=True):
            self.move(record, COMPLETED)
            if record.replaces is not None and record.replaces.unresolved:
                self.supersede(record.replaces)

    def fail(self, record: Record, *, outage: bool, retryable: bool) -> None:
        """An attempt that ended badly, by an outage of the service or by the record's own fault."""
        failures, orphaned = record.failures + (not outage), record.orphaned + outage
        again = retryable and failures < MAX_FAILURES and orphaned <= MAX_ORPHANED
        with self.change(record, worked=not again):
            record.failures, record.orphaned = failures, orphaned
            self.move(record, QUEUED if again else FAILED)
            record.delayed = again

    def orphan(self, records: Sequence[Record]) -> None:
        """Their worker is gone; all of one transaction."""
        for job in {record.job for record in records}:
            own = [record for record in records if record.job is job]
            lost = [record for record in own if record.orphaned == MAX_ORPHANED]
            # A run is worked on to its end only where one of its own records failed.
            for run in {record.run for record in own}:
                of_run = [record for record in own if record.run is run]
                with self.change(*of_run, worked=any(record in lost for record in of_run)):
                    for record in of_run:
                        record.orphaned += 1
                        self.move(record, FAILED if record in lost else QUEUED)
