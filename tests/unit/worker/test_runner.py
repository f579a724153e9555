"""One record from claim to outcome, with a double at the executor's seam."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ingest_grpc.blobs.interface import PATIENCE_SECONDS, Output, StoredBlob
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus, Step
from ingest_grpc.model import FileRecord
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest, Converted, Progress
from tests.executors import Gate, OnProgress, converted, fails, raises
from tests.factories import ALICE, Core
from tests.unit.service.test_archives import archive, records


async def claimed(core: Core, filename: str = "a.pdf") -> RecordRow:
    await core.create(await core.upload(filename))
    claim = await core.claim_one()
    core.leases.hold(claim)
    return claim


async def after(core: Core, claim: RecordRow) -> FileRecord:
    await core.check()
    return (await core.record(claim)).record


async def test_run__completes_the_record_with_its_output(core: Core) -> None:
    claim = await claimed(core)
    await core.runner.run(claim)

    record = await after(core, claim)
    assert record.status is RecordStatus.COMPLETED
    assert (record.bytes_out, record.pages, record.step, record.worker_id) == (8, 1, None, None)
    assert record.engine is not None
    assert record.engine.name == "fake"
    assert (await core.files.read(ALICE, record.output_file_id, 0, 100)).text == "# Title\n"
    assert core.executor.requests == [ConversionRequest("a.pdf", "x/y", "SPEED_OPTIMIZED")]
    assert not core.leases.holds(claim)


async def test_run__passes_warnings_and_losses_on(core: Core) -> None:
    async def lossy(request: ConversionRequest, on_progress: OnProgress) -> Converted:
        return Converted("fake", "2", "x/y", None, 8, None, warnings=("odd",), losses=("page 3",))

    core.executor.scripts["a.pdf"] = lossy
    claim = await claimed(core)
    await core.runner.run(claim)
    record = await after(core, claim)
    assert (record.pages, record.warnings, record.losses) == (None, ("odd",), ("page 3",))


@pytest.mark.parametrize("reason", [Reason.EMPTY_FILE, Reason.PDF_UNREADABLE, Reason.NO_TEXT])
async def test_run__of_a_document_that_cannot_be_converted_fails_for_good(core: Core, reason: Reason) -> None:
    core.executor.scripts["a.pdf"] = fails(ConversionFailed(reason, "why"))
    claim = await claimed(core)
    await core.runner.run(claim)

    record = await after(core, claim)
    assert record.status is RecordStatus.FAILED
    assert record.error is not None
    assert (record.error.reason, record.error.step) == (reason, Step.PARSE)


@pytest.mark.parametrize("reason", [Reason.CONVERTER_CRASHED, Reason.CONVERSION_TIMEOUT, Reason.SERVICE_UNAVAILABLE])
async def test_run__of_a_failure_that_may_pass_is_tried_again(core: Core, reason: Reason) -> None:
    core.executor.scripts["a.pdf"] = fails(ConversionFailed(reason, "why"))
    claim = await claimed(core)
    await core.runner.run(claim)

    record = await after(core, claim)
    own_fault = reason is not Reason.SERVICE_UNAVAILABLE
    assert (record.status, record.failures, record.orphaned_count) == (RecordStatus.QUEUED, own_fault, not own_fault)
    assert record.next_attempt_at is not None
    wait = (record.next_attempt_at - core.clock.now()) / 1e6
    assert core.settings.backoff_base_seconds / 2 <= wait <= core.settings.backoff_base_seconds


async def test_run__in_a_long_outage_waits_longer_each_time(core: Core) -> None:
    core.executor.scripts["a.pdf"] = fails(ConversionFailed(Reason.SERVICE_UNAVAILABLE, "why"))
    claim = await claimed(core)
    base = core.settings.backoff_base_seconds
    for outages in range(8):
        await core.runner.run(claim)
        record = await after(core, claim)
        assert record.next_attempt_at is not None
        whole = min(core.settings.backoff_max_seconds, base * 2**outages)
        assert whole / 2 <= (record.next_attempt_at - core.clock.now()) / 1e6 <= whole
        core.clock.advance(whole)
        await core.work.admit_due()
        claim = await core.claim_one()


@pytest.mark.parametrize("transfer", ["open", "commit"])
async def test_run__gives_signs_of_life_while_bytes_move(
    core: Core, monkeypatch: pytest.MonkeyPatch, transfer: str
) -> None:
    """A fetch or a store that takes far longer than a lease is work, as long as its bytes come."""
    claim = await claimed(core)
    core.leases.hold(claim)

    def slowly(on_chunk: Callable[[], None]) -> None:
        for _ in range(10):
            core.clock.advance(core.settings.lease_seconds + PATIENCE_SECONDS - 1)
            assert core.leases.holds(claim)
            on_chunk()

    opened, output = core.blobs.open, core.blobs.output

    @asynccontextmanager
    async def slow_open(key: str, on_chunk: Callable[[], None]) -> AsyncIterator[int]:
        slowly(on_chunk)
        async with opened(key, on_chunk) as fd:
            yield fd

    @asynccontextmanager
    async def slow_output(most_bytes: int | None = None) -> AsyncIterator[Output]:
        async with output(most_bytes) as made:
            commit = made.commit

            async def slow_commit(key: str, on_chunk: Callable[[], None]) -> StoredBlob:
                slowly(on_chunk)
                return await commit(key, on_chunk)

            monkeypatch.setattr(made, "commit", slow_commit)
            yield made

    replaced = {"open": ("open", slow_open), "commit": ("output", slow_output)}[transfer]
    monkeypatch.setattr(core.blobs, *replaced)
    await core.runner.run(claim)
    assert (await after(core, claim)).status is RecordStatus.COMPLETED


async def test_run__of_an_executor_that_breaks_is_an_internal_failure(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    core.executor.scripts["a.pdf"] = raises(ZeroDivisionError("bug"))
    claim = await claimed(core)
    await core.runner.run(claim)

    record = await after(core, claim)
    assert record.status is RecordStatus.QUEUED
    assert record.error is not None
    assert record.error.reason is Reason.INTERNAL
    assert "bug" not in record.error.detail, "what an exception says may be anybody's data"
    assert any(entry.exc_info for entry in caplog.records)


async def test_run__of_a_file_whose_bytes_are_gone(core: Core) -> None:
    claim = await claimed(core)
    assert claim.source is not None
    file = await core.files.get(ALICE, claim.record.file_id)
    await core.blobs.delete(claim.source)
    await core.runner.run(claim)

    record = (await core.record(claim)).record
    assert record.status is RecordStatus.FAILED
    assert record.error is not None
    assert (record.error.reason, record.error.step) == (Reason.FILE_NOT_FOUND, Step.FETCH)
    await core.files.delete(ALICE, file.file_id, force=True, request=None)


@pytest.mark.parametrize("method", ["open", "output"])
async def test_run__of_trouble_with_the_storage_is_tried_again(
    core: Core, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def broken(*_: object) -> object:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    claim = await claimed(core)
    monkeypatch.setattr(core.blobs, method, broken)
    await core.runner.run(claim)

    record = await after(core, claim)
    assert record.status is RecordStatus.QUEUED
    assert record.error is not None
    assert record.error.reason is Reason.SERVICE_UNAVAILABLE


async def test_run__of_an_output_that_does_not_fit_on_the_disk(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = await claimed(core)

    def full(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert isinstance(core.blobs, LocalBlobs)
    monkeypatch.setattr(core.blobs._files, "write", full)
    await core.runner.run(claim)

    record = await after(core, claim)
    assert record.status is RecordStatus.QUEUED
    assert record.error is not None
    assert (record.error.reason, record.error.step) == (Reason.SERVICE_UNAVAILABLE, Step.STORE)


async def test_run__shows_its_step_and_progress_and_forgets_them(core: Core) -> None:
    seen: list[FileRecord] = []
    claim = await claimed(core)

    async def slow(request: ConversionRequest, on_progress: OnProgress) -> Converted:
        seen.append(core.board.overlay(claim.record))
        on_progress(Progress(Step.PARSE, 3, 12, "pages"))
        seen.append(core.board.overlay(claim.record))
        return converted()

    core.executor.scripts["a.pdf"] = slow
    await core.runner.run(claim)
    assert [record.step for record in seen] == [Step.PARSE, Step.PARSE]
    assert [record.progress and record.progress.units_done for record in seen] == [None, 3]
    assert core.board.overlay(claim.record) == claim.record


async def test_run__of_an_old_attempt_leaves_the_progress_of_the_new_one(core: Core) -> None:
    old = await claimed(core)
    gate = core.executor.scripts["a.pdf"] = Gate()
    running = asyncio.create_task(core.runner.run(old))
    await gate.entered.wait()
    await core.orphan(old)
    new = await core.claim_one()
    core.board.report(new.job_row, new.record, Step.STORE)
    gate.opened.set()
    await running

    assert core.board.overlay(new.record).step is Step.STORE
    core.board.forget(new.job_row, new.record)
    assert core.board.overlay(new.record) == new.record


async def test_late_result__of_an_old_attempt_changes_nothing_and_is_dropped(core: Core) -> None:
    old = await claimed(core)
    gate = core.executor.scripts["a.pdf"] = Gate()
    running = asyncio.create_task(core.runner.run(old))
    await gate.entered.wait()
    await core.orphan(old)
    new = await core.claim_one()
    gate.opened.set()
    await running

    assert await after(core, old) == new.record, "its blob is gone too, or the recount would complain"
    await core.runner.run(new)
    assert (await after(core, new)).status is RecordStatus.COMPLETED


async def test_run__of_an_archive_what_the_child_wrote_is_no_part_of_the_listing(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody checks that output: a listing once was written behind whatever was there."""
    found = core.executor.convert

    async def writes(source_fd: int, output_fd: int, *more: Any) -> Any:
        os.write(output_fd, b"\xffno text")
        return await found(source_fd, output_fd, *more)

    monkeypatch.setattr(core.executor, "convert", writes)
    job_id = await archive(core)
    await core.runner.run(await core.claim_one())
    listing = await core.read((await records(core, job_id))["files.zip"].output_file_id)
    assert listing.decode().startswith("# files.zip\n")


async def test_report__that_the_ledger_refuses_drops_the_output(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certainly not stored: the bytes go at once, the record is the reaper's."""
    claim = await claimed(core)

    async def refuses(*_: object) -> bool:
        raise IngestError(Reason.STORAGE_FULL)

    monkeypatch.setattr(core.work, "finish", refuses)
    with pytest.raises(IngestError):
        await core.runner.run(claim)
    assert (await after(core, claim)).status is RecordStatus.RUNNING
    assert not core.leases.holds(claim)


async def test_report__whose_fate_is_unknown_keeps_the_output_for_the_next_start(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await claimed(core)
    finish = core.work.finish

    async def stores_and_breaks(*args: Any) -> bool:
        await finish(*args)
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    monkeypatch.setattr(core.work, "finish", stores_and_breaks)
    with pytest.raises(IngestError):
        await core.runner.run(claim)
    await core.reopen()

    record = await after(core, claim)
    assert record.status is RecordStatus.COMPLETED
    assert (await core.files.read(ALICE, record.output_file_id, 0, 100)).text == "# Title\n"
