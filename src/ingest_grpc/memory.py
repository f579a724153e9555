"""How this process uses memory: settings of the C library's allocator and of the collector of cycles."""

import asyncio
import ctypes
import gc
import math
import time
from collections.abc import Callable
from functools import partial

_CLEAN_SECONDS = 2.0
_MAX_SHARE = 0.01
"""Of the time, for cleaning; but half a minute is the longest pause."""

_MAX_PAUSE_SECONDS = 30.0
_LATE_SECONDS = 0.03
"""A step that comes so late comes in a busy moment: the event loop had other things to do."""

_COLLECTION_SECONDS = 300.0
_FEW_WATCHERS = 1_000

_LIBRARY = ctypes.CDLL(None)
_M_ARENA_MAX = -8
"""As malloc.h has it."""


def share_arenas() -> None:
    """Two of the C library's memory arenas for all threads instead of eight per core.

    What one thread frees another can use then: what a burst of calls needed once was kept up to eight times before.
    """
    mallopt = getattr(_LIBRARY, "mallopt", None)  # glibc's; others have no arenas
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Returns what is free to the system.

    The C library keeps it otherwise, below the newest block that is still in use: after a burst of calls hundreds of
    megabytes for good. Costs some tenths of a millisecond where there is little to return; call it in a thread.
    """
    malloc_trim = getattr(_LIBRARY, "malloc_trim", None)  # glibc's
    if malloc_trim is not None:
        malloc_trim(0)


def calm_collector() -> None:
    """Looks for cycles a little less often, and never among what lives as long as the server.

    A watcher is some two hundred objects: with the defaults a fifth of a fan-out's time went into looking at them, and
    ten thousand were looked at for half a second. What has no cycles is freed at once as ever. Still the youngest are
    looked at in small portions: with them go the calls that ended, and in a flood of calls ten thousand took up to
    60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 50, 100)


class Cleaner:
    """Gives back what is free, and frees what has cycles, without waiting for the collector's thresholds.

    grpc.aio leaves a cycle of five objects behind at every call. Until the thresholds were reached tens of thousands of
    them lay among what lives, and memory crept into the holes that they left. The youngest take under a millisecond;
    all that lives some 20, but half a second with ten thousand watchers.
    """

    def __init__(self, count_watchers: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._count_watchers = count_watchers
        self._monotonic = monotonic
        self._next_collection = monotonic() + _COLLECTION_SECONDS
        self._due = math.inf
        self._last_given_back = -math.inf

    async def step(self) -> float:
        """To be called again after as many seconds as it returns: later, the more work it was.

        Whoever wants memory waits while it is given back: for 0.1 s after an attack that left a gigabyte in pieces. In
        a busy moment that is put off, though not for long.
        """
        now = self._monotonic()
        work = self._timed(partial(gc.collect, self._next_generation(now)))
        if not self._is_busy(now):
            work += await asyncio.to_thread(self._timed, give_back)
            self._last_given_back = now
        pause = min(max(_CLEAN_SECONDS, work / _MAX_SHARE), _MAX_PAUSE_SECONDS)
        self._due = self._monotonic() + pause
        return pause

    def _is_busy(self, now: float) -> bool:
        return now > self._due + _LATE_SECONDS and now < self._last_given_back + _MAX_PAUSE_SECONDS

    def _timed(self, work: Callable[[], object]) -> float:
        """The seconds that the work takes, without the wait for its turn."""
        began = self._monotonic()
        work()
        return self._monotonic() - began

    def _next_generation(self, now: float) -> int:
        if now < self._next_collection:
            return 0
        self._next_collection = now + _COLLECTION_SECONDS
        return 1 if self._count_watchers() > _FEW_WATCHERS else 2
