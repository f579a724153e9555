"""What is not kept for ever: the events of settled jobs, and the outputs of settled jobs where a setting says so.

Everything goes in small transactions, so that nobody waits for it, and what is interrupted goes on where it stopped.
"""

from collections import defaultdict
from functools import partial

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.lifecycle import Trigger
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import JobCursor, RecordRow, Store, Tx

DAY = 86_400 * MICROSECONDS
EVENTS_PER_SLICE = 2_000
OUTPUTS_PER_SLICE = 200
ACTOR = "retention"
"""Who the events of expired outputs name."""


class Retention:
    """Compacts events and deletes outputs. `output_days` None keeps outputs as long as their jobs."""

    def __init__(self, store: Store, clock: Clock, *, event_days: float, output_days: float | None) -> None:
        self._store = store
        self._clock = clock
        self._event_age = round(event_days * DAY)
        self._output_age = None if output_days is None else round(output_days * DAY)

    async def compact_events(self) -> int:
        """Drops old events that are no milestones; returns in how many transactions.

        An event goes once it and the settling of its job are older than the setting. The job's earliest sequence
        moves in the same transaction, so that no reader ever takes a gap for the whole log.
        """
        before = self._clock.now() - self._event_age
        slices = 0
        while await self._store.write(partial(_compact_slice, before=before)):
            slices += 1
        return slices

    async def expire_outputs(self) -> int:
        """Deletes outputs of settled jobs that are older than the setting; returns how many."""
        if self._output_age is None:
            return 0
        now, expired = self._clock.now(), 0
        after: JobCursor | None = None
        while True:
            work = partial(_expire_slice, before=now - self._output_age, after=after, now=now)
            count, after = await self._store.write(work)
            expired += count
            if after is None:
                return expired


async def _compact_slice(tx: Tx, before: int) -> bool:
    job_row = await tx.compact_slice(before, EVENTS_PER_SLICE)
    if job_row is not None:
        tx.commit.jobs.add(job_row)  # heartbeats tell the earliest sequence
    return job_row is not None


async def _expire_slice(tx: Tx, before: int, after: JobCursor | None, now: int) -> tuple[int, JobCursor | None]:
    """(how many outputs were deleted, where to go on or None at the end)."""
    outputs = await tx.outputs_before(before, after, OUTPUTS_PER_SLICE)
    by_job: dict[int, list[RecordRow]] = defaultdict(list)
    for file in outputs:
        # A dataset has no record, and a clone lists the outputs of its origin as Markdown of its own: both are kept.
        row = await tx.record_of_output(file.team_id, file.file_id)
        if row is not None and not await tx.jobs_listing_file(file.row_id):
            by_job[row.job_row].append(row)
    expired = 0
    for job_row, rows in by_job.items():
        expired += await _expire(tx, job_row, rows, now)
    last = outputs[-1] if len(outputs) == OUTPUTS_PER_SLICE else None
    return expired, None if last is None else (last.created_at, last.row_id)


async def _expire(tx: Tx, job_row: int, rows: list[RecordRow], now: int) -> int:
    """Deletes outputs of one job, if it is settled; its records stay as they ended."""
    job = await tx.job_by_row(job_row)
    if not job.facts.settled:
        return 0
    ledger = JobLedger(tx, job, now, ACTOR)
    for row in rows:
        file = await tx.file(row.record.team_id, row.record.output_file_id)
        if file is not None:
            await ledger.mark(row, Trigger.EXPIRED)
            await tx.delete_file(file, now)
    await ledger.close()
    return len(rows)
