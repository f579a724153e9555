"""What a worker needs to know about an alignment, and what becomes of it."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import AlignmentStep, JobType, RecordStatus, Trigger, WaitReason
from ingest_grpc.model import AlignmentTotals, File, FileKind, RecordError, SectionResult
from ingest_grpc.service.attempts import AttemptLimits
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.work import SYSTEM, Failed, Retry
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Rows, Store, Tx

DATASET = "application/jsonl"
FILES_PAGE = 500
SECTIONS_PAGE = 100
"""Results of sections read at once: each has a few kilobytes."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The dataset exists and is durable. `version` is the engine's."""

    output: StoredBlob
    totals: AlignmentTotals
    version: str


AlignmentOutcome = Aligned | Retry | Failed


class AlignmentWork:
    """Alignments as workers see them. A worker whose attempt is no longer the current one changes nothing."""

    def __init__(self, store: Store, clock: Clock, *, limits: AttemptLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    async def viable_count(self, claim: AlignmentRow) -> int:
        """How many files the dataset is made of."""
        return await self._store.read(partial(_count, job_row=claim.job_row))

    async def viable_files(self, claim: AlignmentRow) -> AsyncGenerator[File, None]:
        """What the dataset is made of: the job's viable files, Markdown first, then the outputs of its records, each
        in the order of adding; or, of a job that is grounded in a knowledge base, the documents found there.

        A job's files do not change while an alignment is queued or running, so every attempt sees the same; those of
        a knowledge base may, and a section that changed is made anew.
        """
        team, job_row = claim.alignment.team_id, claim.job_row
        grounding = await self._store.read(partial(_grounding, job_row=job_row))
        row = job_row if grounding is None else grounding
        for page_of in (_markdown_page, _outputs_page) if grounding is None else (_documents_page,):
            after = 0
            while page := await self._store.read(partial(page_of, team=team, row=row, after=after)):
                for _, file in page:
                    if file is not None and file.deleted_at is None:
                        yield file
                after = page[-1][0]

    # ── results of sections ────────────────────────────────────────────────────────────────────────────

    async def section_digest(self, claim: AlignmentRow, section: int) -> str | None:
        """The digest of a section's stored result."""
        return await self._store.read(lambda rows: rows.section_digest(claim.alignment.row_id, section))

    async def save_section(self, claim: AlignmentRow, section: int, result: SectionResult) -> None:
        """Keeps the result of a section, unless the attempt is no longer the current one."""

        async def unit(tx: Tx) -> None:
            if await _is_current(tx, claim):
                await tx.save_section(claim.alignment.row_id, section, result)

        await self._store.write(unit)

    async def section_results(self, claim: AlignmentRow, sections: int) -> AsyncGenerator[SectionResult, None]:
        """The stored results of sections 1 to `sections`, in their order."""
        after = 0
        while after < sections:
            page = await self._store.read(partial(_results_page, alignment_row=claim.alignment.row_id, after=after))
            if not page:
                return
            for section, result in page:
                if section <= sections:
                    yield result
            after = page[-1][0]

    # ── outcomes ───────────────────────────────────────────────────────────────────────────────────────

    async def finish(self, claim: AlignmentRow, step: AlignmentStep | None, outcome: AlignmentOutcome) -> bool:
        """Applies an outcome that was reached in `step`; False if the attempt is no longer the current one."""

        async def unit(tx: Tx) -> bool:
            if not await _is_current(tx, claim):
                return False
            row = await tx.alignment_by_row(claim.alignment.row_id)
            actor = claim.alignment.worker_id or SYSTEM
            ledger = JobLedger(tx, await tx.job_by_row(row.job_row), self._clock.now(), actor)
            if isinstance(outcome, Aligned):
                await self._succeed(ledger, row, outcome)
            else:
                await self._give_up_or_retry(ledger, row, step, outcome)
            await ledger.close()
            return True

        return await self._store.write(unit)

    async def _give_up_or_retry(
        self, ledger: JobLedger, row: AlignmentRow, step: AlignmentStep | None, outcome: Retry | Failed
    ) -> None:
        counts = self._limits.counts_after(row.alignment, outcome.error.reason)
        if isinstance(outcome, Retry) and self._limits.leave_another(counts):
            await self._retry(ledger, row, outcome, counts)
        else:
            await _fail(ledger, row, outcome.error, step, counts)

    async def _succeed(self, ledger: JobLedger, row: AlignmentRow, done: Aligned) -> None:
        alignment = row.alignment
        output = File(
            blob_key=done.output.key,
            file_id=new_id(Prefix.FILE),
            kind=FileKind.OUTPUT,
            filename=_filename(ledger.job.name),
            content_type=DATASET,
            size_bytes=done.output.size_bytes,
            sha256=done.output.sha256,
            user_id=alignment.user_id,
            team_id=alignment.team_id,
            created_at=ledger.now,
        )
        await ledger.tx.insert_file(output, shareable=False)
        await ledger.apply_alignment(
            row,
            Trigger.SUCCEEDED,
            completed_at=ledger.now,
            engine_version=done.version,
            output_file_ids=(output.file_id,),
            totals=done.totals,
            current_step=None,
            worker_id=None,
        )

    async def _retry(self, ledger: JobLedger, row: AlignmentRow, retry: Retry, counts: Mapping[str, Any]) -> None:
        await ledger.apply_alignment(
            row,
            Trigger.FAILED_RETRYABLE,
            **counts,
            error=retry.error,
            next_attempt_at=self._clock.now() + round(retry.after_seconds * MICROSECONDS),
            wait_reason=WaitReason.BACK_OFF,
            started_at=None,
            current_step=None,
            worker_id=None,
        )


async def _fail(
    ledger: JobLedger, row: AlignmentRow, error: RecordError, step: AlignmentStep | None, counts: Mapping[str, Any]
) -> None:
    await ledger.apply_alignment(
        row,
        Trigger.FAILED,
        failed_at=ledger.now,
        error=error,
        **counts,
        current_step=step,
        worker_id=None,
    )


async def _is_current(rows: Rows, claim: AlignmentRow) -> bool:
    """Whether a claim still holds."""
    alignment = (await rows.alignment_by_row(claim.alignment.row_id)).alignment
    return alignment.status is RecordStatus.RUNNING and alignment.attempt == claim.attempt


Found = list[tuple[int, File | None]]
"""(where to go on, file)."""


async def _grounding(rows: Rows, *, job_row: int) -> int | None:
    """The knowledge base that a job's dataset is made of; None = of the job's own files."""
    job = await rows.job_by_row(job_row)
    if job.job_type is not JobType.CONTEXT_GROUNDED_VECTOR_DB or job.knowledge_base_id is None:
        return None
    knowledge_base = await rows.knowledge_base(job.team_id, job.knowledge_base_id)
    return None if knowledge_base is None else knowledge_base.row_id


async def _count(rows: Rows, *, job_row: int) -> int:
    grounding = await _grounding(rows, job_row=job_row)
    if grounding is None:
        return (await rows.job_by_row(job_row)).facts.viable_files
    return sum(count.searchable for count in await rows.document_counts(grounding, None))


async def _documents_page(rows: Rows, *, team: str, row: int, after: int) -> Found:
    found = await rows.grounding_outputs(row, after, FILES_PAGE)
    return [(document, await rows.file(team, output_file_id)) for document, output_file_id in found]


async def _markdown_page(rows: Rows, *, team: str, row: int, after: int) -> Found:
    entries = await rows.markdown_files(row, FILES_PAGE, after)
    return [(row_id, await rows.file(team, entry.file_id)) for row_id, entry in entries]


async def _outputs_page(rows: Rows, *, team: str, row: int, after: int) -> Found:
    done = (RecordStatus.COMPLETED,)
    found = await rows.records(job_row=row, statuses=done, after=after, limit=FILES_PAGE)
    return [
        (each.record.row_id, None if each.record.is_archive else await rows.file(team, each.record.output_file_id))
        for each in found
    ]


async def _results_page(rows: Rows, *, alignment_row: int, after: int) -> list[tuple[int, SectionResult]]:
    return await rows.sections_finished(alignment_row, after, SECTIONS_PAGE)


def _filename(job_name: str) -> str:
    """The job's name as a file name."""
    plain = "".join(char if char.isprintable() and char not in "/\\" else "-" for char in job_name).strip(". ")
    while len(plain.encode()) > 200:
        plain = plain[:-1]
    return f"{PurePath(plain).name or 'dataset'}.jsonl"
