"""What an honest client notices of each kind of misbehaving ones."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from ingest_grpc.client import AsyncClient
from ingest_grpc.v1.job_service_pb2 import GetJobRequest, GetJobResponse
from tests.acceptance.attacks import ATTACKS
from tests.acceptance.faults import start_job
from tests.acceptance.server import Server
from tests.acceptance.workload import Document

GET_JOB = "/ingest_grpc.v1.JobService/GetJob"
MIB = 2**20
ATTACKERS = 2
"""Processes for each kind of attack."""

CALM_SHARE = 1.5
"""The server is done with an attack once it takes no more CPU than this times what the honest client alone costs it."""

_LOOK_SECONDS = 0.5
_LONGEST_AFTERMATH_SECONDS = 60.0

ALONE = "(none)"
ONE_BY_ONE = [[name] for name in ATTACKS]


@dataclass(slots=True)
class Noticed:
    """Seconds that the honest client's calls took, what they failed with, and how many connections attacked.

    Of an attack with its aftermath: until the server is done with all that it was sent, `aftermath_seconds` in all.
    """

    delays: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    connections: int = 0
    aftermath_seconds: float = 0.0

    def milliseconds(self, share: float) -> float:
        return 1_000 * sorted(self.delays)[min(len(self.delays) - 1, int(len(self.delays) * share))]


@dataclass(slots=True)
class Report:
    """By attack; ALONE is the honest client by itself."""

    found: dict[str, Noticed] = field(default_factory=dict)
    resident_mib: list[float] = field(default_factory=list)


async def run(
    folder: Path, seed: int, rounds: int = 1, seconds: float = 3.0, attacks: Sequence[Sequence[str]] = ONE_BY_ONE
) -> Report:
    """Every attack by two processes, one kind after the other, while a client asks for a job again and again."""
    report, calm = Report(), 0.0
    async with Server(folder, workers=0, log_level="ERROR") as server:
        async with AsyncClient(server.address) as client:
            job_id = await start_job(client, [Document("a.txt", "", b"text")])
        async with grpc.aio.insecure_channel(server.address) as channel:
            honest = _Honest(channel, job_id)
            for number in range(rounds):
                for names in ((), *attacks):
                    noticed = report.found.setdefault(", ".join(names) or ALONE, Noticed())
                    async with _attacking(server.address, names, seconds, seed + 10 * number, noticed):
                        before, began = server.cpu_seconds, time.monotonic()
                        await honest.ask(noticed, seconds)
                        if not names:
                            calm = CALM_SHARE * (server.cpu_seconds - before) / (time.monotonic() - began)
                        else:
                            noticed.aftermath_seconds += await honest.ask_until_done(noticed, server, calm)
                report.resident_mib.append(server.resident_bytes / MIB)
        assert await server.terminate() == 0, server.log()[-2000:]
    return report


@asynccontextmanager
async def _attacking(
    address: str, names: Sequence[str], seconds: float, seed: int, noticed: Noticed
) -> AsyncIterator[None]:
    """Two processes for each attack, which end by themselves; at the end they are gone, whatever happened."""
    words = [
        (sys.executable, "-m", "tests.acceptance.attacks", address, name, str(seconds), str(seed + each))
        for name in names
        for each in range(ATTACKERS)
    ]
    attackers = [await asyncio.create_subprocess_exec(*each, stdout=asyncio.subprocess.PIPE) for each in words]
    try:
        yield
        for attacker in attackers:
            said, _ = await asyncio.wait_for(attacker.communicate(), 30)
            noticed.connections += int(said)
    finally:
        for attacker in attackers:
            if attacker.returncode is None:
                attacker.kill()
                await attacker.wait()


class _Honest:
    """A client that asks for a job again and again."""

    def __init__(self, channel: grpc.aio.Channel, job_id: str) -> None:
        self._get = channel.unary_unary(GET_JOB, GetJobRequest.SerializeToString, GetJobResponse.FromString)
        self._job_id = job_id

    async def ask(self, noticed: Noticed, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            began = time.monotonic()
            try:
                await self._get(GetJobRequest(job_id=self._job_id), timeout=10)
            except grpc.aio.AioRpcError as error:
                noticed.failed.append(f"{error.code().name}: {error.details()}")
            noticed.delays.append(time.monotonic() - began)
            await asyncio.sleep(0.01)

    async def ask_until_done(self, noticed: Noticed, server: Server, calm: float) -> float:
        """Until the server takes no more than `calm` seconds of CPU per second; returns after how many seconds."""
        began = time.monotonic()
        while time.monotonic() < began + _LONGEST_AFTERMATH_SECONDS:
            before, looked = server.cpu_seconds, time.monotonic()
            await self.ask(noticed, _LOOK_SECONDS)
            if server.cpu_seconds - before <= calm * (time.monotonic() - looked):
                return looked - began
        raise AssertionError(f"the server is still busy {_LONGEST_AFTERMATH_SECONDS:g} s after an attack")
