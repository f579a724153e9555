"""Random lives of jobs against a simple model; after every step the ledger is recounted.

LEDGER_EXAMPLES and LEDGER_STEPS make it run longer, for example 2000 and 50 for a hundred thousand steps.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from obstore.store import MemoryStore

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import Caller, JobUpdate, RecordError
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.interface import RecordRow
from tests.factories import ALICE, BOB, Core, quick_disk
from tests.unit.service.ledger_model import MAX_FAILURES, MAX_ORPHANED, Job, Model, Record

T = TypeVar("T")
BACK_OFF_SECONDS = 4.0
NAMES = ("report.pdf", "table.csv", "notes.md")


class LedgerMachine(RuleBasedStateMachine):
    """Callers of two teams and one worker, whose results may come late."""

    jobs = Bundle("jobs")
    records = Bundle("records")
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
        self.model = Model()
        self.callers: dict[str, Caller] = {}
        self.contents = 0
        self.run(self.core.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.core.stop())
        self.runner.close()
        self.folder.cleanup()

    def _refused(self, job: Job, call: Coroutine[Any, Any, object]) -> bool:
        """Whether the job is deleted, and the call refused for it."""
        if job.deleted:
            with pytest.raises(IngestError) as raised:
                self.run(call)
            assert raised.value.reason is Reason.JOB_DELETED
        else:
            call.close()
        return job.deleted

    def _upload(self, job: Job, name: str, markdown: bool) -> Any:
        self.contents += 1
        text = f"# {name} {self.contents}".encode()
        content = text if _is_markdown(name, markdown) else b"\0" + text
        return self.run(self.core.upload(name, content, self.callers[job.job_id]))

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    @rule(target=jobs, caller=st.sampled_from([ALICE, BOB]))
    def create(self, caller: Caller) -> Job:
        job_id = self.run(self.core.create(caller=caller)).job.job.job_id
        self.callers[job_id] = caller
        self.model.create(caller.team_id, job_id)
        return self.model.jobs[job_id]

    @rule(
        target=records,
        job=jobs,
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
        markdown=st.booleans(),
    )
    def add(self, job: Job, names: list[str], markdown: bool) -> Any:
        files = [self._upload(job, name, markdown) for name in names]
        caller = self.callers[job.job_id]
        if self._refused(job, self.core.add(job.job_id, *files, caller=caller)):
            return multiple()
        done = self.run(self.core.add(job.job_id, *files, caller=caller))
        ids = [result.record_id for result in done.results]
        assert [record_id is None for record_id in ids] == [_is_markdown(name, markdown) for name in names]
        self.model.add(job, done.ingestion_job_id, list(zip(ids, names, strict=True)))
        new = [self.model.records[record_id] for record_id in ids if record_id is not None]
        told = [result.supersedes_record_id for result in done.results if result.record_id is not None]
        assert told == [record.replaces and record.replaces.record_id for record in new]
        return multiple(*new)

    @rule(record=records)
    def remove(self, record: Record) -> None:
        job = record.job

        def call() -> Coroutine[Any, Any, Any]:
            return self.core.remove(job.job_id, records=[record.record_id], caller=self.callers[job.job_id])

        if not self._refused(job, call()):
            removed = self.run(call())
            assert [one.outcome for one in removed.results] == ["ALREADY_REMOVED" if record.deleted else "REMOVED"]
            if not record.deleted:
                self.model.remove(record)

    @rule(record=records)
    def delete_file(self, record: Record) -> None:
        """Of a job that is deleted, too: the file is its team's."""
        caller = self.callers[record.job.job_id]
        if not record.deleted:
            file_id = self.run(self.core.ingestion.get_record(caller, record.record_id)).file_id
            self.run(self.core.files.delete(caller, file_id, force=True, request=None))
            self.model.remove(record)

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        caller = self.callers[job.job_id]
        if not self._refused(job, self.core.cancel(job.job_id, caller)):
            assert self.run(self.core.cancel(job.job_id, caller)) == self.model.cancel(job)

    @rule(record=records, everything=st.booleans())
    def retry_files(self, record: Record, everything: bool) -> None:
        job = record.job
        wanted = None if everything else [record.record_id]

        def call() -> Coroutine[Any, Any, Any]:
            return self.core.retries.retry(self.callers[job.job_id], job.job_id, wanted, None)

        if not self._refused(job, call()):
            done = self.run(call())
            retried = self.model.retry(job, sorted(job.unresolved, key=_number) if everything else [record])
            assert done.value.records_retried == len(retried)

    @rule(job=jobs, name=st.sampled_from(["job", "another"]))
    def rename(self, job: Job, name: str) -> None:
        def call() -> Coroutine[Any, Any, Any]:
            return self.core.job_settings.update(self.callers[job.job_id], job.job_id, JobUpdate(name=name), "", None)

        if not self._refused(job, call()):
            self.run(call())
            self.model.rename(job, name)

    @rule(job=jobs, undelete=st.booleans())
    def delete(self, job: Job, undelete: bool) -> None:
        caller = self.callers[job.job_id]
        self.run(self.core.job_settings.delete(caller, job.job_id, "", None))
        self.model.delete(job)
        if undelete:
            self.run(self.core.job_settings.undelete(caller, job.job_id, None))
            self.model.undelete(job)

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    @rule(target=claims, limit=st.integers(1, 4))
    def claim(self, limit: int) -> Any:
        claimed = self.run(self.core.claim_records(limit))
        expected = self.model.claim(limit)
        assert [claim.record.record_id for claim in claimed] == [record.record_id for record in expected]
        return multiple(*claimed)

    def _current(self, claim: RecordRow) -> Record | None:
        record = self.model.records[claim.record.record_id]
        return record if self.model.is_current(record, claim.record.attempt) else None

    @rule(claim=consumes(claims))  # an attempt writes its output once, under a key of its own
    def succeed(self, claim: RecordRow) -> None:
        record = self._current(claim)
        assert self.run(self.core.succeed(claim)) is (record is not None)
        if record is not None:
            self.model.succeed(record)

    @rule(
        claim=claims,
        reason=st.sampled_from([Reason.NO_TEXT, Reason.CONVERTER_CRASHED, Reason.SERVICE_UNAVAILABLE]),
        seconds=st.floats(0, BACK_OFF_SECONDS),
    )
    def fail(self, claim: RecordRow, reason: Reason, seconds: float) -> None:
        error = RecordError(reason=reason)
        retryable = reason is not Reason.NO_TEXT
        record = self._current(claim)
        outcome = Retry(error, seconds) if retryable else Failed(error)
        assert self.run(self.core.work.finish(claim, outcome)) is (record is not None)
        if record is not None:
            self.model.fail(record, outage=reason is Reason.SERVICE_UNAVAILABLE, retryable=retryable)

    @rule(claim=claims)
    def orphan(self, claim: RecordRow) -> None:
        record = self._current(claim)
        assert self.run(self.core.work.orphan([claim])) == (record is not None)
        if record is not None:
            self.model.orphan([record])

    @rule()
    def restart(self) -> None:
        self.run(self.core.reopen())
        running = [one for one in self.model.records.values() if one.status is RecordStatus.RUNNING]
        assert self.run(self.core.reaper.recover()) == len(running)
        self.model.orphan(running)

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 0.0, 1.0, 86_400.0]))
    def clock_jumps(self, seconds: float) -> None:
        self.core.clock.jump(seconds)

    @rule()
    def due(self) -> None:
        self.core.clock.advance(BACK_OFF_SECONDS)
        next_due = self.run(self.core.work.admit_due())
        if next_due is not None:  # the clock was turned back: not yet due, but within the longest back-off
            assert next_due <= self.core.settings.backoff_max_seconds
            self.core.clock.advance(next_due + BACK_OFF_SECONDS)
            assert self.run(self.core.work.admit_due()) is None
        for record in self.model.records.values():
            record.delayed = False

    # ── what must hold ─────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def ledger_is_consistent(self) -> None:
        self.run(self.core.check())

    @invariant()
    def model_agrees(self) -> None:
        for job in self.model.jobs.values():
            detail = self.run(self.core.jobs.get_detail(self.callers[job.job_id], job.job_id))
            seen = detail.job
            assert (seen.status, seen.last_sequence, seen.deleted_at is not None) == (
                job.status,
                job.sequence,
                job.deleted,
            )
            assert {status: seen.tally.of(status) for status in RecordStatus if seen.tally.of(status)} == job.counts()
            assert (seen.tally.unresolved, seen.markdown_files) == (len(job.unresolved), job.markdown)
            runs = {run.ingestion_job_id: (run.status, run.tally.total) for run in detail.ingestion_jobs}
            assert runs == {run_id: (run.status, len(run.live)) for run_id, run in job.runs.items()}
            places = {
                record.record_id: record.queue_position
                for run in detail.ingestion_jobs
                for record in run.records
                if record.queue_position is not None
            }
            assert places == self.model.positions(job)
            assert self.run(self._records_of(job)) == {
                record.record_id: _facts(record) for record in self.model.records.values() if record.job is job
            }

    async def _records_of(self, job: Job) -> dict[str, tuple[object, ...]]:
        row_id = (await self.core.job(job.job_id, self.callers[job.job_id])).row_id
        rows = await self.core.store.read(lambda rows: rows.records(job_row=row_id, show_deleted=True, limit=1_000))
        return {row.record.record_id: _facts_of_row(row) for row in rows}


def _is_markdown(name: str, markdown: bool) -> bool:
    return markdown and name.endswith(".md")


def _number(record: Record) -> int:
    return record.number


def _facts(record: Record) -> tuple[object, ...]:
    return (
        record.status,
        record.attempt,
        record.failures,
        record.orphaned,
        record.delayed,
        record.deleted,
        record.superseded,
    )


def _facts_of_row(row: RecordRow) -> tuple[object, ...]:
    record = row.record
    return (
        record.status,
        record.attempt,
        record.failures,
        record.orphaned_count,
        record.status is RecordStatus.QUEUED and not row.claimable,
        record.deleted,
        record.superseded_by is not None,
    )


LedgerMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "50")),
    stateful_step_count=int(os.environ.get("LEDGER_STEPS", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedger = LedgerMachine.TestCase
