"""What an operator sees of a server: the page of metrics, the push of them, and what is measured for both."""

import asyncio
import logging
from importlib.metadata import version

from ingest_grpc.api.exposure import MetricsExposed, is_loopback
from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.store.interface import Store
from ingest_grpc.telemetry.endpoint import MetricsEndpoint
from ingest_grpc.telemetry.otlp import OtlpPush
from ingest_grpc.worker.sampler import Sampler

log = logging.getLogger(__name__)


class Observing:
    """Started and stopped with the server; does nothing unless metrics are scraped or pushed."""

    def __init__(self, settings: Settings, store: Store, limits: WatchLimits, clock: Clock) -> None:
        """Raises MetricsExposed, OtlpUnavailable."""
        address = settings.metrics_address
        if address is not None and not settings.insecure and not is_loopback(address):
            raise MetricsExposed(f"refused to serve metrics on {address}: whoever reaches it can read them")
        self._endpoint = None if address is None else MetricsEndpoint(address)
        endpoint = settings.otlp_endpoint
        push = None if endpoint is None else OtlpPush(endpoint, version("ingest-grpc"))
        self._sampler = Sampler(store, limits, clock, settings.ledger_path, push, settings.otlp_interval_seconds)
        self._wanted = address is not None or push is not None
        self.address: str | None = None

    def start(self) -> None:
        """Raises MetricsAddressUnavailable."""
        if self._endpoint is not None:
            self.address = self._endpoint.start()
            log.info("metrics are served on http://%s/metrics", self.address)
        if self._wanted:
            self._sampler.start()

    async def stop(self) -> None:
        """Idempotent."""
        if self._wanted:
            await self._sampler.stop()
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.stop)
