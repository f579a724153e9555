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

ALONE = "(none)"
ONE_BY_ONE = [[name] for name in ATTACKS]


@dataclass(slots=True)
class Noticed:
    """Seconds that the honest client's calls took, what they failed with, and how many connections attacked."""

    delays: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    connections: int = 0

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

    report = Report()
    async with Server(folder, workers=0, log_level="ERROR") as server:
        async with AsyncClient(server.address) as client:
            job_id = await start_job(client, [Document("a.txt", "", b"text")])
        async with grpc.aio.insecure_channel(server.address) as channel:
            for number in range(rounds):
                for names in ((), *attacks):
                    noticed = report.found.setdefault(", ".join(names) or ALONE, Noticed())
                    attackers = [
                        await asyncio.create_subprocess_exec(
                            *(sys.executable, "-m", "tests.acceptance.attacks"),
                            *(server.address, name, str(seconds), str(seed + 10 * number + each)),
                            stdout=asyncio.subprocess.PIPE,
                        )
                        for name in names
                        for each in range(ATTACKERS)
                    ]
                    await _ask(channel, job_id, noticed, seconds)
                    for attacker in attackers:
                        words, _ = await asyncio.wait_for(attacker.communicate(), 30)
                        noticed.connections += int(words)
                report.resident_mib.append(server.resident_bytes / MIB)
        assert await server.terminate() == 0, server.log()[-2000:]
    return report


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
