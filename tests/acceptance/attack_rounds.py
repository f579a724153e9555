"""What an honest client notices of each kind of misbehaving ones."""

import asyncio
import sys
import time
from collections.abc import Sequence
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
            for number in range(rounds):
                for names in ((), *attacks):
                    noticed = report.found.setdefault(", ".join(names) or ALONE, Noticed())
                    attackers = [
                        await _attacker(server.address, name, seconds, seed + 10 * number + each)
                        for name in names
                        for each in range(ATTACKERS)
                    ]
                    before, began = server.cpu_seconds, time.monotonic()
                    await _ask(channel, job_id, noticed, seconds)
                    if not names:
                        calm = CALM_SHARE * (server.cpu_seconds - before) / (time.monotonic() - began)
                    else:
                        noticed.aftermath_seconds += await _until_done(server, calm, channel, job_id, noticed)
                    for attacker in attackers:
                        words, _ = await asyncio.wait_for(attacker.communicate(), 30)
                        noticed.connections += int(words)
                report.resident_mib.append(server.resident_bytes / MIB)
        assert await server.terminate() == 0, server.log()[-2000:]
    return report


async def _attacker(address: str, name: str, seconds: float, seed: int) -> asyncio.subprocess.Process:
    words = (sys.executable, "-m", "tests.acceptance.attacks", address, name, str(seconds), str(seed))
    return await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)


async def _until_done(server: Server, calm: float, channel: grpc.aio.Channel, job_id: str, noticed: Noticed) -> float:
    """Asks on until the server takes no more than `calm` seconds of CPU per second; returns after how many seconds."""
    began = time.monotonic()
    while time.monotonic() < began + _LONGEST_AFTERMATH_SECONDS:
        before, looked = server.cpu_seconds, time.monotonic()
        await _ask(channel, job_id, noticed, _LOOK_SECONDS)
        if server.cpu_seconds - before <= calm * (time.monotonic() - looked):
            return looked - began
    raise AssertionError(f"the server is still busy {_LONGEST_AFTERMATH_SECONDS:g} s after an attack")


async def _ask(channel: grpc.aio.Channel, job_id: str, noticed: Noticed, seconds: float) -> None:
    get = channel.unary_unary(GET_JOB, GetJobRequest.SerializeToString, GetJobResponse.FromString)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            await get(GetJobRequest(job_id=job_id), timeout=10)
        except grpc.aio.AioRpcError as error:
            noticed.failed.append(f"{error.code().name}: {error.details()}")
        noticed.delays.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
