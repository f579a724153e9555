"""Measures what nobody counts as it happens: how full the queue, the ledger and the disk are, and who watches."""

import asyncio
import logging
import shutil
from pathlib import Path

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.store.interface import Store
from ingest_grpc.telemetry import instruments
from ingest_grpc.telemetry.otlp import OtlpPush
from ingest_grpc.worker.loop import Loop

log = logging.getLogger(__name__)

SAMPLE_SECONDS = 5.0


class Sampler:
    """Sets the gauges every five seconds, and pushes all metrics after every `push_seconds` where that is asked for."""

    def __init__(
        self, store: Store, limits: WatchLimits, clock: Clock, ledger: Path, push: OtlpPush | None, push_seconds: float
    ) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock
        self._ledger = ledger
        self._push = push
        self._push_seconds = push_seconds
        self._next_push = clock.monotonic()
        self._loop = Loop("sampler", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """What happened since the last push is pushed too."""
        await self._loop.stop()
        if self._push is not None:
            await asyncio.to_thread(self._push.push)
            await asyncio.to_thread(self._push.stop)

    async def step(self) -> None:
        """Sets all gauges; those of the queue keep their values while the ledger cannot be read."""
        instruments.LEDGER_HEALTHY.set(self._store.healthy)
        instruments.WRITES_WAITING.set(self._store.writes_waiting)
        instruments.TASKS.set(len(asyncio.all_tasks()))
        wal = self._ledger.with_name(f"{self._ledger.name}-wal")
        instruments.WAL_BYTES.set(wal.stat().st_size if wal.exists() else 0)
        instruments.DISK_FREE_BYTES.set(shutil.disk_usage(self._ledger.parent).free)
        for of, count in self._limits.open.items():
            instruments.WATCHERS.labels(of).set(count)
        try:
            queue = await self._store.read(lambda rows: rows.queue_state())
        except IngestError as error:
            log.warning("the queue could not be measured: %s", error)
            return
        age = 0 if queue.oldest_at is None else max(0, self._clock.now() - queue.oldest_at)
        instruments.QUEUED.set(queue.claimable)
        instruments.QUEUE_AGE_SECONDS.set(age / MICROSECONDS)
        instruments.DELAYED.set(queue.delayed)
        instruments.RUNNING.set(queue.running)

    async def _step(self) -> float:
        await self.step()
        now = self._clock.monotonic()
        if self._push is not None and now >= self._next_push:
            self._next_push = now + self._push_seconds
            if not await asyncio.to_thread(self._push.push):
                log.warning("the metrics could not be pushed; what they count is pushed the next time")
        return SAMPLE_SECONDS
