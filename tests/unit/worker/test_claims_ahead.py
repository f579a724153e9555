"""What the pool claims ahead of its workers while documents are short."""

import asyncio
from math import inf

import pytest

from ingest_grpc.blobs.interface import PATIENCE_SECONDS
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.worker.executors.interface import Converted
from tests.executors import Gate
from tests.factories import ALICE, Core
from tests.workers import gated, statuses, until_idle


async def short_documents(core: Core) -> None:
    """As many as it takes until the pool claims ahead: on a clock that stands still they take no time."""
    await core.create(*await core.uploads(8))
    while await core.pool.step():
        await until_idle(core)


async def crowded(core: Core, *names: str) -> tuple[str, dict[str, Gate]]:
    """As `gated`, after documents that took no time: both workers have one, and two more wait for a worker."""
    await short_documents(core)
    job_id, gates = await gated(core, *names)
    assert await core.pool.step() == 4
    await gates["1"].entered.wait()
    await gates["2"].entered.wait()
    return job_id, gates


def converting(core: Core) -> list[str]:
    """What the executor was given, sorted."""
    return sorted(request.filename for request in core.executor.requests if request.filename.isdigit())


async def test_claims_ahead__go_on_as_soon_as_a_worker_is_free(core: Core) -> None:
    job_id, gates = await crowded(core, "1", "2", "3", "4", "5")
    assert await core.pool.step() == 0
    assert await statuses(core, job_id) == [RecordStatus.RUNNING] * 4 + [RecordStatus.QUEUED]
    assert converting(core) == ["1", "2"]

    gates["2"].opened.set()
    await gates["3"].entered.wait()  # nobody looked into the queue for it
    assert converting(core) == ["1", "2", "3"]
    for gate in gates.values():
        gate.opened.set()
    await until_idle(core)
    assert await core.pool.step() == 1
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 5
    await core.check()


async def test_claims_ahead__are_none_once_a_document_took_long(core: Core) -> None:
    _, gates = await crowded(core, "1", "2", "3", "4", "5", "6", "7")
    core.clock.advance(60)
    for name in ("1", "2", "3", "4"):
        gates[name].opened.set()
    await until_idle(core)
    assert await core.pool.step() == 2


async def test_claims_ahead__keep_their_lease(core: Core) -> None:
    await crowded(core, "1", "2", "3", "4")
    core.clock.advance(core.settings.lease_seconds + core.settings.conversion_timeout_seconds - 1)
    assert [await core.reaper.step() for _ in range(3)] == [0, 0, 0]
    core.clock.advance(1)
    assert [await core.reaper.step() for _ in range(2)] == [0, 2], "the two that have a worker"


async def test_claims_ahead__are_cancelled_before_they_begin(core: Core) -> None:
    job_id, gates = await crowded(core, "1", "2", "3", "4", "5")
    third = (await core.jobs.get_detail(ALICE, job_id)).files[2].record_id
    assert third is not None
    await core.jobs.remove_files(ALICE, job_id, record_ids=[third], file_ids=(), request=None)
    gates["1"].opened.set()
    await gates["4"].entered.wait()
    assert converting(core) == ["1", "2", "4"]
    for gate in gates.values():
        gate.opened.set()
    await until_idle(core)
    assert await core.pool.step() == 1
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 4
    await core.check()


async def test_claims_ahead__that_cannot_be_fetched_take_no_worker(core: Core) -> None:
    await short_documents(core)
    core.executor.scripts.update(gates := {name: Gate() for name in ("1", "2", "3", "4", "5")})
    files = [await core.upload(name) for name in gates]
    job_id = (await core.create(*files)).job.job.job_id
    job_row = (await core.job(job_id)).row_id
    third = (await core.store.read(lambda rows: rows.records(job_row=job_row, limit=5)))[2].record.row_id
    await core.blobs.delete(files[2].blob_key)
    assert await core.pool.step() == 4
    await gates["1"].entered.wait()
    await gates["2"].entered.wait()
    await asyncio.wait([work.task for work in core.pool._running if work.claim.key[1] == third])
    assert (await statuses(core, job_id))[2] is RecordStatus.FAILED
    assert converting(core) == ["1", "2"]
    assert await core.pool.step() == 0
    for gate in gates.values():
        gate.opened.set()
    await until_idle(core)
    assert await core.pool.step() == 1
    await until_idle(core)
    assert (await statuses(core, job_id)).count(RecordStatus.COMPLETED) == 4
    await core.files.delete(
        ALICE, files[2].file_id, force=True, request=None
    )  # its bytes are gone: the books are right


async def test_claims_ahead__are_none_while_a_worker_is_busy_for_long(core: Core) -> None:
    await short_documents(core)
    _, gates = await gated(core, "1")
    assert await core.pool.step() == 1
    await gates["1"].entered.wait()
    core.clock.advance(1)
    _, others = await gated(core, "2", "3", "4")
    assert await core.pool.step() == 1
    for gate in (*gates.values(), *others.values()):
        gate.opened.set()
    await until_idle(core)


async def test_claims_ahead__wait_for_workers_that_have_not_ended(core: Core) -> None:
    """A cancelled conversion may take its time, and its record may be claimed anew meanwhile, under the same row."""
    await short_documents(core)
    entered, may_end = asyncio.Semaphore(0), asyncio.Event()

    async def ends_late(*_: object) -> Converted:
        entered.release()
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
        raise AssertionError("only cancelled")

    core.executor.scripts.update({"1": ends_late, "2": ends_late})
    created = await core.create(*[await core.upload(name) for name in ("1", "2")])
    job_id = created.job.job.job_id
    assert await core.pool.step() == 2
    await entered.acquire()
    await entered.acquire()
    await core.jobs.cancel(ALICE, job_id, None)
    core.executor.scripts.clear()
    await core.retries.retry(ALICE, job_id, None, None)
    assert await core.pool.step() == 2
    await core.work.admit_due()  # a turn of the loop, and of the writer
    assert converting(core) == ["1", "2"]
    may_end.set()
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 2
    await core.check()


async def test_claims_ahead__are_given_back_before_what_has_a_worker_ends(core: Core) -> None:
    job_id, gates = await crowded(core, "1", "2", "3", "4")
    stopping = asyncio.create_task(core.pool.stop(grace_seconds=10))
    signal = core.hub.subscribe((await core.job(job_id)).row_id)
    while await statuses(core, job_id) != [RecordStatus.RUNNING] * 2 + [RecordStatus.QUEUED] * 2:
        await asyncio.wait_for(signal.wait(inf), 5)
        signal.clear()
    gates["1"].opened.set()
    gates["2"].opened.set()
    await stopping
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 2 + [RecordStatus.QUEUED] * 2
    assert converting(core) == ["1", "2"]
    await core.check()


async def test_claims_ahead__are_patient_once_they_have_a_worker(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before the conversion may wait for a storage that tries again by itself."""
    reached = asyncio.Event()

    async def hangs(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    await core.create(await core.upload("1"))
    monkeypatch.setattr(core.runner, "_markdown", hangs)
    assert await core.pool.step() == 1
    await reached.wait()
    core.clock.advance(core.settings.lease_seconds + PATIENCE_SECONDS - 1)
    assert [await core.reaper.step() for _ in range(3)] == [0, 0, 0]
    await core.pool.stop(0)
