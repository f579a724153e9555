"""Forgets what need not be kept: old request ids, and the bytes of deleted blobs."""

from functools import partial

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.model import Job
from ingest_grpc.service.files import FileService
from ingest_grpc.store.interface import Store, Tx
from ingest_grpc.worker.loop import Loop

INTERVAL_SECONDS = 600.0
REQUESTS_PER_TRANSACTION = 1_000
DAY_SECONDS = 86_400
JOBS_PER_ROUND = 100
ROWS_PER_SLICE = 2_000


async def _purge_slice(tx: Tx, *, job: Job, now: int) -> bool:
    return await tx.purge_slice(job, now, ROWS_PER_SLICE)


class Janitor:
    """Works in small transactions, so that nobody waits for it."""

    def __init__(self, store: Store, files: FileService, clock: Clock, *, request_id_days: float) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._keep = round(request_id_days * DAY_SECONDS * MICROSECONDS)
        self._loop = Loop("janitor", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def step(self) -> int:
        """One round; returns how many request ids were forgotten."""
        await self._purge_jobs()
        await self._files.sweep_blobs()
        forgotten = 0
        before = self._clock.now() - self._keep
        while count := await self._store.write(lambda tx: tx.forget_requests(before, REQUESTS_PER_TRANSACTION)):
            forgotten += count
        return forgotten

    async def _purge_jobs(self) -> None:
        """Removes jobs whose deletion is old enough, with all that only they use."""
        now = self._clock.now()
        while jobs := await self._store.write(lambda tx: tx.jobs_to_purge(now, JOBS_PER_ROUND)):
            for job in jobs:
                gone = False
                while not gone:  # other writers go between two slices
                    gone = await self._store.write(partial(_purge_slice, job=job, now=now))

    async def _step(self) -> float:
        await self.step()
        return INTERVAL_SECONDS
