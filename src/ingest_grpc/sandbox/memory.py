"""Watches how much memory a child really uses, how many threads, and what it writes, while it works."""

import asyncio
import os
from collections.abc import Callable

from ingest_grpc.sandbox.scratch import ScratchFolder

SAMPLE_SECONDS = 0.05

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


_THREADS, _RESIDENT_PAGES = 17, 21
"""Fields of /proc/PID/stat that follow the name in parentheses (proc_pid_stat(5): 20 and 24, counted from 1)."""


def usage(pid: int) -> tuple[int, int]:
    """(resident bytes, threads) of a process; zeros when it is gone. One read of /proc, some 20 µs: fit for the
    event loop."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return int(fields[_RESIDENT_PAGES]) * _PAGE_BYTES, int(fields[_THREADS])
    except (OSError, IndexError):
        return 0, 0


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 when it is gone."""
    return usage(pid)[0]


class MemoryGuard:
    """Calls `on_excess` once, with what was exceeded, when a sample of the child's use exceeds a limit.

    Threads are limited because what the kernel keeps for each of them counts against no limit of the process, and
    RLIMIT_NPROC, which counts all of a user's, does not bind root. `scratch` is the folder that the child may write
    in, if it has one: the disk that a child takes is watched like its memory.
    """

    def __init__(
        self,
        pid: int,
        limit_bytes: int,
        max_threads: int,
        on_excess: Callable[[str], None],
        scratch: ScratchFolder | None = None,
    ) -> None:
        self._pid = pid
        self._limit_bytes = limit_bytes
        self._max_threads = max_threads
        self._on_excess = on_excess
        self._scratch = scratch
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SAMPLE_SECONDS, self._sample)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sample(self) -> None:
        if excess := self._excess():
            self._timer = None
            self._on_excess(excess)
        else:
            self.start()

    def _excess(self) -> str:
        resident, threads = usage(self._pid)
        if resident > self._limit_bytes:
            return f"more than {self._limit_bytes} bytes resident"
        if threads > self._max_threads:
            return f"more than {self._max_threads} threads"
        return self._scratch.excess() if self._scratch is not None else ""
