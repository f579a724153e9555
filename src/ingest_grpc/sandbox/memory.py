"""Watches how much memory a child really uses, how many threads, and what it writes, while it works."""

import asyncio
import os
from collections.abc import Callable

from ingest_grpc.sandbox.scratch import ScratchFolder

SAMPLE_SECONDS = 0.05

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STAT_BYTES = 4096

_THREADS, _RESIDENT_PAGES = 17, 21
"""Fields of /proc/PID/stat that follow the name in parentheses (proc_pid_stat(5): 20 and 24, counted from 1)."""


class Usage:
    """What a process uses, by one open descriptor of /proc: a sample is one read, some 10 µs, fit for the event loop.
    The descriptor means this process for ever, whoever gets its number next."""

    def __init__(self, pid: int) -> None:
        """OSError if there is no such process."""
        self._stat = open(f"/proc/{pid}/stat", "rb", buffering=0)  # noqa: SIM115 - kept, see close

    def sample(self) -> tuple[int, int]:
        """(resident bytes, threads); zeros when the process is gone."""
        try:
            fields = os.pread(self._stat.fileno(), _STAT_BYTES, 0).rpartition(b")")[2].split()
            return int(fields[_RESIDENT_PAGES]) * _PAGE_BYTES, int(fields[_THREADS])
        except (OSError, IndexError, ValueError):  # ValueError: closed
            return 0, 0

    def close(self) -> None:
        """Release the descriptor, once the process is gone."""
        self._stat.close()


class MemoryGuard:
    """Calls `on_excess` once, with what was exceeded, when a sample of the child's use exceeds a limit.

    Threads are limited because what the kernel keeps for each of them counts against no limit of the process, and
    RLIMIT_NPROC, which counts all of a user's, does not bind root. `scratch` is the folder that the child may write
    in, if it has one: the disk that a child takes is watched like its memory.
    """

    def __init__(
        self,
        usage: Usage,
        limit_bytes: int,
        max_threads: int,
        on_excess: Callable[[str], None],
        scratch: ScratchFolder | None = None,
    ) -> None:
        self._usage = usage
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
        resident, threads = self._usage.sample()
        if resident > self._limit_bytes:
            return f"more than {self._limit_bytes} bytes resident"
        if threads > self._max_threads:
            return f"more than {self._max_threads} threads"
        return self._scratch.excess() if self._scratch is not None else ""
