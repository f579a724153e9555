"""One watch over many jobs, through the SDK and over restarts of the server: nothing is missed, nothing comes twice.

INGEST_WATCHED_JOBS sets another number of jobs than that of every run.
"""

import asyncio
import os
import random
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient, Client, IngestCallError, JobsState
from ingest_grpc.client.messages import WatchJobsResponse
from tests.integration.serving import Server, until

JOBS = int(os.environ.get("INGEST_WATCHED_JOBS", "500"))
RESTARTS = 3
LAST = "last of all"


@pytest.fixture
async def server(quick_folder: Path) -> AsyncIterator[Server]:
    """A server that converts, and that comes back at the same address."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    async with Server(quick_folder / "data", address=address, real_time=True, workers=2) as server:
        yield server


class Watcher:
    """A watch that runs beside the work; `judge` holds what it was told against the ledger."""

    def __init__(self) -> None:
        self.state = JobsState()
        self.sequences: dict[str, list[int]] = {}
        self.removed: set[str] = set()
        self.reconnects: Counter[str] = Counter()
        self.last = ""
        self.ready = asyncio.Event()

    async def watch(self, client: AsyncClient) -> None:
        """Up to the job that comes last: the feed has one order, so everything before it has come by then."""
        async with aclosing(client.watch_jobs(on_reconnect=self.reconnected)) as messages:
            async for message in messages:
                self.take(message)
                if message.job.name == LAST:
                    self.last = message.job.job_id
                if message.HasField("event") and message.event.job_id == self.last:
                    return

    def reconnected(self, error: IngestCallError, _delay: float) -> None:
        self.reconnects[error.reason or error.code.name] += 1

    def take(self, message: WatchJobsResponse) -> None:
        self.state.apply(message)
        if self.state.synced:
            self.ready.set()
        if message.HasField("event"):
            self.sequences.setdefault(message.event.job_id, []).append(message.event.sequence)
        if message.HasField("job_removed"):
            self.removed.add(message.job_removed.job_id)

    def judge(self, ledger: Path) -> None:
        for job_id, (sequences, deleted) in logs(ledger).items():
            told = self.sequences.get(job_id, [])
            if deleted:
                assert job_id in self.removed
                assert set(told) <= set(sequences)
                assert told == sorted(set(told))
            else:
                assert told == sequences, job_id


def logs(ledger: Path) -> dict[str, tuple[list[int], bool]]:
    """By job: the sequences of all events that belong into the feed, and whether it is deleted."""
    found: dict[str, tuple[list[int], bool]] = {}
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT j.job_id, e.sequence, j.deleted_at IS NOT NULL FROM events AS e JOIN jobs AS j ON j.id = e.job "
            "WHERE e.type NOT LIKE 'RECORD%' AND e.type NOT LIKE 'FILES%' ORDER BY e.id"
        )
        for job_id, sequence, deleted in rows:
            found.setdefault(job_id, ([], bool(deleted)))[0].append(sequence)
    return found


class Work:
    """Creates jobs, some with a file, and changes and deletes some of them. `half_done` is set in the middle."""

    def __init__(self, client: AsyncClient, rng: random.Random) -> None:
        self.half_done = asyncio.Event()
        self.converting: list[str] = []
        self._client = client
        self._rng = rng

    async def do(self, jobs: int) -> None:
        for number in range(jobs):
            if number == jobs // 2:
                self.half_done.set()
            await self._one(number)

    async def _one(self, number: int) -> None:
        client = self._client
        files = [await client.create_file(b"x", filename=f"{number}.pdf")] if number % 10 == 0 else []
        job = (await client.create_job(f"job {number}", files=files, labels={"n": str(number)})).job
        chance = self._rng.random()
        if chance < 0.2:
            await client.update_job(job.job_id, labels={"n": "changed"})
        elif chance < 0.3:
            await client.delete_job(job.job_id)
        if files and not 0.2 <= chance < 0.3:
            self.converting.append(job.job_id)


async def test_watch_jobs__over_restarts_of_the_server_misses_nothing(server: Server) -> None:
    watcher, rng = Watcher(), random.Random(11)
    async with AsyncClient(server.app.address) as watching, AsyncClient(server.app.address) as working:
        task = asyncio.create_task(watcher.watch(watching))
        await watcher.ready.wait()
        for part in range(RESTARTS + 1):
            work = Work(working, rng)
            async with asyncio.TaskGroup() as group:
                group.create_task(work.do(JOBS // (RESTARTS + 1)))
                await work.half_done.wait()
                if part < RESTARTS:
                    await until(lambda: server.app.streams)  # the watcher is back from the restart before
                    await server.restart()
            for job_id in work.converting:
                await working.wait(job_id)
        await working.create_job(LAST)
        await task
        listed = {job.job_id: job async for job in working.list_jobs()}
    watcher.judge(server.settings.ledger_path)
    assert sum(watcher.reconnects.values()) >= RESTARTS
    assert watcher.state.jobs.keys() == listed.keys()
    for job_id, known in watcher.state.jobs.items():
        job = listed[job_id]
        assert (known.name, known.status, known.labels) == (job.name, job.status, job.labels)


async def test_watch_jobs__from_the_blocking_client(server: Server) -> None:
    seen, stop = JobsState(), threading.Event()

    def watch() -> None:
        with Client(server.app.address) as client:
            messages = client.watch_jobs(labels={"mine": "yes"})
            for message in messages:
                seen.apply(message)
                if any(job.name == "last" for job in seen.jobs.values()):
                    break
            messages.close()
        stop.set()

    watching = asyncio.create_task(asyncio.to_thread(watch))
    async with AsyncClient(server.app.address) as client:
        await client.create_job("hidden")
        await client.create_job("mine", labels={"mine": "yes"})
        await server.restart()
        await client.create_job("last", labels={"mine": "yes"})
        await watching
    assert stop.is_set()
    assert {job.name for job in seen.jobs.values()} == {"mine", "last"}


async def test_watch_jobs__with_a_token_of_another_filter_raises(server: Server) -> None:
    async with AsyncClient(server.app.address) as client:
        messages = [message async for message in client.watch_jobs(until="HEAD")]
        token = messages[-1].resume_token
        with pytest.raises(IngestCallError) as raised:
            [message async for message in client.watch_jobs(labels={"a": "b"}, resume_token=token)]
        assert raised.value.reason == "INVALID_RESUME_TOKEN"
        again = [message async for message in client.watch_jobs(resume_token=token, until="HEAD")]
        assert [message.WhichOneof("message") for message in again] == ["end"]
