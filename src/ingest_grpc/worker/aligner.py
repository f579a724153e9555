"""One alignment, from claim to outcome: read the job's files, make the dataset, store, report."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial

from ingest_grpc.blobs.interface import PATIENCE_SECONDS, BlobMissing, Blobs, StoredBlob
from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import CATALOGUE, IngestError, Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep
from ingest_grpc.model import AlignmentProgress, RecordError, SectionResult
from ingest_grpc.pipeline.align.interface import Aligner, AlignmentFailure, AlignmentTask, SourceFile, Standing
from ingest_grpc.service.alignment_work import Aligned, AlignmentOutcome, AlignmentWork
from ingest_grpc.service.attempts import outages_or_failures
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.handover import delete_all, hand_over
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.retry import backoff_seconds

log = logging.getLogger(__name__)


class AlignmentRunner:
    """Runs claimed alignments. Cancelling `run` stops the work; the alignment is then somebody else's concern."""

    def __init__(
        self,
        work: AlignmentWork,
        blobs: Blobs,
        engines: Mapping[AlignmentEngine, Aligner],
        board: ProgressBoard,
        leases: Leases,
        clock: Clock,
        *,
        patience_seconds: float,
        backoff_base_seconds: float,
        backoff_max_seconds: float,
        rng: random.Random,
    ) -> None:
        """`patience_seconds` is how long an engine may give no sign of life."""
        self._work = work
        self._blobs = blobs
        self._engines = engines
        self._board = board
        self._leases = leases
        self._clock = clock
        self._patience_seconds = max(patience_seconds, PATIENCE_SECONDS)
        self._backoff_base_seconds = backoff_base_seconds
        self._backoff_max_seconds = backoff_max_seconds
        self._rng = rng
        self._finisher = Finisher()

    async def run(self, claim: AlignmentRow) -> None:
        """Makes the dataset of one claimed alignment and reports the outcome."""
        try:
            outcome = await self._outcome(claim)
            await self._finisher.run(self._report(claim, outcome))
        finally:
            self._board.alignments.forget(claim.job_row, claim.alignment)
            self._leases.release(claim)

    async def drain(self) -> None:
        """Waits for the reports of cancelled runs."""
        await self._finisher.drain()

    async def _outcome(self, claim: AlignmentRow) -> AlignmentOutcome:
        """What became of it. Errors of the service itself are outcomes too: no alignment is left hanging."""
        engine, at = self._engines.get(claim.alignment.engine), partial(self._at, claim, self._clock.now())
        if engine is None:
            return self._failure(claim, Reason.ALIGN_ENGINE_UNAVAILABLE, claim.alignment.engine)
        stored: StoredBlob | None = None
        try:
            task = AlignmentTask(
                system_prompt=claim.alignment.system_prompt,
                instructions=claim.alignment.instructions,
                files=partial(self._sources, claim),
                files_total=await self._work.viable_count(claim),
                checkpoints=_Checkpoints(self._work, claim),
            )
            async with self._blobs.output() as output:
                totals = await engine.align(task, output.fd, at)
                at(Standing(AlignmentStep.STORE, 95.0, 0.0))
                stored = await output.commit(output_key(claim), partial(self._alive, claim))
        except AlignmentFailure as failure:
            return self._failure(claim, failure.reason, failure.detail)
        except BlobMissing:
            return self._failure(claim, Reason.FILE_NOT_FOUND, "the bytes of a file are gone")
        except IngestError as error:
            return self._failure(claim, Reason.SERVICE_UNAVAILABLE, str(error))
        except asyncio.CancelledError:
            if stored is not None:  # cancelled while the descriptor was closed: nobody reports this dataset
                await self._finisher.run(delete_all(self._blobs, [stored.key]))
            raise
        except Exception as error:
            log.exception("alignment %s failed unexpectedly", claim.alignment.alignment_job_id)
            return self._failure(claim, Reason.INTERNAL, type(error).__name__)
        return Aligned(stored, totals, engine.version)

    async def _sources(self, claim: AlignmentRow) -> AsyncGenerator[SourceFile, None]:
        async with aclosing(self._work.viable_files(claim)) as files:
            async for file in files:
                opened = partial(self._blobs.open, file.blob_key, partial(self._alive, claim))
                yield SourceFile(file.file_id, file.filename, file.size_bytes, opened)

    def _at(self, claim: AlignmentRow, began_at: int, standing: Standing) -> None:
        self._alive(claim)
        progress = AlignmentProgress(
            claim.alignment.alignment_job_id,
            standing.step,
            standing.progress,
            standing.step_progress,
            self._eta(began_at, standing.progress),
        )
        self._board.alignments.report(claim.job_row, claim.alignment, progress)

    def _alive(self, claim: AlignmentRow) -> None:
        self._leases.renew(claim, self._patience_seconds)

    def _eta(self, began_at: int, progress: float) -> int | None:
        """When it will be done at the pace of this attempt; None before there is one."""
        spent = self._clock.now() - began_at
        if progress < 1.0 or spent < MICROSECONDS:
            return None
        return self._clock.now() + round(spent * (100.0 - progress) / progress)

    def _failure(self, claim: AlignmentRow, reason: Reason, detail: str) -> AlignmentOutcome:
        alignment = claim.alignment
        log.info(
            "alignment failed",
            extra={"fields": {"alignment_job_id": alignment.alignment_job_id, "reason": reason, "detail": detail}},
        )
        told = detail if reason in _TOLD else ""
        error = RecordError(reason=reason, detail=told)
        if not CATALOGUE[reason].retryable:
            return Failed(error)
        before = outages_or_failures(alignment, reason)
        seconds = backoff_seconds(before, self._backoff_base_seconds, self._backoff_max_seconds, self._rng)
        return Retry(error, seconds)

    async def _report(self, claim: AlignmentRow, outcome: AlignmentOutcome) -> None:
        """Commits the outcome; a dataset that nobody wants any more is dropped."""
        at = self._board.alignments.of(claim.job_row, claim.alignment)
        step = at.current_step if at is not None else None
        if not isinstance(outcome, Aligned):
            await self._work.finish(claim, step, outcome)
            return
        keys = [outcome.output.key]
        finish = self._work.finish(claim, step, outcome)
        await hand_over(self._blobs, keys, finish, lambda wanted: keys if wanted else ())


_TOLD = frozenset(
    {
        Reason.NOTHING_TO_ALIGN,
        Reason.ALIGN_ENDPOINT_UNAVAILABLE,
        Reason.ALIGN_ENDPOINT_REFUSED,
        Reason.ALIGN_ANSWERS_UNUSABLE,
    }
)
"""Reasons whose detail a caller may see: it says what the endpoint did, and nothing of the server."""


class _Checkpoints:
    """The stored results of one claim's sections."""

    def __init__(self, work: AlignmentWork, claim: AlignmentRow) -> None:
        self._work = work
        self._claim = claim

    async def digest(self, section: int) -> str | None:
        return await self._work.section_digest(self._claim, section)

    async def save(self, section: int, result: SectionResult) -> None:
        await self._work.save_section(self._claim, section, result)

    def results(self, sections: int) -> AsyncGenerator[SectionResult, None]:
        return self._work.section_results(self._claim, sections)


def output_key(claim: AlignmentRow) -> str:
    """Keyed by alignment and attempt: two attempts never write the same blob."""
    return f"{claim.alignment.alignment_job_id.replace('-', '')}-{claim.attempt}"
