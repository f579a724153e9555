"""All changes of one job in one transaction: the one place where a status changes.

`apply` moves a record along lifecycle.TRANSITIONS, `mark` removes or supersedes one; both write the event
and keep the tallies. `close` derives the statuses of the ingestion jobs and of the job from the tallies,
writes what changed and appends the events. So a status, its event and its counts commit together or not
at all, and `sequence` is 1, 2, 3 … per job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import (
    NOTHING,
    IngestionJobStatus,
    JobType,
    RecordStatus,
    Tally,
    TransitionRefused,
    Trigger,
    contribution,
    ingestion_job_status,
    job_status,
    next_status,
)
from ingest_grpc.model import (
    FEED_KINDS,
    EventType,
    FileRecord,
    FilesChange,
    IngestionJob,
    IngestionJobChange,
    Job,
    JobChange,
    JobFile,
    Milestone,
    RecordChange,
    RecordError,
)
from ingest_grpc.service.alignment_ledger import AlignmentLedger
from ingest_grpc.service.journal import words_of
from ingest_grpc.store.interface import JobStep, NewRecord, RecordRow, Tx

EVENT_OF_TRIGGER = {
    Trigger.ADDED: EventType.RECORD_ADDED,
    Trigger.CLAIMED: EventType.RECORD_CLAIMED,
    Trigger.CANCELLED: EventType.RECORD_CANCELLED,
    Trigger.SUCCEEDED: EventType.RECORD_COMPLETED,
    Trigger.FAILED: EventType.RECORD_FAILED,
    Trigger.FAILED_RETRYABLE: EventType.RECORD_RETRY_SCHEDULED,
    Trigger.ORPHANED: EventType.RECORD_ORPHANED,
    Trigger.REMOVED: EventType.RECORD_REMOVED,
    Trigger.SUPERSEDED: EventType.RECORD_SUPERSEDED,
    Trigger.EXPIRED: EventType.RECORD_EXPIRED,
    Trigger.RETRIED: EventType.RECORD_RETRIED,
    Trigger.REUSED: EventType.RECORD_REUSED,
}

_KEEPS_FILES = frozenset({Trigger.CLAIMED, Trigger.ORPHANED, Trigger.FAILED_RETRYABLE, Trigger.EXPIRED})
"""Triggers after which a job's files are what they were."""

_BY_WORK = frozenset({Trigger.SUCCEEDED, Trigger.FAILED})
"""Triggers that end the work on a record, as opposed to a caller's wish."""


@dataclass(slots=True)
class _Ingestion:
    """An ingestion job under change: as it was, a draft of what it is, and what happened to it in this transaction."""

    before: IngestionJob | None
    now: IngestionJob
    claimed: bool = False
    worked: bool = False

    def set(self, **changes: Any) -> None:
        """Changes the draft in place: it leaves the ledger only once nothing changes any more."""
        self.now.__dict__.update(changes)

    @property
    def changed(self) -> bool:
        return self.before is None or self.now.__dict__ != self.before.__dict__


