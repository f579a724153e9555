"""A server in a process of its own: started, killed and restarted on the same address and data folder."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from ingest_grpc.client import AsyncClient

SERVE = (str(Path(sys.executable).with_name("ingest-grpc")), "serve")
START_SECONDS = 90.0
"""A machine that compiles and tests at the same time starts a server some ten times slower than a quiet one."""

_POLL_SECONDS = 0.02


async def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return once `condition()` is true; AssertionError that names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port to listen on again and again: below the ports that the kernel gives to outgoing connections.

    A client that keeps trying to reach such a port could be given that same port as its own, and so connect
    to itself while the server is down.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(first - 12_000, first), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def converters_of(*pids: int) -> list[psutil.Process]:
    """The living converter children that these processes started, even if they are dead themselves."""
    marks = [f'"parent_pid": {pid},'.encode() for pid in pids]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # A zombie has no command line any more; what is gone while we look has ended too.
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            command = (folder / "cmdline").read_bytes()
            if any(mark in command for mark in marks):
                found.append(psutil.Process(int(folder.name)))
    return found


class Server:
    """`folder` holds the data folder, the ready-file and the log. `settings` are those of the product, by name;
    `environment` holds more variables for the next start.

    `async with Server(…) as server` starts it; at the end it and all its children are dead, whatever happened.
    """

    def __init__(self, folder: Path, command: tuple[str, ...] = SERVE, **settings: object) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.address = f"127.0.0.1:{free_port()}"
        self.ready_file = folder / "ready"
        self.log_file = folder / "server.log"
        self.command = command
        self.settings = settings
        self.environment: Mapping[str, str] = {}
        self.pids: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            await self.start()
        except BaseException:
            self.destroy()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────

    def spawn(self, command: tuple[str, ...] | None = None) -> None:
        """Begin to start it."""
        assert not self.running, "it runs already"
        self.ready_file.unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(command or self.command),
                    *("--address", self.address, "--data-dir", str(self.data)),
                    *("--ready-file", str(self.ready_file)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environment(self.settings), **self.environment},
            )
        self.pids.append(self._process.pid)

    async def start(self, command: tuple[str, ...] | None = None) -> float:
        """Start it and wait until it is ready; returns after how many seconds it answered its first call."""
        began = time.monotonic()
        self.spawn(command)
        await until(lambda: not self.running or self._listens(), START_SECONDS, "the server listens")
        if self.running:
            async with AsyncClient(self.address) as client:
                await client.server_info()
        answered = time.monotonic() - began
        await until(lambda: not self.running or self.ready_file.exists(), START_SECONDS, "the server is ready")
        assert self.running, f"the server ended with {self.returncode} before it was ready:\n{self.log()[-2000:]}"
        return answered

    async def kill(self) -> None:
        """SIGKILL."""
        self._send(signal.SIGKILL)
        await self.ended(10)

    async def terminate(self, seconds: float = 20) -> int:
        """SIGTERM; returns the exit code."""
        self._send(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float) -> int:
        """Wait until it has ended; returns its exit code."""
        await until(lambda: not self.running, seconds, "the server has ended")
        assert self.returncode is not None
        return self.returncode

    def destroy(self) -> None:
        """Kill everything that this harness ever started; blocking, so that it also works while a test fails."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        left = converters_of(*self.pids)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    # ── what is known of it ────────────────────────────────────────────────────────────────────────────

    @property
    def pid(self) -> int:
        return self.pids[-1]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    @property
    def resident_bytes(self) -> int:
        """Of the server alone, without its children."""
        return int(psutil.Process(self.pid).memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def descriptors(self) -> int:
        return psutil.Process(self.pid).num_fds()

    def converters(self) -> list[psutil.Process]:
        return converters_of(self.pid)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    async def nothing_left(self, seconds: float = 10.0) -> None:
        """Every child of every server that ran here is gone: those that work and those that still start alike."""
        await until(lambda: not converters_of(*self.pids), seconds, "all children are gone")

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _listens(self) -> bool:
        host, _, port = self.address.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """This process' environment, with these settings and no others of the product."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
    return inherited | {f"INGEST_{name.upper()}": str(value) for name, value in settings.items()}


def run_cli(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """A command of the product, to its end."""
    return subprocess.run(
        (SERVE[0], *arguments), env=environment(settings), capture_output=True, text=True, timeout=60, check=False
    )
