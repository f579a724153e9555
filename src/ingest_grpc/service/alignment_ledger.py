"""What a job's ledger does with alignments: start, move along the table, make history. Part of JobLedger."""

from typing import Any

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus, TransitionRefused, Trigger, next_status
from ingest_grpc.model import AlignmentChange, AlignmentJob, EventType
from ingest_grpc.service.journal import Journal, Pending
from ingest_grpc.store.alignment_interface import AlignmentRow

EVENT_OF_ALIGNMENT = {
    Trigger.ADDED: EventType.ALIGNMENT_ADDED,
    Trigger.CLAIMED: EventType.ALIGNMENT_CLAIMED,
    Trigger.SUCCEEDED: EventType.ALIGNMENT_COMPLETED,
    Trigger.FAILED: EventType.ALIGNMENT_FAILED,
    Trigger.FAILED_RETRYABLE: EventType.ALIGNMENT_RETRY_SCHEDULED,
    Trigger.ORPHANED: EventType.ALIGNMENT_ORPHANED,
    Trigger.CANCELLED: EventType.ALIGNMENT_CANCELLED,
}


class AlignmentLedger(Journal):
    """The alignments of a job under change; the status of the current one is the job's."""

    def check_files_open(self) -> None:
        """Raises JOB_STARTED while the current alignment reads the job's files or was made of them."""
        if self.job.facts.files_frozen:
            raise job_started(self.job.job_id, self.job.alignment_job_id, self.job.alignment_status)

    async def start_alignment(self, alignment: AlignmentJob, fair_tag: int) -> AlignmentJob:
        """Makes an alignment the current one; a failed or cancelled one becomes history."""
        await self.retire_alignment()
        alignment = alignment.model_copy(update={"last_sequence": self._next_sequence()})
        row_id = await self.tx.insert_alignment(
            alignment, Trigger.ADDED, job_row=self.job.row_id, priority=self.job.priority, fair_tag=fair_tag
        )
        self._set(alignment_job_id=alignment.alignment_job_id, ever_active=True, cancelled=False)
        self._changed(Trigger.ADDED, alignment, None)
        self.tx.commit.claimable = True
        return alignment.model_copy(update={"row_id": row_id})

    async def apply_alignment(
        self, row: AlignmentRow, trigger: Trigger, *, claimable: bool = False, **changes: Any
    ) -> AlignmentJob:
        """Moves an alignment along the table. Raises TransitionRefused when it is not what the caller saw."""
        before = row.alignment
        status = next_status(before.status, trigger)
        after = before.model_copy(update={**changes, "status": status, "last_sequence": self._next_sequence()})
        if not await self.tx.transition_alignment(before, after, trigger, claimable=claimable):
            raise TransitionRefused(
                f"{before.alignment_job_id} is no longer {before.status} in attempt {before.attempt}"
            )
        self._changed(trigger, after, before.status)
        if before.status is RecordStatus.RUNNING and trigger is Trigger.CANCELLED:
            self.tx.commit.stopped.add((row.key, row.attempt))
        if after.status is RecordStatus.QUEUED:
            self.tx.commit.claimable |= claimable
            self.tx.commit.delayed |= not claimable
        return after

    async def cancel_alignment(self) -> bool:
        """Cancels the current alignment if it is queued or running; its work is stopped after the commit."""
        row = await self.tx.current_alignment(self.job.row_id)
        if row is None or not self.job.facts.in_flight:
            return False
        await self.apply_alignment(
            row, Trigger.CANCELLED, cancelled_at=self.now, worker_id=None, next_attempt_at=None, wait_reason=None
        )
        return True

    async def retire_alignment(self) -> None:
        """The current alignment, which failed or was cancelled, becomes history; nothing happens without one."""
        row = None if self.job.alignment_job_id is None else await self.tx.current_alignment(self.job.row_id)
        if row is None:
            return
        retired = row.alignment.model_copy(update={"retired_at": self.now, "last_sequence": self._next_sequence()})
        await self.tx.retire_alignment(retired.row_id, self.now, retired.last_sequence)
        self._set(alignment_job_id=None, alignment_status=None)
        self._note(EventType.ALIGNMENT_RETIRED, None, retired, retired.status)

    def correct_alignment(self, current: AlignmentJob | None) -> None:
        """Sets what a recount found to be the current alignment."""
        self._set(
            alignment_job_id=current and current.alignment_job_id,
            alignment_status=current and current.status,
            ever_active=self.job.ever_active or current is not None,
        )

    def _changed(self, trigger: Trigger, alignment: AlignmentJob, previous: RecordStatus | None) -> None:
        self._set(alignment_status=alignment.status)
        self._note(EVENT_OF_ALIGNMENT[trigger], trigger, alignment, previous)

    def _note(
        self, type_: EventType, trigger: Trigger | None, alignment: AlignmentJob, previous: RecordStatus | None
    ) -> None:
        change = AlignmentChange(alignment=alignment, previous_status=previous)
        words = {"error": alignment.error.message if alignment.error else ""}
        self._pending.append(Pending(alignment.last_sequence, type_, trigger, lambda: change, words))


def job_started(job_id: str, alignment_job_id: str | None, status: str | None) -> IngestError:
    """The job was started, and its alignment neither failed nor was cancelled."""
    metadata = {"job_id": job_id, "alignment_job_id": alignment_job_id or "", "status": (status or "").lower()}
    return IngestError(Reason.JOB_STARTED, metadata, resource=("Job", job_id))
