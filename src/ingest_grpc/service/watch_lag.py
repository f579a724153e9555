"""How late watchers hear of what happened, sampled."""

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.telemetry.instruments import WATCH_LAG_SECONDS

SAMPLE_EVERY_SECONDS = 0.01
"""One event to ten thousand watchers must not become ten thousand measurements."""


class WatchLag:
    """Takes at most a hundred samples per second, and every delivery of a server that has few."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 0.0

    def delivered(self, happened_at: int) -> None:
        """An event of this time was written to a watcher that waited for it."""
        now = self._clock.monotonic()
        if now >= self._next:
            self._next = now + SAMPLE_EVERY_SECONDS
            WATCH_LAG_SECONDS.observe(max(0, self._clock.now() - happened_at) / MICROSECONDS)
