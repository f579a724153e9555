"""When a watcher's stream is to give a sign of life, and when it is to end. All times are monotonic seconds."""

import random

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub

ROTATION_SPREAD = 0.25
"""Streams that began together end up to this fraction apart, so that they do not come back together."""


class StreamPace:
    """The deadlines of one stream. A stream ends after `rotate_seconds` and up to 25 % more."""

    def __init__(self, clock: Clock, hub: Hub, *, heartbeat_seconds: float, rotate_seconds: float) -> None:
        self._clock = clock
        self._hub = hub
        self._heartbeat_seconds = heartbeat_seconds
        self._began = clock.monotonic()
        self._beats = 0
        self._ends_at = self._began + rotate_seconds * (1 + random.uniform(0, ROTATION_SPREAD))

    @property
    def _next_beat(self) -> float:
        """On an absolute clock: a busy stream does not put its heartbeats off (rule 6)."""
        return self._began + (self._beats + 1) * self._heartbeat_seconds

    @property
    def due(self) -> float:
        """When the stream has something to do by itself."""
        return min(self._next_beat, self._ends_at)

    @property
    def beat_is_due(self) -> bool:
        return self._clock.monotonic() >= self._next_beat

    def beaten(self) -> None:
        """A heartbeat is sent: the next one is due at the next multiple of the interval."""
        self._beats = int((self._clock.monotonic() - self._began) // self._heartbeat_seconds)

    def raise_if_over(self) -> None:
        """Raises SERVER_DRAINING and STREAM_ROTATED, for the client to come back."""
        if self._hub.draining:
            raise IngestError(Reason.SERVER_DRAINING, retry_after_seconds=1.0)
        if self._clock.monotonic() >= self._ends_at:
            raise IngestError(Reason.STREAM_ROTATED, retry_after_seconds=0.0)
