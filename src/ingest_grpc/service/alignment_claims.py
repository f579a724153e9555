"""What a claim and the loss of a worker do to an alignment, inside the transaction that does it to records too."""

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import RecordError
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.alignment_interface import AlignmentRow


async def claim_alignment(ledger: JobLedger, row: AlignmentRow, worker_id: str) -> AlignmentRow:
    """The alignment, now RUNNING in a new attempt."""
    await ledger.apply_alignment(
        row,
        Trigger.CLAIMED,
        attempt=row.alignment.attempt + 1,
        worker_id=worker_id,
        started_at=ledger.now,
        current_step=None,
        error=None,
        next_attempt_at=None,
        wait_reason=None,
    )
    return await ledger.tx.alignment_by_row(row.alignment.row_id)


async def orphan_alignment(ledger: JobLedger, row: AlignmentRow, max_orphaned: int) -> None:
    """Queues an alignment again whose worker is gone; one lost too often fails."""
    count = row.alignment.orphaned_count + 1
    if count > max_orphaned:
        lost = RecordError(reason=Reason.WORKER_LOST)
        await ledger.apply_alignment(
            row, Trigger.FAILED, failed_at=ledger.now, error=lost, worker_id=None, orphaned_count=count
        )
        return
    await ledger.apply_alignment(
        row,
        Trigger.ORPHANED,
        claimable=True,
        orphaned_count=count,
        started_at=None,
        current_step=None,
        worker_id=None,
    )
