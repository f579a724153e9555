"""RetryFiles: failed and cancelled records go back into the queue, without a new upload."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import (
    Caller,
    FilesRetried,
    Mutation,
    Request,
    RetryFileOutcome,
    RetryFileResult,
)
from ingest_grpc.service import views
from ingest_grpc.service.idempotency import once, recall, remember
from ingest_grpc.service.job_files import check_queue_cap
from ingest_grpc.service.knowledge_bases.finding import check_not_reindexing
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.queue import QueueTail
from ingest_grpc.store.interface import RecordRow, Store, Tx

SLICE = 200
"""Records queued again in one transaction, some 25 ms: all other writers wait for it."""


class RetryEffect(BaseModel):
    """What a RetryFiles call did; kept for its request id."""

    results: tuple[RetryFileResult, ...] = ()
    records_retried: int = 0


class RetryService:
    """Queues records again."""

    def __init__(self, store: Store, clock: Clock, board: ProgressBoard, *, max_queued: int | None = None) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._max_queued = max_queued

    async def retry(
        self, caller: Caller, job_id: str, record_ids: Sequence[str] | None, request: Request | None
    ) -> Mutation[FilesRetried]:
        """Retries the named records, or with None all that are unresolved.

        Raises JOB_NOT_FOUND, JOB_DELETED, JOB_STARTED and TEAM_QUEUE_FULL.
        """
        if record_ids is None:
            done = await self._retry_all(caller, job_id, request)
        else:
            done = await self._store.write(
                partial(self._retry_named, caller=caller, job_id=job_id, record_ids=record_ids, request=request)
            )
        detail = await self._store.read(
            partial(views.find_detail, team=caller.team_id, job_id=job_id, board=self._board)
        )
        effect = done.value
        return Mutation(FilesRetried(detail, effect.results, effect.records_retried), done.replayed)

    async def _retry_named(
        self, tx: Tx, *, caller: Caller, job_id: str, record_ids: Sequence[str], request: Request | None
    ) -> Mutation[RetryEffect]:
        async def effect() -> RetryEffect:
            ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
            ledger.check_files_open()
            await check_not_reindexing(tx, ledger.job)
            results = [await self._retry_one(ledger, record_id) for record_id in record_ids]
            retried = sum(result.outcome is RetryFileOutcome.RETRIED for result in results)
            await check_queue_cap(tx, caller.team_id, retried, self._max_queued)
            await ledger.close()
            return RetryEffect(results=tuple(results), records_retried=retried)

        return await once(tx, caller, request, self._clock.now(), RetryEffect, effect)

    async def _retry_one(self, ledger: JobLedger, record_id: str) -> RetryFileResult:
        row = await ledger.tx.record(ledger.job.row_id, record_id)
        if row is None:
            outcome = RetryFileOutcome.NOT_FOUND
        elif not row.record.unresolved or not await _is_latest(ledger, row):
            outcome = RetryFileOutcome.NOT_RETRYABLE
        elif row.source is None:
            outcome = RetryFileOutcome.SOURCE_DELETED
        else:
            ledger.cancel_requested(False)
            await _requeue(ledger, row)
            outcome = RetryFileOutcome.RETRIED
        return RetryFileResult(record_id=record_id, outcome=outcome)

    async def _retry_all(self, caller: Caller, job_id: str, request: Request | None) -> Mutation[RetryEffect]:
        """In slices; a call that is interrupted between two is finished by its retry, which finds what is left."""
        after, retried = 0, 0
        while True:
            slice_ = partial(
                self._retry_slice, caller=caller, job_id=job_id, request=request, after=after, so_far=retried
            )
            done, last = await self._store.write(slice_)
            retried = done.value.records_retried
            if last is None:
                return done
            after = last

    async def _retry_slice(
        self, tx: Tx, *, caller: Caller, job_id: str, request: Request | None, after: int, so_far: int
    ) -> tuple[Mutation[RetryEffect], int | None]:
        """(what was done so far, the last row looked at or None at the end)."""
        earlier = await recall(tx, caller, request, RetryEffect)
        if earlier is not None:
            return Mutation(earlier, replayed=True), None
        ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
        ledger.check_files_open()
        await check_not_reindexing(tx, ledger.job)
        rows = await tx.unresolved_records(ledger.job.row_id, SLICE, after)
        retryable = [row for row in rows if row.source is not None and await _is_latest(ledger, row)]
        if retryable:
            ledger.cancel_requested(False)
        for row in retryable:
            await _requeue(ledger, row)
        await check_queue_cap(tx, caller.team_id, len(retryable), self._max_queued)
        await ledger.close()
        effect = RetryEffect(records_retried=so_far + len(retryable))
        if len(rows) == SLICE:
            return Mutation(effect), rows[-1].record.row_id
        await remember(tx, caller, request, effect, self._clock.now())
        return Mutation(effect), None


async def _is_latest(ledger: JobLedger, row: RecordRow) -> bool:
    """Whether nothing newer stands for the record's document; always true outside of knowledge bases."""
    if row.document_row is None:
        return True
    document = await ledger.tx.document_by_row(row.document_row)
    return document.removed_at is None and document.record_row == row.record.row_id


async def _requeue(ledger: JobLedger, row: RecordRow) -> None:
    """A fresh start at the end of the team's queue; the attempt goes on counting, since it is the fence."""
    tail = await QueueTail.of(ledger.tx, row.record.team_id, row.priority)
    await ledger.apply(
        row,
        Trigger.RETRIED,
        claimable=True,
        failures=0,
        orphaned_count=0,
        error=None,
        processing_at=None,
        failed_at=None,
        cancelled_at=None,
    )
    await ledger.tx.requeue_record(row.record.row_id, tail.next())
