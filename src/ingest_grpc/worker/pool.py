"""Claims records for free workers and runs them."""

import asyncio
import logging
from collections.abc import Iterable

from ingest_grpc.service.work import WorkService
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.runner import Runner

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""The queue is looked at this often even if nobody said that it grew."""


class Pool:
    """`size` records at once. Woken by commits that made records claimable, and by workers that become free."""

    def __init__(self, work: WorkService, runner: Runner, leases: Leases, *, size: int, worker_id: str) -> None:
        self._work = work
        self._runner = runner
        self._leases = leases
        self._size = size
        self._worker_id = worker_id
        self._running: dict[int, asyncio.Task[None]] = {}
        self._claims: dict[int, RecordRow] = {}
        self._loop = Loop("worker-pool", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self, grace_seconds: float) -> None:
        """No new claims; running conversions have `grace_seconds`, then they are stopped and given back."""
        await self._loop.stop()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_seconds)
        left = list(self._claims.values())
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._runner.drain()
        await self._work.orphan(left)

    def wake(self) -> None:
        """The queue may have grown."""
        self._loop.wake()

    def stop_records(self, row_ids: Iterable[int]) -> None:
        """Callers cancelled these records: stop their conversions, whose late results are void anyway."""
        for row_id in row_ids:
            task = self._running.get(row_id)
            if task is not None:
                task.cancel()

    async def step(self) -> int:
        """Claims once for all free workers; returns how many records were claimed."""
        free = self._size - len(self._running)
        claims = await self._work.claim(self._worker_id, free) if free > 0 else []
        for claim in claims:
            self._begin(claim)
        return len(claims)

    async def _step(self) -> float:
        await self.step()
        return POLL_SECONDS

    def _begin(self, claim: RecordRow) -> None:
        row_id = claim.record.row_id
        self._leases.hold(claim)
        task = asyncio.create_task(self._runner.run(claim), name=f"record-{claim.record.record_id}")
        self._running[row_id], self._claims[row_id] = task, claim
        task.add_done_callback(lambda done: self._ended(row_id, done))

    def _ended(self, row_id: int, task: asyncio.Task[None]) -> None:
        # A record that was cancelled and added anew may already run again under the same row.
        if self._running.get(row_id) is task:
            del self._running[row_id], self._claims[row_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("worker failed; its record is taken back by the reaper: %s", error)
        self._loop.wake()
