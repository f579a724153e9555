"""Random lives of jobs against a simple model; after every step the ledger is recounted.

LEDGER_EXAMPLES and LEDGER_STEPS make it run longer, for example 2000 and 100 over night.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from obstore.store import MemoryStore

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import IN_FLIGHT, RecordStatus
from ingest_grpc.model import Caller, FilesAdded, RecordError
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.interface import RecordRow
from tests.factories import ALICE, BOB, Core, quick_disk

T = TypeVar("T")
MAX_FAILURES, MAX_ORPHANED = 2, 2
BACK_OFF_SECONDS = 4.0
NAMES = ("report.pdf", "table.csv", "notes.md")


@dataclass
class Expected:
    """What the model believes of one record."""

    job_id: str
    status: RecordStatus = RecordStatus.QUEUED
    attempt: int = 0
    failures: int = 0
    orphaned: int = 0
    delayed: bool = False
    deleted: bool = False

    def cancel(self) -> None:
        if self.status in IN_FLIGHT:
            self.status, self.delayed = RecordStatus.CANCELLED, False

    def remove(self) -> None:
        self.cancel()
        self.deleted = True

    def orphan(self) -> None:
        self.orphaned += 1
        self.status = RecordStatus.FAILED if self.orphaned > MAX_ORPHANED else RecordStatus.QUEUED


class LedgerMachine(RuleBasedStateMachine):
    """Callers of two teams and one worker, whose results may come late."""

    jobs = Bundle("jobs")
    records = Bundle("records")
    files = Bundle("files")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir=quick_disk())
        self.core = Core(
            Path(self.folder.name),
            memory=MemoryStore(),
            max_failures=MAX_FAILURES,
            max_orphaned=MAX_ORPHANED,
            readers=1,
        )
        self.expected: dict[str, Expected] = {}
        self.callers: dict[str, Caller] = {}
        self.run(self.core.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.core.stop())
        self.runner.close()
        self.folder.cleanup()

    def _note(self, added: FilesAdded) -> Any:
        job_id = added.job.job.job_id
        new = [result.record_id for result in added.results if result.outcome == "ADDED"]
        for record_id in new:
            assert record_id is not None
            self.expected[record_id] = Expected(job_id)
        return multiple(*new)

    def _uploads(self, caller: Caller, names: list[str], markdown: bool) -> Any:
        data = [f"# {name} {len(self.expected)} {index}".encode() for index, name in enumerate(names)]
        return [
            self.run(self.core.upload(name, text if markdown else b"\0" + text, caller))
            for name, text in zip(names, data, strict=True)
        ]

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    @rule(target=jobs, caller=st.sampled_from([ALICE, BOB]))
    def create(self, caller: Caller) -> str:
        job_id = self.run(self.core.create(caller=caller)).job.job.job_id
        self.callers[job_id] = caller
        return job_id

    @rule(
        target=records,
        job_id=jobs,
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
        markdown=st.booleans(),
    )
    def add(self, job_id: str, names: list[str], markdown: bool) -> Any:
        caller = self.callers[job_id]
        return self._note(self.run(self.core.add(job_id, *self._uploads(caller, names, markdown), caller=caller)))

    @rule(record_id=records)
    def remove(self, record_id: str) -> None:
        record = self.expected[record_id]
        removed = self.run(self.core.remove(record.job_id, records=[record_id], caller=self.callers[record.job_id]))
        assert [one.outcome for one in removed.results] == ["ALREADY_REMOVED" if record.deleted else "REMOVED"]
        if not record.deleted:
            record.remove()

    @rule(record_id=records)
    def delete_file(self, record_id: str) -> None:
        record = self.expected[record_id]
        caller = self.callers[record.job_id]
        detail = self.run(self.core.jobs.get_detail(caller, record.job_id))
        for file in detail.files:
            if file.record_id == record_id and file.source_file_id is not None:
                assert not record.deleted
                self.run(self.core.files.delete(caller, file.source_file_id, force=True, request=None))
                record.remove()

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        own = [one for one in self.expected.values() if one.job_id == job_id and one.status in IN_FLIGHT]
        assert self.run(self.core.cancel(job_id, self.callers[job_id])) == len(own)
        for record in own:
            record.cancel()

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    @rule(target=claims, limit=st.integers(1, 4))
    def claim(self, limit: int) -> Any:
        waiting = [one for one in self.expected.values() if one.status is RecordStatus.QUEUED and not one.delayed]
        claimed = self.run(self.core.claim_records(limit))
        assert len(claimed) == min(limit, len(waiting))
        for claim in claimed:
            record = self.expected[claim.record.record_id]
            assert record in waiting
            record.status, record.attempt = RecordStatus.RUNNING, record.attempt + 1
        return multiple(*claimed)

    def _is_current(self, claim: RecordRow) -> bool:
        record = self.expected[claim.record.record_id]
        return record.status is RecordStatus.RUNNING and record.attempt == claim.record.attempt

    @rule(claim=consumes(claims))  # an attempt writes its output once, under a key of its own
    def succeed(self, claim: RecordRow) -> None:
        current = self._is_current(claim)
        assert self.run(self.core.succeed(claim)) is current
        if current:
            self.expected[claim.record.record_id].status = RecordStatus.COMPLETED

    @rule(claim=claims)
    def fail(self, claim: RecordRow) -> None:
        current = self._is_current(claim)
        assert self.run(self.core.work.finish(claim, Failed(RecordError(reason=Reason.NO_TEXT)))) is current
        if current:
            record = self.expected[claim.record.record_id]
            record.status, record.failures = RecordStatus.FAILED, record.failures + 1

    @rule(claim=claims, seconds=st.floats(0, BACK_OFF_SECONDS))
    def retry(self, claim: RecordRow, seconds: float) -> None:
        current = self._is_current(claim)
        outcome = Retry(RecordError(reason=Reason.CONVERTER_CRASHED), seconds)
        assert self.run(self.core.work.finish(claim, outcome)) is current
        if current:
            record = self.expected[claim.record.record_id]
            record.failures += 1
            record.delayed = record.failures < MAX_FAILURES
            record.status = RecordStatus.QUEUED if record.delayed else RecordStatus.FAILED

    @rule(claim=claims)
    def orphan(self, claim: RecordRow) -> None:
        current = self._is_current(claim)
        assert self.run(self.core.work.orphan([claim])) == int(current)
        if current:
            self.expected[claim.record.record_id].orphan()

    @rule()
    def restart(self) -> None:
        self.run(self.core.reopen())
        running = [one for one in self.expected.values() if one.status is RecordStatus.RUNNING]
        assert self.run(self.core.reaper.recover()) == len(running)
        for record in running:
            record.orphan()

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 0.0, 1.0, 86_400.0]))
    def clock_jumps(self, seconds: float) -> None:
        self.core.clock.jump(seconds)

    @rule()
    def due(self) -> None:
        self.core.clock.advance(BACK_OFF_SECONDS)
        next_due = self.run(self.core.work.admit_due())
        for record in self.expected.values():
            record.delayed = record.delayed and next_due is not None
        if next_due is not None:  # the clock was turned back: not yet due, but within the longest back-off
            assert next_due <= self.core.settings.backoff_max_seconds
            self.core.clock.advance(next_due + BACK_OFF_SECONDS)
            assert self.run(self.core.work.admit_due()) is None
            for record in self.expected.values():
                record.delayed = False

    # ── what must hold ─────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def ledger_is_consistent(self) -> None:
        self.run(self.core.check())

    async def _records_of(self, job_id: str) -> list[RecordRow]:
        job = await self.core.job(job_id, self.callers[job_id])
        return await self.core.store.read(lambda rows: rows.records(job_row=job.row_id, show_deleted=True, limit=1_000))

    @invariant()
    def model_agrees(self) -> None:
        for job_id in self.callers:
            rows = self.run(self._records_of(job_id))
            seen = {
                row.record.record_id: Expected(
                    job_id,
                    row.record.status,
                    row.record.attempt,
                    row.record.failures,
                    row.record.orphaned_count,
                    row.record.status is RecordStatus.QUEUED and not row.claimable,
                    row.record.deleted,
                )
                for row in rows
            }
            assert seen == {record_id: one for record_id, one in self.expected.items() if one.job_id == job_id}


LedgerMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "20")),
    stateful_step_count=int(os.environ.get("LEDGER_STEPS", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedger = LedgerMachine.TestCase
