"""Unary calls: GetJob in the BASIC view against an echo of the same reply bytes."""

import time
from pathlib import Path

import pytest

from ingest_grpc.client.messages import GetJobRequest, JobView
from ingest_grpc.client.rpcs import GET_JOB
from tests.benchmarks.bare import SERVICE
from tests.benchmarks.harness import Contestant, Figures, Table, bare_server
from tests.benchmarks.http2 import Connection, load
from tests.benchmarks.ours import Ours, our_server

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

CALLS = 2_000
"""Per turn, 64 at once."""

ROUNDS = 7


async def test_get_job__against_an_echo(tmp_path: Path, table: Table) -> None:
    async with our_server(tmp_path / "ours", workers=0) as ours:
        with bare_server(tmp_path / "bare") as bare:
            request = await _request(ours)
            reply = await _reply(ours, request)
            connection = await Connection.open(bare.address)
            await connection.call(f"/{SERVICE}/keep", reply)
            connection.close()

            async def our_turn() -> Figures:
                return await _measured(ours.contestant, GET_JOB.path, request, reply, ours.secret)

            async def bare_turn() -> Figures:
                return await _measured(bare, f"/{SERVICE}/echo", request, reply, "")

            await table.compare("GetJob BASIC", our_turn, bare_turn, rounds=ROUNDS)


async def _request(ours: Ours) -> bytes:
    """Asks for a job with three files that nobody converts, so that every reply is the same."""
    async with ours.client() as client:
        files = [await client.create_file(f"file {number}".encode(), filename=f"{number}.txt") for number in range(3)]
        job = (await client.create_job("benchmark", files=files)).job
    return GetJobRequest(job_id=job.job_id, view=JobView.JOB_VIEW_BASIC).SerializeToString()


async def _reply(ours: Ours, request: bytes) -> bytes:
    connection = await ours.connect()
    try:
        return await connection.call(GET_JOB.path, request)
    finally:
        connection.close()


async def _measured(server: Contestant, path: str, request: bytes, reply: bytes, secret: str) -> Figures:
    cpu, began = server.cpu_seconds(), time.perf_counter()
    await load(server.address, path, request, calls=CALLS, expected=reply, secret=secret)
    elapsed = time.perf_counter() - began
    return {"requests/s": CALLS / elapsed, "server CPU µs/request": (server.cpu_seconds() - cpu) / CALLS * 1e6}
