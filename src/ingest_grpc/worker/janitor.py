"""Forgets what need not be kept: deleted jobs, expired files and uploads, old request ids, bytes of deleted blobs."""

from functools import partial

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.lifecycle import IN_FLIGHT
from ingest_grpc.model import Job
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.file_services import FileServices
from ingest_grpc.store.interface import Store, Tx
from ingest_grpc.worker.loop import Loop

INTERVAL_SECONDS = 600.0
REQUESTS_PER_TRANSACTION = 1_000
DAY_SECONDS = 86_400
JOBS_PER_ROUND = 100
ROWS_PER_SLICE = 2_000


async def _purge_slice(tx: Tx, *, job: Job, now: int) -> bool:
    return await tx.purge_slice(job, now, ROWS_PER_SLICE)


async def _purge_sections_slice(tx: Tx, *, row_id: int) -> int:
    if (await tx.alignment_by_row(row_id)).alignment.status in IN_FLIGHT:
        return 0
    return await tx.purge_sections(row_id, ROWS_PER_SLICE)


class Janitor:
    """Works in small transactions, so that nobody waits for it."""

    def __init__(self, store: Store, files: FileServices, clock: Clock, *, request_id_days: float) -> None:
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
        await attempted("purging jobs", self._purge_jobs())
        await attempted("purging sections", self._purge_sections())
        await self._files.delete_expired()
        return await attempted("forgetting request ids", self._forget_requests()) or 0

    async def _forget_requests(self) -> int:
        forgotten = 0
        before = self._clock.now() - self._keep
        while count := await self._store.write(lambda tx: tx.forget_requests(before, REQUESTS_PER_TRANSACTION)):
            forgotten += count
        return forgotten

    async def _purge_jobs(self) -> None:
        """Removes jobs whose deletion is old enough, with all that only they use."""
        now = self._clock.now()
        while jobs := await self._store.write(lambda tx: tx.begin_purges(now, JOBS_PER_ROUND)):
            for job in jobs:
                gone = False
                while not gone:  # other writers go between two slices
                    gone = await self._store.write(partial(_purge_slice, job=job, now=now))

    async def _purge_sections(self) -> None:
        """Forgets the results of sections whose alignment has ended: its dataset has them, or nobody needs them."""
        for row_id in await self._store.read(lambda rows: rows.alignments_with_sections()):
            while await self._store.write(partial(_purge_sections_slice, row_id=row_id)):
                continue

    async def _step(self) -> float:
        await self.step()
        return INTERVAL_SECONDS
