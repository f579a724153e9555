"""Random lives of jobs against a simple model; after every step the ledger is recounted.

LEDGER_EXAMPLES and LEDGER_STEPS make it run longer, for example 2000 and 50 for a hundred thousand steps.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from obstore.store import MemoryStore

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import Caller, File, JobUpdate, RecordError
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.interface import RecordRow
from tests.factories import ALICE, BOB, Core, quick_disk
from tests.unit.service.ledger_model import MAX_FAILURES, MAX_ORPHANED, Job, Model, Record

T = TypeVar("T")
BACK_OFF_SECONDS = 4.0
NAMES = ("report.pdf", "table.csv", "notes.md")
INDEX = st.integers(0, 9)


class LedgerMachine(RuleBasedStateMachine):
    """Callers of two teams and one worker, whose results may come late.

    A rule names a job, a record or a claim by an index, the newest first; so every call meets something.
    """

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
        self.claims: list[RecordRow] = []
        self.contents = 0
        self.run(self.core.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.core.stop())
        self.runner.close()
        self.folder.cleanup()

    def _job(self, index: int) -> Job:
        return _newest(list(self.model.jobs.values()), index)

    def _record(self, index: int) -> Record:
        return _newest(list(self.model.records.values()), index)

    def _allowed(self, job: Job, call: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What the call answers; None if the job is deleted, and the call was refused for it."""
        if not job.deleted:
            return self.run(call())
        with pytest.raises(IngestError) as raised:
            self.run(call())
        assert raised.value.reason is Reason.JOB_DELETED
        return None

    def _upload(self, job: Job, name: str, markdown: bool) -> File:
        self.contents += 1
        text = f"# {name} {self.contents}".encode()
        content = text if _is_markdown(name, markdown) else b"\0" + text
        return self.run(self.core.upload(name, content, self.callers[job.job_id]))

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    @initialize()
    def begin(self) -> None:
        """A life that begins with nothing mostly stays empty."""
        for caller in (ALICE, BOB):
            self._create(caller)
            self._add(self._job(0), ["report.pdf", "table.csv"], markdown=False)

    def _create(self, caller: Caller) -> None:
        job_id = self.run(self.core.create(caller=caller)).job.job.job_id
        self.callers[job_id] = caller
        self.model.create(caller.team_id, job_id)

    def _add(self, job: Job, names: list[str], *, markdown: bool) -> None:
        files = [self._upload(job, name, markdown) for name in names]
        caller = self.callers[job.job_id]
        done = self._allowed(job, lambda: self.core.add(job.job_id, *files, caller=caller))
        if done is None:
            return
        ids = [result.record_id for result in done.results]
        assert [record_id is None for record_id in ids] == [_is_markdown(name, markdown) for name in names]
        self.model.add(job, done.ingestion_job_id, list(zip(ids, names, strict=True)))
        new = [self.model.records[record_id] for record_id in ids if record_id is not None]
        told = [result.supersedes_record_id for result in done.results if result.record_id is not None]
        assert told == [record.replaces and record.replaces.record_id for record in new]

    @rule(index=INDEX, names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), markdown=st.booleans())
    def add(self, index: int, names: list[str], markdown: bool) -> None:
        self._add(self._job(index), names, markdown=markdown)

    @rule(index=INDEX)
    def remove(self, index: int) -> None:
        record = self._record(index)
        job, caller = record.job, self.callers[record.job.job_id]
        done = self._allowed(job, lambda: self.core.remove(job.job_id, records=[record.record_id], caller=caller))
        if done is not None:
            assert [one.outcome for one in done.results] == ["ALREADY_REMOVED" if record.deleted else "REMOVED"]
            if not record.deleted:
                self.model.remove(record)

    @rule(index=INDEX)
    def cancel(self, index: int) -> None:
        job = self._job(index)
        cancelled = self._allowed(job, lambda: self.core.cancel(job.job_id, self.callers[job.job_id]))
        if cancelled is not None:
            assert cancelled == self.model.cancel(job)

    @rule(index=INDEX, everything=st.booleans())
    def retry_files(self, index: int, everything: bool) -> None:
        record = self._record(index)
        job, wanted = record.job, None if everything else [record.record_id]
        caller = self.callers[job.job_id]
        done = self._allowed(job, lambda: self.core.retries.retry(caller, job.job_id, wanted, None))
        if done is not None:
            retried = self.model.retry(job, job.unresolved if everything else [record])
            assert done.value.records_retried == len(retried)

    @rule(what=st.sampled_from(["create", "rename", "delete", "undelete", "delete file"]), index=INDEX)
    def change(self, what: str, index: int) -> None:
        """What happens seldom."""
        job, settings = self._job(index), self.core.job_settings
        caller = self.callers[job.job_id]
        match what:
            case "create":
                self._create(caller)
            case "rename":
                name = f"name {index % 2}"
                update = JobUpdate(name=name)
                if self._allowed(job, lambda: settings.update(caller, job.job_id, update, "", None)) is not None:
                    self.model.rename(job, name)
            case "delete":
                self.run(settings.delete(caller, job.job_id, "", None))
                self.model.delete(job)
            case "undelete":
                for deleted in [each for each in self.model.jobs.values() if each.deleted]:
                    self.run(settings.undelete(self.callers[deleted.job_id], deleted.job_id, None))
                    self.model.undelete(deleted)
            case _:
                self._delete_file(self._record(index))

    def _delete_file(self, record: Record) -> None:
        """Also one of a job that is deleted: the file is its team's."""
        if not record.deleted:
            caller = self.callers[record.job.job_id]
            file_id = self.run(self.core.ingestion.get_record(caller, record.record_id)).file_id
            self.run(self.core.files.delete(caller, file_id, force=True, request=None))
            self.model.remove(record)

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        claimed = self.run(self.core.claim_records(limit))
        expected = self.model.claim(limit)
        assert [claim.record.record_id for claim in claimed] == [record.record_id for record in expected]
        self.claims += claimed

    def _current(self, claim: RecordRow) -> Record | None:
        record = self.model.records[claim.record.record_id]
        return record if self.model.is_current(record, claim.record.attempt) else None

    @precondition(lambda self: self.claims)
    @rule(index=INDEX)
    def succeed(self, index: int) -> None:
        claim = _newest(self.claims, index)
        self.claims.remove(claim)  # an attempt writes its output once, under a key of its own
        record = self._current(claim)
        assert self.run(self.core.succeed(claim)) is (record is not None)
        if record is not None:
            self.model.succeed(record)

    @precondition(lambda self: self.claims)
    @rule(
        index=INDEX,
        reason=st.sampled_from([Reason.NO_TEXT, Reason.CONVERTER_CRASHED, Reason.SERVICE_UNAVAILABLE]),
        seconds=st.floats(0, BACK_OFF_SECONDS),
    )
    def fail(self, index: int, reason: Reason, seconds: float) -> None:
        claim = _newest(self.claims, index)
        error = RecordError(reason=reason)
        retryable = reason is not Reason.NO_TEXT
        record = self._current(claim)
        outcome = Retry(error, seconds) if retryable else Failed(error)
        assert self.run(self.core.work.finish(claim, outcome)) is (record is not None)
        if record is not None:
            self.model.fail(record, outage=reason is Reason.SERVICE_UNAVAILABLE, retryable=retryable)

    @precondition(lambda self: self.claims)
    @rule(index=INDEX)
    def orphan(self, index: int) -> None:
        claim = _newest(self.claims, index)
        record = self._current(claim)
        assert self.run(self.core.work.orphan([claim])) == (record is not None)
        if record is not None:
            self.model.orphan([record])

    @rule(seconds=st.none() | st.sampled_from([-86_400.0, -1.0, 1.0, 86_400.0]))
    def restart_or_clock_jump(self, seconds: float | None) -> None:
        if seconds is not None:
            self.core.clock.jump(seconds)
            return
        self.run(self.core.reopen())
        running = [one for one in self.model.records.values() if one.status is RecordStatus.RUNNING]
        assert self.run(self.core.reaper.recover()) == len(running)
        self.model.orphan(running)

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
            seen, expected = self.run(self._seen(job)), self._expected(job)
            assert seen == expected, f"seen {seen}, expected {expected}, after {self.run(self._last_events(job))}"

    def _expected(self, job: Job) -> dict[str, object]:
        return {
            "job": (job.status, job.sequence, job.deleted, len(job.unresolved), job.markdown),
            "counts": job.counts(),
            "runs": {run_id: (run.status, len(run.live)) for run_id, run in job.runs.items()},
            "positions": self.model.positions(job),
            "records": {one.record_id: _facts(one) for one in self.model.records.values() if one.job is job},
        }

    async def _seen(self, job: Job) -> dict[str, object]:
        detail = await self.core.jobs.get_detail(self.callers[job.job_id], job.job_id)
        seen, tally = detail.job, detail.job.tally
        records = [record for run in detail.ingestion_jobs for record in run.records]
        return {
            "job": (
                seen.status,
                seen.last_sequence,
                seen.deleted_at is not None,
                tally.unresolved,
                seen.markdown_files,
            ),
            "counts": {status: tally.of(status) for status in RecordStatus if tally.of(status)},
            "runs": {run.ingestion_job_id: (run.status, run.tally.total) for run in detail.ingestion_jobs},
            "positions": {one.record_id: one.queue_position for one in records if one.queue_position is not None},
            "records": await self._records_of(job),
        }

    async def _last_events(self, job: Job) -> list[str]:
        events = await self.core.events(job.job_id, caller=self.callers[job.job_id])
        return [f"{event.sequence} {event.type}" for event in events[-8:]]

    async def _records_of(self, job: Job) -> dict[str, tuple[object, ...]]:
        row_id = (await self.core.job(job.job_id, self.callers[job.job_id])).row_id
        rows = await self.core.store.read(lambda rows: rows.records(job_row=row_id, show_deleted=True, limit=1_000))
        return {row.record.record_id: _facts_of_row(row) for row in rows}


def _is_markdown(name: str, markdown: bool) -> bool:
    return markdown and name.endswith(".md")


def _newest(items: Sequence[T], index: int) -> T:
    return items[-1 - index % len(items)]


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
