"""Hundreds of watchers whose server restarts again and again and whose connections are cut: none may miss anything."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import grpc.aio

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import TimelineEvent, WatchUntil
from ingest_grpc.client.retry import Backoff
from tests.acceptance.faults import start_job
from tests.acceptance.proxy import BadNetwork
from tests.acceptance.server import Server
from tests.acceptance.watchers import IMPATIENT, RawWatcher
from tests.acceptance.workload import Document
from tests.history import events_of, violations

JOBS = 10
CUTS_PER_ROUND = 20
PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Report:
    """What a run measured."""

    watchers: int
    restarts: int
    events: int = 0
    checked: int = 0
    reconnects: int = 0
    cuts: int = 0
    resumed_from: int = 0
    slowest_restart_seconds: float = 0.0


async def run(folder: Path, seed: int, rounds: int = 50, watchers: int = 200) -> Report:
    """Each round adds files, cuts connections at random, and kills or terminates the server."""
    rng = random.Random(seed)
    report = Report(watchers, rounds)
    async with (
        Server(folder, workers=2, log_level="WARNING", shutdown_grace_seconds=1) as server,
        grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel,
        AsyncClient(server.address, timeout=600.0, channel=channel) as client,
        BadNetwork(server.address, random.Random(seed)) as network,
    ):
        client.session = replace(client.session, backoff=lambda: Backoff(0.05, 0.2))
        network.calm()  # cut by us, and by nothing else
        jobs = [await start_job(client, [Document(f"{number}.txt", "", b"first")]) for number in range(JOBS)]
        crowd = [
            RawWatcher(network.address, jobs[n % JOBS], after_sequence=0 if n % 3 else None) for n in range(watchers)
        ]
        for watcher in crowd:
            watcher.start()
        for number in range(rounds):
            await _add(client, rng, jobs, number)
            report.cuts += network.cut(CUTS_PER_ROUND)
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            if number % 2:
                await server.kill()
            else:
                assert await server.terminate() == 0, server.log()[-2000:]
            report.slowest_restart_seconds = max(report.slowest_restart_seconds, await server.start())
        for job_id in jobs:
            await client.wait(job_id)
            events = [event async for event in client.list_events(job_id, page_size=1_000)]
            own = [watcher for watcher in crowd if watcher.job_id == job_id]
            await _judge(own, events)
            report.events += len(events)
            report.resumed_from += await _resume_everywhere(server, job_id, events)
        report.checked = sum(len(watcher.sequences) for watcher in crowd)
        report.reconnects = sum(watcher.reconnects for watcher in crowd)
        await asyncio.gather(*(watcher.stop() for watcher in crowd))
        assert await server.terminate() == 0, server.log()[-2000:]
        await server.nothing_left()
    return report


async def _add(client: AsyncClient, rng: random.Random, jobs: Sequence[str], number: int) -> None:
    """One new file for two of the jobs."""
    for job_id in rng.sample(jobs, 2):
        document = Document(f"{number}.txt", "", f"{number} {rng.random()}".encode())
        file = await client.upload(document.data, filename=document.name)
        await client.add_files(job_id, [file])


async def _judge(watchers: Sequence[RawWatcher], events: Sequence[TimelineEvent]) -> None:
    for watcher in watchers:
        try:
            await watcher.reached(events[-1].sequence, PATIENCE_SECONDS)
        except TimeoutError:
            raise AssertionError(
                f"a watcher stands at {watcher.position} of {events[-1].sequence}: {watcher.standing}"
            ) from None
    problems = violations(*(watcher.connections for watcher in watchers), truth=events)
    assert not problems, problems[:20]
    for watcher in watchers:
        if watcher.from_beginning:
            assert watcher.sequences == [event.sequence for event in events]


async def _resume_everywhere(server: Server, job_id: str, events: Sequence[TimelineEvent]) -> int:
    """From each sequence on exactly the rest comes."""
    head = events[-1].sequence
    for after in range(head + 1):
        watcher = RawWatcher(server.address, job_id, after_sequence=after, until=WatchUntil.WATCH_UNTIL_HEAD)
        watcher.start()
        await watcher.ended(PATIENCE_SECONDS)
        assert events_of(watcher.connections) == list(range(after + 1, head + 1)), f"after {after}"
    return head + 1
