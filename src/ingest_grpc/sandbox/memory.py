"""Watches how much memory a child really uses, how many threads, what it writes, and that it rests between tasks."""

import asyncio
import os
from collections.abc import Callable
from typing import NamedTuple

from ingest_grpc.sandbox.scratch import ScratchFolder
from ingest_grpc.sandbox.spec import Limits

SAMPLE_SECONDS = 0.05
REST_SAMPLE_SECONDS = 1.0
_REST_CPU_SHARE = 0.1
"""Of a core: libraries keep house between tasks too. Java's took 0.1 % of one."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_STAT_BYTES = 4096

_USER_TICKS, _SYSTEM_TICKS, _THREADS, _RESIDENT_PAGES = 11, 12, 17, 21
"""Fields of /proc/PID/stat that follow the name in parentheses (proc_pid_stat(5): 14, 15, 20, 24, counted from 1)."""


class Used(NamedTuple):
    """What a process has: bytes resident, threads, and CPU seconds of all of them, ended ones too."""

    resident_bytes: int
    threads: int
    cpu_seconds: float


class Usage:
    """What a process uses, by one open descriptor of /proc: a sample is one read, some 10 µs, fit for the event loop.
    The descriptor means this process for ever, whoever gets its number next."""

    def __init__(self, pid: int) -> None:
        """OSError if there is no such process."""
        self._stat = open(f"/proc/{pid}/stat", "rb", buffering=0)  # noqa: SIM115 - kept, see close

    def sample(self) -> Used:
        """Zeros when the process is gone."""
        try:
            fields = os.pread(self._stat.fileno(), _STAT_BYTES, 0).rpartition(b")")[2].split()
            ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
            return Used(int(fields[_RESIDENT_PAGES]) * _PAGE_BYTES, int(fields[_THREADS]), ticks * _TICK_SECONDS)
        except (OSError, IndexError, ValueError):  # ValueError: closed
            return Used(0, 0, 0.0)

    def close(self) -> None:
        """Release the descriptor, once the process is gone."""
        self._stat.close()


class Guard:
    """Calls `on_excess` once, with what was exceeded, when a sample of the child's use exceeds a limit.

    Threads are limited because what the kernel keeps for each of them counts against no limit of the process, and
    RLIMIT_NPROC, which counts all of a user's, does not bind root. `scratch` is the folder that the child may write
    in, if it has one: the disk that a child takes is watched like its memory. Without a task all of that goes on, and
    the child may hardly use the CPU: a thread that a task left behind would take it from others.
    """

    def __init__(
        self,
        usage: Usage,
        limits: Limits,
        on_excess: Callable[[str], None],
        scratch: ScratchFolder | None = None,
    ) -> None:
        self._usage = usage
        self._limits = limits
        self._on_excess = on_excess
        self._scratch = scratch
        self._rest: _Rest | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch_work(self) -> None:
        """From now on the child has a task."""
        self._rest = None
        self._again()

    def watch_rest(self) -> None:
        """From now on it has none."""
        self._rest = _Rest(asyncio.get_running_loop().time(), self._usage.sample().cpu_seconds)
        self._again()

    def stop(self) -> None:
        """From now on there is no child."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self.stop()
        seconds = SAMPLE_SECONDS if self._rest is None else REST_SAMPLE_SECONDS
        self._timer = asyncio.get_running_loop().call_later(seconds, self._sample)

    def _sample(self) -> None:
        if excess := self._excess():
            self._timer = None
            self._on_excess(excess)
        else:
            self._again()

    def _excess(self) -> str:
        used = self._usage.sample()
        if used.resident_bytes > self._limits.resident_bytes:
            return f"more than {self._limits.resident_bytes} bytes resident"
        if used.threads > self._limits.threads:
            return f"more than {self._limits.threads} threads"
        if self._rest is not None:
            seconds = asyncio.get_running_loop().time() - self._rest.began
            busy = used.cpu_seconds - self._rest.cpu_seconds
            if busy > self._limits.rest_cpu_seconds + seconds * _REST_CPU_SHARE:
                return f"{busy:.1f} CPU seconds in {seconds:.1f} s without a task"
        return self._scratch.excess() if self._scratch is not None else ""


class _Rest(NamedTuple):
    """When a child's rest began, by the event loop's clock, and how many CPU seconds it had used by then."""

    began: float
    cpu_seconds: float