class JobLedger(AlignmentLedger):
    """One job under change. Use it inside one unit: open, apply and mark, close."""

    def __init__(self, tx: Tx, job: Job, now: int, actor: str, *, created: bool = False) -> None:
        super().__init__(tx, job, now, actor)
        self._before = None if created else job
        self._ingestions: dict[int, _Ingestion] = {}
        if created:
            self._append(EventType.CREATED, lambda: _job_change(self.job, None))

    @classmethod
    async def open(
        cls, tx: Tx, team: str, job_id: str, now: int, actor: str, *, deleted_too: bool = False
    ) -> "JobLedger":
        """Raises JOB_NOT_FOUND, and JOB_DELETED unless `deleted_too`."""
        job = await tx.job(team, job_id)
        if job is None:
            raise IngestError(Reason.JOB_NOT_FOUND, {"job_id": job_id}, resource=("Job", job_id))
        if job.deleted_at is not None and not deleted_too:
            raise IngestError(Reason.JOB_DELETED, {"job_id": job_id}, resource=("Job", job_id))
        return cls(tx, job, now, actor)

    @classmethod
    async def create(cls, tx: Tx, job: Job, actor: str) -> "JobLedger":
        """Inserts the job; its status is whatever `close` derives."""
        row_id = await tx.insert_job(job)
        return cls(tx, job.model_copy(update={"row_id": row_id}), job.created_at, actor, created=True)

    # ── records ────────────────────────────────────────────────────────────────────────────────────────

    async def apply(self, row: RecordRow, trigger: Trigger, *, claimable: bool = False, **changes: Any) -> FileRecord:
        """Moves a record along the table. Raises TransitionRefused when it is not what the caller saw."""
        before = row.record
        sequence = self._next_sequence()
        after = before.model_copy(
            update={**changes, "status": next_status(before.status, trigger), "last_sequence": sequence}
        )
        if not await self.tx.transition_record(before, after, trigger, claimable=claimable):
            raise TransitionRefused(f"{before.record_id} is no longer {before.status} in attempt {before.attempt}")
        ingestion = await self._ingestion(row.ingestion_row)
        ingestion.claimed |= trigger is Trigger.CLAIMED
        ingestion.worked |= trigger in _BY_WORK
        self._count(ingestion, before, after, row.bytes_in)
        self._record_event(sequence, trigger, after, before.status)
        if before.status is RecordStatus.RUNNING and trigger is Trigger.CANCELLED:
            self.tx.commit.stopped.add((row.key, before.attempt))
        if after.status is RecordStatus.QUEUED:
            self.tx.commit.claimable |= claimable
            self.tx.commit.delayed |= not claimable
        return after

    async def mark(self, row: RecordRow, trigger: Trigger, *, superseded_by: str | None = None) -> FileRecord:
        """Removes or supersedes a record, or notes that its output expired; its status stays."""
        before = row.record
        sequence = self._next_sequence()
        after = before.model_copy(
            update={
                "deleted_at": self.now if trigger is Trigger.REMOVED else before.deleted_at,
                "superseded_by": superseded_by or before.superseded_by,
                "output_expired_at": self.now if trigger is Trigger.EXPIRED else before.output_expired_at,
                "last_sequence": sequence,
            }
        )
        await self.tx.mark_record(
            before.row_id,
            deleted_at=after.deleted_at,
            superseded_by=after.superseded_by,
            output_expired_at=after.output_expired_at,
            sequence=sequence,
        )
        self._count(await self._ingestion(row.ingestion_row), before, after, row.bytes_in)
        self._record_event(sequence, trigger, after, before.status)
        return after

    async def add_ingestion_job(self, ingestion_job: IngestionJob) -> IngestionJob:
        row_id = await self.tx.insert_ingestion_job(ingestion_job, self.job.row_id, self.job.team_id)
        added = ingestion_job.model_copy(update={"row_id": row_id})
        self._ingestions[row_id] = _Ingestion(before=None, now=added)
        return added

    async def add_record(self, new: NewRecord) -> FileRecord:
        """Inserts a record, which gets its number here."""
        sequence = self._next_sequence()
        new.record = new.record.model_copy(update={"last_sequence": sequence})
        record = new.record.model_copy(update={"row_id": await self.tx.insert_record(new)})
        self._count(await self._ingestion(new.ingestion_row), None, record, new.bytes_in)
        self._record_event(sequence, new.trigger, record, None)
        if self.job.job_type is not JobType.KNOWLEDGE_BASE:  # that one says so itself: `filled`
            self._set(ever_active=True)
        self.tx.commit.claimable |= record.status is RecordStatus.QUEUED
        return record

    # ── the job itself ─────────────────────────────────────────────────────────────────────────────────

    def files_changed(self, added: Sequence[JobFile] = (), removed: Sequence[JobFile] = ()) -> None:
        """Markdown that needs no ingestion came or went: at most MAX_CHANGED_FILES."""
        if added or removed:
            self._set(
                markdown_files=self.job.markdown_files + len(added) - len(removed),
                ever_active=True,
                files_sequence=self.job.last_sequence + 1,
            )
            kind = EventType.FILES_ADDED if added else EventType.FILES_REMOVED
            change = FilesChange(added=tuple(added), removed=tuple(removed))
            self._append(kind, lambda: change, count=len(added) + len(removed))

    def filled(self) -> None:
        """A job of type KNOWLEDGE_BASE has all its files, or gets no more; until then it is not settled."""
        self._set(ever_active=True)

    def cancel_requested(self, requested: bool) -> None:
        """CancelJob was the last command, or another one lifted it."""
        self._set(cancelled=requested)
        if requested and self.job.facts.filling:
            self.filled()

    def update(self, changes: Mapping[str, Any]) -> None:
        """A caller changed what callers may set; nothing happens where nothing differs."""
        changed = [name for name, value in changes.items() if getattr(self.job, name) != value]
        if changed:
            times = {f"{name}_updated_at": self.now for name in changed if name in ("system_prompt", "instructions")}
            before: dict[str, Any] = {}
            if not {"labels", "knowledge_base_id"}.isdisjoint(changed):
                before["labels_before"] = self.job.labels
                before["knowledge_base_before"] = self.job.knowledge_base_id or ""
            self._set(**{name: changes[name] for name in changed}, **times)
            self._append(
                EventType.JOB_UPDATED,
                lambda: _job_change(self.job, None).model_copy(update=before),
                fields=", ".join(changed),
            )

    def delete(self, purge_at: int) -> None:
        """Hides the job until it is purged."""
        self._set(deleted_at=self.now, purge_at=purge_at)
        self._append(EventType.JOB_DELETED, lambda: _job_change(self.job, None))

    def undelete(self) -> None:
        """Takes the deletion back."""
        self._set(deleted_at=None, purge_at=None)
        self._append(EventType.JOB_UNDELETED, lambda: _job_change(self.job, None))

    # ── what a recount found ───────────────────────────────────────────────────────────────────────────

    async def correct_ingestion_job(
        self, row_id: int, tally: Tally, *, pages: int, bytes_in: int, chunks_created: int
    ) -> None:
        """Sets what an ingestion job counts; `close` derives the rest and tells watchers of a new status."""
        ingestion = await self._ingestion(row_id)
        ingestion.set(tally=tally, pages=pages, bytes_in=bytes_in, chunks_created=chunks_created)

    def correct_job(
        self, tally: Tally, *, markdown_files: int, expired_outputs: int, archives: int, chunks_created: int
    ) -> None:
        """Sets what the job counts."""
        has_some = bool(tally.total or markdown_files) and self.job.job_type is not JobType.KNOWLEDGE_BASE
        self._set(
            tally=tally,
            markdown_files=markdown_files,
            expired_outputs=expired_outputs,
            archives=archives,
            chunks_created=chunks_created,
            ever_active=self.job.ever_active or has_some,  # a job of that type says so itself: `filled`
        )

    async def close(self) -> Job:
        """Derives, writes and appends; to be called once, last."""
        if self._ingestions:
            await self.tx.admit(self.job.team_id)
        for row_id in sorted(self._ingestions):
            await self._close_ingestion(self._ingestions[row_id])
        if self._before is not None and self._before.files_sequence != self.job.files_sequence:
            self.check_files_open()
            await self.retire_alignment()
        self._set(status=job_status(self.job.facts))
        if self._before is not None and self._before.status is not self.job.status:
            previous = self._before.status
            status = words_of(self.job.status)
            self._append(EventType.JOB_CHANGED, lambda: _job_change(self.job, previous), status=status)
        if self._pending or self._before is None or self.job.__dict__ != self._before.__dict__:
            self._set(updated_at=self.now)
            await self.tx.update_job(self.job)
            self.tx.commit.jobs.add(self.job.row_id)
            self.tx.commit.lists.add(self.job.team_id)
        if self._pending:
            events = self._events()
            await self.tx.insert_events(self.job.row_id, self.job.team_id, events)
            self.tx.commit.events += events
            self.tx.commit.steps.append(JobStep(self.job, events))
            if any(event.kind in FEED_KINDS for event in events):
                self.tx.commit.teams.add(self.job.team_id)
        return self.job

    async def _close_ingestion(self, ingestion: _Ingestion) -> None:
        before, now = ingestion.before, ingestion.now
        first_claim = ingestion.claimed and now.started_at is None
        started_at = self.now if first_claim else now.started_at
        in_flight = now.tally.in_flight
        status = ingestion_job_status(now.tally, ever_claimed=started_at is not None)
        ingestion.set(
            started_at=started_at,
            completed_at=None if in_flight else now.completed_at or self.now,
            status=status,
            error=await self._first_error(now.row_id) if status is IngestionJobStatus.FAILED else None,
        )
        if before is None or before.status is not status:
            sequence = self._append(
                EventType.INGESTION_JOB_CHANGED,
                lambda: IngestionJobChange(ingestion_job=now, previous_status=before and before.status),
                status=words_of(status),
            )
            ingestion.set(last_sequence=sequence)
        if first_claim:
            self._append(EventType.FILE_PROCESSING_STARTED, lambda: _milestone(now))
        if ingestion.worked and not in_flight and before is not None and before.tally.in_flight:
            self._append(EventType.FILE_PROCESSING_COMPLETED, lambda: _milestone(now))
        if ingestion.changed:
            await self.tx.update_ingestion_job(now)

    # ── bookkeeping ────────────────────────────────────────────────────────────────────────────────────

    async def _ingestion(self, row_id: int) -> _Ingestion:
        if row_id not in self._ingestions:
            ingestion_job = await self.tx.ingestion_job_by_row(row_id)
            self._ingestions[row_id] = _Ingestion(before=ingestion_job, now=ingestion_job.model_copy())
        return self._ingestions[row_id]

    async def _first_error(self, ingestion_row: int) -> RecordError | None:
        """What the first failed live record of an ingestion job says."""
        failed = await self.tx.records(ingestion_row=ingestion_row, statuses=(RecordStatus.FAILED,), limit=1)
        return failed[0].record.error if failed else None

    def _count(self, ingestion: _Ingestion, before: FileRecord | None, after: FileRecord, bytes_in: int) -> None:
        """Adds the difference that one record makes, to its ingestion job and to its job."""
        was, is_ = _share(before), _share(after)
        job, now = self.job, ingestion.now
        difference = _difference(was.tally, is_.tally)
        ingestion.set(tally=now.tally.plus(difference))
        self._set(tally=job.tally.plus(difference))
        if was.others == is_.others:
            return
        pages, chunks, live, expired, archives = (b - a for a, b in zip(was.others, is_.others, strict=True))
        ingestion.set(
            pages=now.pages + pages,
            bytes_in=now.bytes_in + live * bytes_in,
            chunks_created=now.chunks_created + chunks,
        )
        self._set(
            expired_outputs=job.expired_outputs + expired,
            archives=job.archives + archives,
            chunks_created=job.chunks_created + chunks,
        )

    def _record_event(self, sequence: int, trigger: Trigger, record: FileRecord, previous: RecordStatus | None) -> None:
        if trigger not in _KEEPS_FILES:
            self._set(files_sequence=sequence)
        change = RecordChange.trusted(record=record, previous_status=previous)
        words = {"filename": record.filename, "error": record.error.message if record.error else ""}
        self._pending.append(self._happened(sequence, EVENT_OF_TRIGGER[trigger], trigger, change, words))


