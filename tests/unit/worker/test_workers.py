"""Pool, reaper, stager and janitor, step by step on a clock that is turned by hand."""

import asyncio
import sqlite3
from collections.abc import Callable

import pytest

from ingest_grpc.lifecycle import JobStatus, RecordStatus
from ingest_grpc.model import EventType
from ingest_grpc.service.work import Outcome
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.store.sqlite.tx import SqliteTx
from ingest_grpc.worker.runner import Turn
from ingest_grpc.worker.stager import POLL_SECONDS
from tests.factories import ALICE, Core, request, to_add
from tests.faults import cancelled_at
from tests.workers import gated, statuses, until_idle

# ── pool ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_pool__claims_for_its_free_workers_only(core: Core) -> None:
    job_id, gates = await gated(core, "1", "2", "3")
    assert core.settings.workers == 2
    assert await core.pool.step() == 2
    await gates["1"].entered.wait()
    await gates["2"].entered.wait()
    assert await core.pool.step() == 0
    assert await statuses(core, job_id) == [RecordStatus.RUNNING, RecordStatus.RUNNING, RecordStatus.QUEUED]

    for gate in gates.values():
        gate.opened.set()
    await until_idle(core)
    assert await core.pool.step() == 1
    await until_idle(core)
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START


async def test_pool__does_not_wait_until_what_is_converted_is_reported(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But does not pile it up: there are at most as many of these as workers."""
    names = ("1", "2", "3", "4", "5")
    job_id, gates = await gated(core, *names)
    finish, reported, may_report = core.work.finish, asyncio.Semaphore(0), asyncio.Event()

    async def held_back(claim: RecordRow, outcome: Outcome) -> bool:
        reported.release()
        await may_report.wait()
        return await finish(claim, outcome)

    monkeypatch.setattr(core.work, "finish", held_back)
    for name in names:
        gates[name].opened.set()
    for _ in range(2):
        assert await core.pool.step() == 2
        await reported.acquire()
        await reported.acquire()
    assert await core.pool.step() == 0
    assert await statuses(core, job_id) == [RecordStatus.RUNNING] * 4 + [RecordStatus.QUEUED]

    may_report.set()
    await until_idle(core)
    assert await core.pool.step() == 1
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 5


async def test_pool__whose_record_breaks_it_goes_on(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, gates = await gated(core, "1")

    async def breaks(_claim: RecordRow, _turn: Turn, _on_converted: Callable[[], None]) -> None:
        raise ZeroDivisionError("a bug of the runner")

    with monkeypatch.context() as patched:
        patched.setattr(core.runner, "run", breaks)
        await core.pool.step()
        await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.RUNNING]
    core.clock.advance(core.settings.lease_seconds)
    assert [await core.reaper.step() for _ in range(2)] == [0, 1]
    gates["1"].opened.set()
    await core.pool.step()
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED]


async def test_cancelled_record__stops_its_conversion(core: Core) -> None:
    job_id, gates = await gated(core, "1", "2")
    await core.pool.step()
    await gates["1"].entered.wait()
    await gates["2"].entered.wait()
    detail = await core.jobs.get_detail(ALICE, job_id)
    assert detail.files[0].record_id is not None
    await core.jobs.remove_files(ALICE, job_id, record_ids=[detail.files[0].record_id], file_ids=(), request=None)
    gates["2"].opened.set()
    await until_idle(core)

    assert core.executor.cancelled == ["1"]
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED]
    await core.check()


async def test_pool__stop_lets_running_conversions_end_within_the_grace(core: Core) -> None:
    job_id, gates = await gated(core, "1")
    await core.pool.step()
    await gates["1"].entered.wait()
    stopping = asyncio.create_task(core.pool.stop(grace_seconds=10))
    await asyncio.sleep(0)
    gates["1"].opened.set()
    await stopping
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED]


async def test_pool__stop_gives_back_what_did_not_end(core: Core) -> None:
    job_id, gates = await gated(core, "1")
    await core.pool.step()
    await gates["1"].entered.wait()
    await core.pool.stop(grace_seconds=0)

    assert core.executor.cancelled == ["1"]
    assert await statuses(core, job_id) == [RecordStatus.QUEUED]
    assert (await core.event_types(job_id))[-1] is EventType.RECORD_ORPHANED
    await core.check()


async def test_pool__stop_ends_though_the_ledger_takes_nothing_back(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, gates = await gated(core, "1")
    await core.pool.step()
    await gates["1"].entered.wait()
    with monkeypatch.context() as broken:
        broken.setattr(core.store._writer, "healthy", False)
        await core.pool.stop(grace_seconds=0)
    assert await statuses(core, job_id) == [RecordStatus.RUNNING]
    assert await core.reaper.recover() == 1, "as the next start does"


async def test_pool__runs_by_itself(core: Core) -> None:
    """Started, it needs no one: the commit that adds files and each end of a conversion wake it."""
    core.pool.start()
    job_id = (await core.create()).job.job.job_id
    signal = core.hub.subscribe((await core.job(job_id)).row_id)
    files = await core.uploads(7)
    await core.jobs.add_files(ALICE, job_id, to_add(*files), method=None, allow_partial=False, request=None)
    async with asyncio.timeout(10):
        while True:
            signal.clear()
            if (job := await core.job(job_id)).facts.settled:
                break
            await signal.wait(float("inf"))
    await core.pool.stop(1)
    assert job.tally.completed == 7


# ── reaper ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_reaper__takes_a_record_back_at_the_second_look(core: Core) -> None:
    """Committed, but its caller was cancelled before it took a lease: nobody works on it."""
    created = await core.create(await core.upload())
    await asyncio.gather(cancelled_at(core.pool.step(), 1), return_exceptions=True)
    await core.work.admit_due()  # a barrier: the claim is committed
    assert await statuses(core, created.job.job.job_id) == [RecordStatus.RUNNING]

    assert await core.reaper.step() == 0, "it may have been claimed a moment ago"
    assert await core.reaper.step() == 1
    assert await statuses(core, created.job.job.job_id) == [RecordStatus.QUEUED]
    assert await core.reaper.step() == 0
    await core.check()


async def test_reaper__lets_a_leased_record_be(core: Core) -> None:
    _, gates = await gated(core, "1")
    await core.pool.step()
    await gates["1"].entered.wait()
    conversion = core.settings.lease_seconds + core.settings.conversion_timeout_seconds
    core.clock.advance(conversion - 1)
    assert [await core.reaper.step() for _ in range(3)] == [0, 0, 0]


async def test_reaper__stops_a_worker_that_gave_no_sign_of_life(core: Core) -> None:
    job_id, gates = await gated(core, "1")
    await core.pool.step()
    await gates["1"].entered.wait()
    core.clock.advance(core.settings.lease_seconds + core.settings.conversion_timeout_seconds)
    assert [await core.reaper.step() for _ in range(2)] == [0, 1]
    await until_idle(core)

    assert core.executor.cancelled == ["1"]
    assert await statuses(core, job_id) == [RecordStatus.QUEUED]
    await core.check()


async def test_reaper__suspects_each_attempt_anew(core: Core) -> None:
    await core.create(await core.upload())
    old = await core.claim_one()
    assert await core.reaper.step() == 0
    await core.orphan(old)
    new = await core.claim_one()
    assert await core.reaper.step() == 0, "the first look at this attempt"
    core.leases.hold(new)
    assert await core.reaper.step() == 0
    assert (await core.record(new)).record == new.record


async def test_recover__at_start_every_running_record_is_an_orphan(core: Core) -> None:
    created = await core.create(*await core.uploads(3))
    await core.claim(2)
    await core.reopen()

    assert await core.reaper.recover() == 2
    await core.check()
    assert await statuses(core, created.job.job.job_id) == [RecordStatus.QUEUED] * 3
    assert await core.reaper.recover() == 0


# ── stager and janitor ─────────────────────────────────────────────────────────────────────────────────────


async def test_stager__admits_what_is_due_and_tells_when_to_look_again(core: Core) -> None:
    await core.create(*await core.uploads(2))
    assert await core.stager.step() == POLL_SECONDS
    soon, late = await core.claim(2)
    await core.retry(soon, after_seconds=5.0)
    await core.retry(late, after_seconds=100.0)

    assert await core.stager.step() == pytest.approx(5.0)
    core.clock.advance(5.0)
    assert await core.stager.step() == POLL_SECONDS
    assert [claim.record.record_id for claim in await core.claim(2)] == [soon.record.record_id]


async def test_stager__admits_at_once_what_is_due_beyond_the_longest_back_off(core: Core) -> None:
    """The wall clock was turned back by a day: nobody waits a day longer for it."""
    await core.create(await core.upload())
    await core.retry(await core.claim_one(), after_seconds=10.0)
    core.clock.jump(-86_400)
    await core.stager.step()
    assert len(await core.claim()) == 1


async def test_stager__is_asked_for_by_the_commit_that_delays_a_record(core: Core) -> None:
    await core.create(await core.upload())
    claim = await core.claim_one()
    await core.retry(claim, after_seconds=1.0)
    assert core.commits[-1].delayed
    assert not core.commits[-1].claimable
    core.clock.advance(1.0)
    await core.stager.step()
    assert core.commits[-1].claimable


async def test_janitor__drops_the_bytes_of_deleted_files(core: Core) -> None:
    file = await core.upload()
    await core.store.write(lambda tx: tx.delete_file(file, core.clock.now()))
    await core.janitor.step()
    assert not await core.blobs.exists(file.blob_key)
    assert await core.store.read(lambda rows: rows.deleted_blobs(10)) == []


@pytest.mark.parametrize("broken", ["begin_purges", "expired_uploads", "expired_files"])
async def test_janitor__does_the_rest_of_its_round_when_a_part_of_it_fails(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    async def fails(*_: object) -> None:
        raise sqlite3.IntegrityError("a purge that cannot be done")

    file = await core.upload()
    await core.files.delete(ALICE, file.file_id, force=False, request=request("delete"))
    core.clock.advance((core.settings.request_id_days + 1) * 86_400)
    with monkeypatch.context() as patched:
        owner = next(each for each in SqliteTx.__mro__ if broken in vars(each))  # what readers have as well
        patched.setattr(owner, broken, fails)
        assert await core.janitor.step() == 1, "the request id is forgotten"
    assert "a purge that cannot be done" in caplog.text
