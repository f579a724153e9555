"""Lets records join the queue when their back-off is over."""

from ingest_grpc.service.work import WorkService
from ingest_grpc.worker.loop import Loop

POLL_SECONDS = 30.0
"""Looks at least this often: the wall clock may have jumped."""


class Stager:
    """Woken by commits that delayed a record; sleeps until the next one is due."""

    def __init__(self, work: WorkService) -> None:
        self._work = work
        self._loop = Loop("stager", self.step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    def wake(self) -> None:
        self._loop.wake()

    async def step(self) -> float:
        """Admits what is due; returns seconds until the next look."""
        next_due = await self._work.admit_due()
        return POLL_SECONDS if next_due is None else min(next_due, POLL_SECONDS)