@cache
def _difference(before: Tally, after: Tally) -> Tally:
    """There are few contributions, and so few differences between two."""
    return after.plus(before, sign=-1)


class _Share(NamedTuple):
    """What one record adds to the counts above it; `others` are pages, chunks, live records, live ones whose output
    expired, and completed archives whose output is still there."""

    tally: Tally
    others: tuple[int, int, int, int, int]


_NO_SHARE = _Share(NOTHING, (0, 0, 0, 0, 0))


def _share(record: FileRecord | None) -> _Share:
    if record is None or record.deleted_at is not None:
        return _NO_SHARE
    expired = record.output_expired_at is not None
    listing = record.is_archive and not expired
    tally = contribution(record.status, deleted=False, superseded=record.superseded_by is not None)
    return _Share(tally, (record.pages or 0, record.chunks_created or 0, 1, int(expired), int(listing)))


def _job_change(job: Job, previous: Any) -> JobChange:
    """A job as its event shows it: long texts stay out of the log."""
    slim = job.model_copy(update={"system_prompt": "", "instructions": "", "description": "", "labels": {}})
    return JobChange(job=slim, previous_status=previous)


def _milestone(ingestion_job: IngestionJob) -> Milestone:
    return Milestone(
        ingestion_job_id=ingestion_job.ingestion_job_id,
        status=ingestion_job.status,
        record_count=ingestion_job.tally.total,
    )
