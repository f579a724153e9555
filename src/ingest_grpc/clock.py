"""Time, behind one seam so that tests can turn it by hand.

All stored times are integers: microseconds since 1970-01-01T00:00:00Z. Durations and leases use the
monotonic clock, which a change of the wall clock does not touch.
"""

import time
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """What the service knows about time."""

    def now(self) -> int:
        """UTC microseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000

    monotonic = staticmethod(time.monotonic)  # itself: ten thousand watchers ask it several times per event


class ManualClock:
    """A clock that stands still until it is told to move; both readings move together."""

    def __init__(self, now: int = 1_700_000_000 * MICROSECONDS) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * MICROSECONDS)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as an operator or NTP does."""
        self._now += round(seconds * MICROSECONDS)
