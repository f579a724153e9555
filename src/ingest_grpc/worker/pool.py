"""Claims records and alignments for free workers and runs them."""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial

from ingest_grpc.errors import IngestError
from ingest_grpc.service.work import WorkService
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Claim
from ingest_grpc.worker.aligner import AlignmentRunner
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.runner import Runner

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""The queue is looked at this often even if nobody said that it grew."""


class Pool:
    """`size` claims at once. Woken by commits that made something claimable, and by workers that become free.

    A record that is converted, and only has to be stored and reported, takes no worker: its converter would stand
    still for two commits between any two documents. At most `size` records are in that state.
    """

    def __init__(
        self,
        work: WorkService,
        runner: Runner,
        aligner: AlignmentRunner,
        leases: Leases,
        *,
        size: int,
        worker_id: str,
    ) -> None:
        self._work = work
        self._runner = runner
        self._aligner = aligner
        self._leases = leases
        self._size = size
        self._worker_id = worker_id
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._claims: dict[tuple[str, int], Claim] = {}
        self._converted: set[tuple[str, int]] = set()
        self._loop = Loop("worker-pool", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self, grace_seconds: float) -> None:
        """No new claims; what runs has `grace_seconds`, then it is stopped and given back."""
        await self._loop.stop()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_seconds)
        left = list(self._claims.values())
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._runner.drain()
        try:
            await self._work.orphan(left)
        except IngestError as error:  # a ledger that cannot be written must not keep the server from its end
            log.warning("%d claims are given back by the next start: %s", len(left), error)

    def wake(self) -> None:
        """The queue may have grown."""
        self._loop.wake()

    def stop_claims(self, keys: Iterable[tuple[str, int]]) -> None:
        """Callers cancelled these: stop the work on them, whose late results are void anyway."""
        for key in keys:
            task = self._running.get(key)
            if task is not None:
                task.cancel()

    async def step(self) -> int:
        """Claims once for all free workers; returns how much was claimed."""
        free = self._size - max(len(self._running) - len(self._converted), len(self._running) - self._size)
        claims = await self._work.claim(self._worker_id, free) if free > 0 else []
        for claim in claims:
            self._begin(claim)
        return len(claims)

    async def _step(self) -> float:
        await self.step()
        return POLL_SECONDS

    def _begin(self, claim: Claim) -> None:
        key = claim.key
        self._leases.hold(claim)
        if isinstance(claim, AlignmentRow):
            work = self._aligner.run(claim)
        else:
            work = self._runner.run(claim, partial(self._is_converted, key, claim))
        task = asyncio.create_task(work, name=f"{key[0]}-{key[1]}")
        self._running[key], self._claims[key] = task, claim
        task.add_done_callback(lambda done: self._ended(key, done))

    def _is_converted(self, key: tuple[str, int], claim: Claim) -> None:
        if self._claims.get(key) is claim and key not in self._converted:
            self._converted.add(key)
            self._loop.wake()

    def _ended(self, key: tuple[str, int], task: asyncio.Task[None]) -> None:
        # A record that was cancelled and added anew may already run again under the same row.
        if self._running.get(key) is task:
            del self._running[key], self._claims[key]
            self._converted.discard(key)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("worker failed; its claim is taken back by the reaper: %s", error)
        self._loop.wake()
