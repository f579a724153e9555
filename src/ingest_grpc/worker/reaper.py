"""Takes back what is running although nobody works on it."""

import logging

from ingest_grpc.service.work import WorkService
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.pool import Pool

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 5.0


class Reaper:
    """A record or an alignment is lost when it was running at two looks in a row without a lease.

    Two looks, because a claim is committed a moment before its lease is taken. This also finds a claim
    whose caller never heard that it was committed.
    """

    def __init__(self, work: WorkService, leases: Leases, pool: Pool) -> None:
        self._work = work
        self._leases = leases
        self._pool = pool
        self._suspects: set[tuple[tuple[str, int], int]] = set()
        self._loop = Loop("reaper", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def recover(self) -> int:
        """At start, before any claim: the ledger is ours alone, so all that is running is an orphan."""
        return await self._work.orphan(await self._work.running())

    async def step(self) -> int:
        """One look; returns how much was taken back."""
        unheld = [claim for claim in await self._work.running() if not self._leases.holds(claim)]
        seen = {(claim.key, claim.attempt) for claim in unheld}
        lost = [claim for claim in unheld if (claim.key, claim.attempt) in self._suspects]
        self._suspects = seen
        if not lost:
            return 0
        log.warning("taking back %d claims without a worker", len(lost))
        taken = await self._work.orphan(lost)
        self._pool.stop_claims((claim.key, claim.attempt) for claim in lost)
        return taken

    async def _step(self) -> float:
        await self.step()
        return INTERVAL_SECONDS
