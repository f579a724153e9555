"""WorkService: what workers do. Claim, outcome of a record, orphan, and the end of a back-off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import RecordStatus, Step, Trigger, WaitReason
from ingest_grpc.model import DocumentMetadata, Engine, File, FileKind, FileRecord, RecordError
from ingest_grpc.service.alignment_claims import claim_alignment, orphan_alignment
from ingest_grpc.service.attempts import AttemptLimits
from ingest_grpc.service.images import StoredImage, insert_images, share_images
from ingest_grpc.service.knowledge_bases.documents import Indexed, deploy, end_reindex
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.views import MARKDOWN
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.claims import moved
from ingest_grpc.store.interface import Claim, RecordRow, Rows, Store, Tx

SYSTEM = "system"
"""Actor of what the service does by itself."""

DUE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Done:
    """The output exists and is durable."""

    output: StoredBlob
    engine: Engine
    pages: int | None
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    chunk_losses: tuple[str, ...] = ()
    document_metadata: DocumentMetadata | None = None
    reused_from: str | None = None
    indexed: Indexed | None = None
    """Of a document of a knowledge base: that it is searchable."""
    images: tuple[StoredImage, ...] = ()

    @property
    def blob_keys(self) -> list[str]:
        """All bytes that wait for a row."""
        return [self.output.key, *(image.blob.key for image in self.images)]


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed in a way that may pass; tried again after the back-off, unless failures ran out."""

    error: RecordError
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed for good."""

    error: RecordError


Outcome = Done | Retry | Failed


class WorkService:
    """The queue as workers see it. A worker whose attempt is no longer the current one changes nothing."""

    def __init__(self, store: Store, clock: Clock, *, limits: AttemptLimits, backoff_max_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._backoff_max = round(backoff_max_seconds * MICROSECONDS)

    async def claim(self, worker_id: str, limit: int) -> list[Claim]:
        """Up to `limit` records and alignments in claim order, now RUNNING in a new attempt."""

        async def unit(tx: Tx) -> list[Claim]:
            claimed: dict[tuple[str, int], Claim] = {}
            first = await _first_in_line(tx, limit)
            for job_row, own in _by_job(first):
                ledger = JobLedger(tx, await tx.job_by_row(job_row), self._clock.now(), worker_id)
                for row in own:
                    claimed[row.key] = await self._claim(ledger, row, worker_id)
                await ledger.close()
            greatest: dict[int, int] = {}
            for row in first:
                greatest[row.priority] = max(row.fair_tag, greatest.get(row.priority, row.fair_tag))
            for priority, tag in greatest.items():
                await tx.advance_virtual_time(priority, tag)
            return [claimed[row.key] for row in first]

        return await self._store.write(unit)

    async def _claim(self, ledger: JobLedger, row: Claim, worker_id: str) -> Claim:
        if isinstance(row, AlignmentRow):
            return await claim_alignment(ledger, row, worker_id)
        claimed = await ledger.apply(
            row,
            Trigger.CLAIMED,
            attempt=row.record.attempt + 1,
            worker_id=worker_id,
            processing_at=ledger.now,
            step=Step.FETCH,
            error=None,
            next_attempt_at=None,
            wait_reason=None,
        )
        return moved(row, claimed, claimable=False)

    async def finish(self, claim: RecordRow, outcome: Outcome) -> bool:
        """Applies an outcome; False if the attempt is no longer the current one, and then nothing changed."""

        async def unit(tx: Tx) -> bool:
            row = await tx.record_by_row(claim.record.row_id)
            if not is_current(claim.record, row.record):
                return False
            ledger = JobLedger(
                tx, await tx.job_by_row(row.job_row), self._clock.now(), claim.record.worker_id or SYSTEM
            )
            if isinstance(outcome, Done):
                await complete(ledger, row, outcome)
            else:
                await self._give_up_or_retry(ledger, row, outcome)
            await end_reindex(tx, await ledger.close(), ledger.now)
            return True

        return await self._store.write(unit)

    async def _give_up_or_retry(self, ledger: JobLedger, row: RecordRow, outcome: Retry | Failed) -> None:
        counts = self._limits.counts_after(row.record, outcome.error.reason)
        if isinstance(outcome, Retry) and self._limits.leave_another(counts):
            await self._retry(ledger, row, outcome, counts)
        else:
            await self._fail(ledger, row, outcome.error, counts)

    async def _retry(self, ledger: JobLedger, row: RecordRow, retry: Retry, counts: Mapping[str, Any]) -> None:
        await ledger.apply(
            row,
            Trigger.FAILED_RETRYABLE,
            **counts,
            error=retry.error,
            next_attempt_at=self._clock.now() + round(retry.after_seconds * MICROSECONDS),
            wait_reason=WaitReason.BACK_OFF,
            processing_at=None,
            step=None,
            worker_id=None,
        )

    async def _fail(self, ledger: JobLedger, row: RecordRow, error: RecordError, counts: Mapping[str, Any]) -> None:
        await ledger.apply(row, Trigger.FAILED, failed_at=ledger.now, error=error, step=None, worker_id=None, **counts)

    async def orphan(self, claims: Iterable[Claim]) -> int:
        """Takes back what is running and whose worker is gone; what was lost too often fails. Returns how many."""
        wanted = {claim.key: claim.attempt for claim in claims}
        if not wanted:
            return 0

        async def unit(tx: Tx) -> int:
            lost = [row for row in await _running(tx) if wanted.get(row.key) == row.attempt]
            for job_row, own in _by_job(lost):
                ledger = JobLedger(tx, await tx.job_by_row(job_row), self._clock.now(), SYSTEM)
                for row in own:
                    await self._orphan(ledger, row)
                await ledger.close()
            return len(lost)

        return await self._store.write(unit)

    async def _orphan(self, ledger: JobLedger, row: Claim) -> None:
        if isinstance(row, AlignmentRow):
            await orphan_alignment(ledger, row, self._limits.max_orphaned)
            return
        count = row.record.orphaned_count + 1
        if count > self._limits.max_orphaned:
            await self._fail(ledger, row, RecordError(reason=Reason.WORKER_LOST), {"orphaned_count": count})
            return
        await ledger.apply(
            row,
            Trigger.ORPHANED,
            claimable=True,
            orphaned_count=count,
            processing_at=None,
            step=None,
            worker_id=None,
        )

    async def running(self) -> Sequence[Claim]:
        """All running records and alignments."""
        return await self._store.read(_running)

    async def admit_due(self) -> float | None:
        """Lets what has its back-off behind it join the queue; returns seconds until the next one, None if none waits.

        One that is due later than the longest back-off counts as due: the wall clock was turned back.
        """

        async def unit(tx: Tx) -> int | None:
            now = self._clock.now()
            latest = now + self._backoff_max
            due = await tx.records_due(now, latest, DUE_BATCH)
            for row in due:
                await tx.make_claimable(row.record.row_id)
                tx.commit.claimable = True
            for aligned in await tx.alignments_due(now, latest, DUE_BATCH):
                await tx.make_alignment_claimable(aligned.alignment.row_id)
                tx.commit.claimable = True
            for team in {row.record.team_id for row in due}:
                await tx.admit(team)
            dues = (await tx.next_due_at(), await tx.next_alignment_due_at())
            return min((moment for moment in dues if moment is not None), default=None)

        due = await self._store.write(unit)
        return None if due is None else max(0.0, (due - self._clock.now()) / MICROSECONDS)


async def complete(ledger: JobLedger, row: RecordRow, done: Done, **changes: Any) -> None:
    """The output of a record exists: its file, the record's success, and the end of what it was added for."""
    record = row.record
    output = File.trusted(
        blob_key=done.output.key,
        markdown=True,
        file_id=record.output_file_id,
        kind=FileKind.OUTPUT,
        filename=record.output_filename,
        content_type=MARKDOWN,
        size_bytes=done.output.size_bytes,
        sha256=done.output.sha256,
        user_id=record.user_id,
        team_id=record.team_id,
        created_at=ledger.now,
    )
    await ledger.tx.insert_file(output, shareable=False)
    images = await _images(ledger, record, done)
    await ledger.apply(
        row,
        Trigger.SUCCEEDED,
        completed_at=ledger.now,
        engine=done.engine,
        pages=done.pages,
        bytes_out=done.output.size_bytes,
        image_file_ids=images,
        warnings=done.warnings,
        losses=done.losses + done.chunk_losses,
        chunk_losses=len(done.chunk_losses),
        document_metadata=done.document_metadata,
        reused_from=done.reused_from,
        chunks_created=done.indexed and done.indexed.chunks,
        step=None,
        worker_id=None,
        **changes,
    )
    if row.document_row is not None:
        await deploy(ledger, row, row.document_row, done.indexed)
    await _supersede(ledger, row)


