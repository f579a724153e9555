"""Lets go of what need not be kept: old events, and outputs whose retention time is over."""

from ingest_grpc.service.retention import Retention
from ingest_grpc.worker.loop import Loop

INTERVAL_SECONDS = 600.0


class Compactor:
    """Looks every ten minutes."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._loop = Loop("compactor", self.step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def step(self) -> float:
        """One round; returns seconds until the next one."""
        await self._retention.expire_outputs()
        await self._retention.compact_events()
        return INTERVAL_SECONDS
