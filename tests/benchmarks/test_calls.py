"""Unary calls against an echo of the same reply bytes: GetJob in the BASIC view, and a page of ListJobs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.client.messages import GetJobRequest, JobView, ListJobsRequest
from ingest_grpc.client.rpcs import GET_JOB, LIST_JOBS
from tests.benchmarks.bare import SERVICE
from tests.benchmarks.harness import Bar, Contestant, Figures, Table, bare_server
from tests.benchmarks.http2 import Connection
from tests.benchmarks.ledgers import prepared
from tests.benchmarks.native import load_for
from tests.benchmarks.ours import Ours, our_server

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

CALLS = 4_000
"""Per turn, 64 at once."""

ROUNDS = 7


async def test_get_job__against_an_echo(tmp_path: Path, table: Table) -> None:
    async with our_server(tmp_path / "ours", workers=0) as ours:
        request = await _request(ours)
        await _against_an_echo("GetJob BASIC", GET_JOB.path, request, ours, tmp_path, table, Bar(0.6))


async def test_list_jobs__against_an_echo(tmp_path: Path, table: Table) -> None:
    """Of a team that has 100,000 jobs."""
    folder = tmp_path / "ours"
    folder.mkdir()
    ledger = prepared(1_000_000)
    (folder / "data").symlink_to(ledger)
    try:
        async with our_server(folder, workers=0) as ours:
            request = ListJobsRequest(page_size=25).SerializeToString()
            name = "ListJobs, 25 of 100,000"
            await _against_an_echo(name, LIST_JOBS.path, request, ours, tmp_path, table, Bar(0.3))
    finally:
        # The ledger is used again, by servers that everyone on loopback may call.
        with closing(sqlite3.connect(ledger / "ledger.sqlite3")) as connection:
            connection.execute("DELETE FROM api_keys")
            connection.commit()


async def _against_an_echo(
    name: str, path: str, request: bytes, ours: Ours, folder: Path, table: Table, bar: Bar
) -> None:
    with bare_server(folder / "bare") as bare:
        reply = await _reply(ours, path, request)
        connection = await Connection.open(bare.address)
        await connection.call(f"/{SERVICE}/keep", reply)
        connection.close()

        async def our_turn() -> Figures:
            return await _measured(ours.contestant, path, request, reply, ours.secret)

        async def bare_turn() -> Figures:
            return await _measured(bare, f"/{SERVICE}/echo", request, reply, "")

        await table.compare(name, our_turn, bare_turn, rounds=ROUNDS, bars={"requests/s": bar})


async def _request(ours: Ours) -> bytes:
    """Asks for a job with three files that nobody converts, so that every reply is the same."""
    async with ours.client() as client:
        files = [await client.create_file(f"file {number}".encode(), filename=f"{number}.txt") for number in range(3)]
        job = (await client.create_job("benchmark", files=files)).job
    return GetJobRequest(job_id=job.job_id, view=JobView.JOB_VIEW_BASIC).SerializeToString()


async def _reply(ours: Ours, path: str, request: bytes) -> bytes:
    connection = await ours.connect()
    try:
        return await connection.call(path, request)
    finally:
        connection.close()


async def _measured(server: Contestant, path: str, request: bytes, reply: bytes, secret: str) -> Figures:
    cpu = server.cpu_seconds()
    elapsed = await load_for(server.address, path, request, calls=CALLS, expected=reply, secret=secret)
    return {"requests/s": CALLS / elapsed, "server CPU µs/request": (server.cpu_seconds() - cpu) / CALLS * 1e6}
