"""Random lives of started jobs against a simple model; after every step the ledger is recounted.

ALIGNMENT_EXAMPLES and ALIGNMENT_STEPS make it run longer, for example 2000 and 100 over night.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from obstore.store import MemoryStore

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import IN_FLIGHT, RecordStatus
from ingest_grpc.model import RecordError
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Claim, RecordRow
from tests.factories import ALICE, WORKER, Core

T = TypeVar("T")
MAX_FAILURES, MAX_ORPHANED = 2, 2
BACK_OFF_SECONDS = 4.0
FROZEN = IN_FLIGHT | {RecordStatus.COMPLETED}


@dataclass
class Expected:
    """What the model believes of one job: its records, its Markdown, and its current alignment."""

    records: dict[str, RecordStatus] = field(default_factory=dict)
    markdown: int = 0
    cancelled: bool = False
    alignment: RecordStatus | None = None
    attempt: int = 0
    failures: int = 0
    orphaned: int = 0
    delayed: bool = False

    @property
    def converting(self) -> bool:
        return any(status in IN_FLIGHT for status in self.records.values())

    @property
    def startable(self) -> bool:
        done = all(status is RecordStatus.COMPLETED for status in self.records.values())
        return done and bool(self.markdown or self.records)

    @property
    def status(self) -> str:
        if self.alignment is not None:
            return self.alignment
        if self.converting:
            return "FILE_PROCESSING"
        if self.cancelled:
            return "CANCELLED"
        return "READY_TO_START" if self.startable else "NEEDS_REVIEW"


class AlignmentMachine(RuleBasedStateMachine):
    """One team's callers, and a worker whose results may come late."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        limits = {"max_failures": MAX_FAILURES, "max_orphaned": MAX_ORPHANED, "readers": 1}
        self.core = Core(Path(self.folder.name), memory=MemoryStore(), **limits)
        self.expected: dict[str, Expected] = {}
        self.files = 0
        self.run(self.core.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def refused(self, call: Coroutine[Any, Any, object]) -> Reason:
        with pytest.raises(IngestError) as raised:
            self.run(call)
        return raised.value.reason

    def teardown(self) -> None:
        self.run(self.core.stop())
        self.runner.close()
        self.folder.cleanup()

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    @rule(target=jobs)
    def create(self) -> str:
        job_id = self.run(self.core.create()).job.job.job_id
        self.expected[job_id] = Expected()
        return job_id

    @rule(job_id=jobs, markdown=st.booleans())
    def add(self, job_id: str, markdown: bool) -> None:
        self.files += 1
        text = f"# File {self.files}\ntext {self.files}\n".encode()
        name = f"{self.files}.{'md' if markdown else 'pdf'}"
        file = self.run(self.core.upload(name, text if markdown else b"\0" + text))
        job = self.expected[job_id]
        if job.alignment in FROZEN:
            assert self.refused(self.core.add(job_id, file)) is Reason.JOB_STARTED
            return
        added = self.run(self.core.add(job_id, file))
        job.alignment, job.cancelled = None, False
        if markdown:
            job.markdown += 1
        else:
            record_id = added.results[0].record_id
            assert record_id is not None
            job.records[record_id] = RecordStatus.QUEUED

    @rule(job_id=jobs)
    def remove_what_went_wrong(self, job_id: str) -> None:
        job = self.expected[job_id]
        bad = [name for name, status in job.records.items() if status is not RecordStatus.COMPLETED]
        if job.alignment is None and bad:
            self.run(self.core.remove(job_id, records=bad))
            for name in bad:
                del job.records[name]

    @rule(job_id=jobs)
    def start(self, job_id: str) -> None:
        job = self.expected[job_id]
        refusals = [
            (job.alignment in FROZEN, Reason.JOB_STARTED),
            (job.converting, Reason.FILES_PROCESSING),
            (not job.startable, Reason.NOT_READY_TO_START),
        ]
        for refused, reason in refusals:
            if refused:
                assert self.refused(self.core.start_job(job_id)) is reason
                return
        self.run(self.core.start_job(job_id))
        job.alignment, job.cancelled = RecordStatus.QUEUED, False
        job.attempt = job.failures = job.orphaned = 0
        job.delayed = False

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        job = self.expected[job_id]
        self.run(self.core.cancel(job_id))
        if job.alignment in (RecordStatus.COMPLETED, RecordStatus.FAILED):
            return
        job.cancelled, job.delayed = True, False
        if job.alignment in IN_FLIGHT:
            job.alignment = RecordStatus.CANCELLED
        for name, status in job.records.items():
            if status in IN_FLIGHT:
                job.records[name] = RecordStatus.CANCELLED

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    @rule(target=claims, limit=st.integers(1, 4))
    def claim(self, limit: int) -> Any:
        waiting = sum(
            (job.alignment is RecordStatus.QUEUED and not job.delayed)
            + sum(status is RecordStatus.QUEUED for status in job.records.values())
            for job in self.expected.values()
        )
        claimed = self.run(self.core.work.claim(WORKER, limit))
        assert len(claimed) == min(limit, waiting)
        for claim in claimed:
            if isinstance(claim, RecordRow):
                self.expected[claim.record.job_id].records[claim.record.record_id] = RecordStatus.RUNNING
            else:
                job = self.expected[claim.alignment.job_id]
                assert (job.alignment, job.delayed) == (RecordStatus.QUEUED, False)
                job.alignment, job.attempt = RecordStatus.RUNNING, job.attempt + 1
                assert claim.attempt == job.attempt
        return multiple(*claimed)

    def _is_current(self, claim: AlignmentRow) -> bool:
        """Whether the claim's very alignment runs in the claim's attempt."""
        row = self.run(self.core.store.read(lambda rows: rows.alignment_by_row(claim.alignment.row_id)))
        job = self.expected[claim.alignment.job_id]
        current = row.alignment.retired_at is None
        return current and job.alignment is RecordStatus.RUNNING and job.attempt == claim.attempt

    @rule(claim=consumes(claims))  # a worker reports once
    def succeed(self, claim: Claim) -> None:
        if isinstance(claim, RecordRow):
            if self.run(self.core.succeed(claim)):
                self.expected[claim.record.job_id].records[claim.record.record_id] = RecordStatus.COMPLETED
            return
        current = self._is_current(claim)
        self.run(self.core.align(claim))
        if current:
            # What the records of this machine are converted to is a heading without text.
            job = self.expected[claim.alignment.job_id]
            job.alignment = RecordStatus.COMPLETED if job.markdown else RecordStatus.FAILED

    @rule(claim=consumes(claims), passing=st.booleans())
    def fail(self, claim: Claim, passing: bool) -> None:
        if isinstance(claim, RecordRow):
            if self.run(self.core.fail(claim)):
                self.expected[claim.record.job_id].records[claim.record.record_id] = RecordStatus.FAILED
            return
        current = self._is_current(claim)
        error = RecordError(reason=Reason.ALIGN_ENDPOINT_UNAVAILABLE)
        outcome = Retry(error, BACK_OFF_SECONDS) if passing else Failed(error)
        assert self.run(self.core.alignment_work.finish(claim, None, outcome)) is current
        if current:
            job = self.expected[claim.alignment.job_id]
            job.failures += 1
            job.delayed = passing and job.failures < MAX_FAILURES
            job.alignment = RecordStatus.QUEUED if job.delayed else RecordStatus.FAILED

    @rule()
    def restart(self) -> None:
        self.run(self.core.reopen())
        self.run(self.core.reaper.recover())
        for job in self.expected.values():
            for name, status in job.records.items():
                if status is RecordStatus.RUNNING:
                    job.records[name] = self._orphaned(name)
            if job.alignment is RecordStatus.RUNNING:
                job.orphaned += 1
                lost = job.orphaned > MAX_ORPHANED
                job.alignment = RecordStatus.FAILED if lost else RecordStatus.QUEUED

    def _orphaned(self, record_id: str) -> RecordStatus:
        """Records have a machine of their own: what became of this one is looked up."""
        row = self.run(self.core.store.read(lambda rows: rows.record_of_team(ALICE.team_id, record_id)))
        assert row is not None
        return row.record.status

    @rule()
    def due(self) -> None:
        self.core.clock.advance(BACK_OFF_SECONDS)
        assert self.run(self.core.work.admit_due()) is None
        for job in self.expected.values():
            job.delayed = False

    # ── what must hold ─────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def ledger_is_consistent(self) -> None:
        self.run(self.core.check())

    @invariant()
    def model_agrees(self) -> None:
        for job_id, expected in self.expected.items():
            job = self.run(self.core.job(job_id))
            assert (job.status, job.alignment_status) == (expected.status, expected.alignment)


AlignmentMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("ALIGNMENT_EXAMPLES", "20")),
    stateful_step_count=int(os.environ.get("ALIGNMENT_STEPS", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAlignments = AlignmentMachine.TestCase
