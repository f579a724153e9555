"""When a watcher's stream is to give a sign of life, and when it is to end. All times are monotonic seconds."""

import random

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub

ROTATION_SPREAD = 0.25
"""Streams that began together end up to this fraction apart, so that they do not come back together."""


class StreamPace:
    """The deadlines of one stream. A stream ends after `rotate_seconds` and up to 25 % more."""

    __slots__ = ("_began", "_clock", "_ends_at", "_heartbeat_seconds", "_hub", "_next_beat", "due")

    def __init__(self, clock: Clock, hub: Hub, *, heartbeat_seconds: float, rotate_seconds: float) -> None:
        self._clock = clock
        self._hub = hub
        self._heartbeat_seconds = heartbeat_seconds
        self._began = clock.monotonic()
        self._next_beat = self._began + heartbeat_seconds
        self._ends_at = self._began + rotate_seconds * (1 + random.uniform(0, ROTATION_SPREAD))
        self.due = min(self._next_beat, self._ends_at)
        """When the stream has something to do by itself."""

    @property
    def is_due(self) -> bool:
        """Whether the stream has something to do by itself, now."""
        return self._hub.draining or self._clock.monotonic() >= self.due

    @property
    def beat_is_due(self) -> bool:
        return self._clock.monotonic() >= self._next_beat

    def beaten(self) -> None:
        """A heartbeat is sent: the next one is due at the next multiple of the interval.

        On an absolute clock: a busy stream does not put its heartbeats off (rule 6).
        """
        beats = int((self._clock.monotonic() - self._began) // self._heartbeat_seconds)
        self._next_beat = self._began + (beats + 1) * self._heartbeat_seconds
        self.due = min(self._next_beat, self._ends_at)

    def raise_if_over(self) -> None:
        """Raises SERVER_DRAINING and STREAM_ROTATED, for the client to come back."""
        if self._hub.draining:
            raise IngestError(Reason.SERVER_DRAINING, retry_after_seconds=1.0)
        if self._clock.monotonic() >= self._ends_at:
            raise IngestError(Reason.STREAM_ROTATED, retry_after_seconds=0.0)
