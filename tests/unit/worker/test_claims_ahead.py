"""What the pool claims ahead of its workers while documents are short."""

import asyncio

from ingest_grpc.lifecycle import RecordStatus
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
    await core.blobs.delete(files[2].blob_key)
    assert await core.pool.step() == 4
    await gates["1"].entered.wait()
    await gates["2"].entered.wait()
    await asyncio.wait([list(core.pool._running.values())[2].task])
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


async def test_claims_ahead__are_given_back_while_what_has_a_worker_ends(core: Core) -> None:
    job_id, gates = await crowded(core, "1", "2", "3", "4")
    stopping = asyncio.create_task(core.pool.stop(grace_seconds=10))
    gates["1"].opened.set()
    gates["2"].opened.set()
    await stopping
    assert await statuses(core, job_id) == [RecordStatus.COMPLETED] * 2 + [RecordStatus.QUEUED] * 2
    assert converting(core) == ["1", "2"]
    await core.check()