async def _images(ledger: JobLedger, record: FileRecord, done: Done) -> tuple[str, ...]:
    """Ids of the pictures that the output shows: its own, or those of the record that had made it before."""
    if done.reused_from is None:
        return await insert_images(ledger, record, done.images)
    earlier = await ledger.tx.record_of_team(record.team_id, done.reused_from)
    return () if earlier is None else await share_images(ledger, record, earlier.record)


async def _supersede(ledger: JobLedger, row: RecordRow) -> None:
    """Resolves the record that this one was added for, if nothing else has by now."""
    if row.replaces_row is None:
        return
    replaced = await ledger.tx.record_by_row(row.replaces_row)
    if replaced.record.unresolved:
        await ledger.mark(replaced, Trigger.SUPERSEDED, superseded_by=row.record.record_id)


async def _first_in_line(tx: Tx, limit: int) -> list[Claim]:
    """The next of both queues as one: at the same tag records go first, as every position says."""
    waiting: list[Claim] = [*await tx.records_to_claim(limit), *await tx.alignments_to_claim(limit)]
    waiting.sort(key=lambda row: (-row.priority, row.fair_tag))  # stable
    return waiting[:limit]


async def _running(rows: Rows) -> list[Claim]:
    return [*await rows.running_records(), *await rows.running_alignments()]


def _by_job(rows: Sequence[Claim]) -> list[tuple[int, list[Claim]]]:
    """Rows grouped by job: one ledger per job and transaction."""
    ordered = sorted(rows, key=lambda row: row.job_row)
    return [(job_row, list(own)) for job_row, own in groupby(ordered, key=lambda row: row.job_row)]


def is_current(claim: FileRecord, record: FileRecord) -> bool:
    """Whether a claim still holds."""
    return record.status is RecordStatus.RUNNING and record.attempt == claim.attempt
