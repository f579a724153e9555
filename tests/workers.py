"""What tests of workers say to the pool of a core, and ask of it."""

import asyncio

from ingest_grpc.lifecycle import RecordStatus
from tests.executors import Gate
from tests.factories import ALICE, Core


async def until_idle(core: Core) -> None:
    """Every record that the pool took has ended."""
    while tasks := [work.task for work in core.pool._running]:
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the done-callbacks of the pool run
    await core.runner.drain()


async def statuses(core: Core, job_id: str) -> list[RecordStatus]:
    detail = await core.jobs.get_detail(ALICE, job_id)
    return [file.status for file in detail.files]


async def gated(core: Core, *names: str) -> tuple[str, dict[str, Gate]]:
    """A job of files whose conversions wait for their gates."""
    gates = {name: Gate() for name in names}
    core.executor.scripts.update(gates)
    created = await core.create(*[await core.upload(name) for name in names])
    return created.job.job.job_id, gates
