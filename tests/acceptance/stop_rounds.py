"""SIGTERM again and again under load: the server ends in time and with 0, says goodbye to watchers, leaves no child."""

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc.aio

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.retry import Backoff
from tests.acceptance.judgement import judge
from tests.acceptance.server import Server, until
from tests.acceptance.traffic import Traffic
from tests.acceptance.watchers import IMPATIENT, RawWatcher
from tests.acceptance.workload import make_documents

GRACE_SECONDS = 1.0
MARGIN_SECONDS = 2.0
PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Report:
    """What a run measured: seconds from each SIGTERM to the end of the process, and who was told of it."""

    stops: list[float] = field(default_factory=list)
    told: int = 0
    acknowledged: int = 0

    def __str__(self) -> str:
        ordered = sorted(self.stops)
        return (
            f"{len(ordered)} times SIGTERM: exit 0 after p50 {ordered[len(ordered) // 2]:.2f} s, at most "
            f"{ordered[-1]:.2f} s with a grace of {GRACE_SECONDS:g} s; all {self.told} watchers told SERVER_DRAINING; "
            f"no orphan; {self.acknowledged} calls acknowledged, none lost or doubled"
        )


async def run(folder: Path, seed: int, rounds: int = 50, watchers: int = 10) -> Report:
    """Raises AssertionError for every promise that was broken."""
    rng, report = random.Random(seed), Report()
    async with (
        Server(folder, workers=2, log_level="WARNING", shutdown_grace_seconds=GRACE_SECONDS) as server,
        grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel,
        AsyncClient(server.address, timeout=600.0, channel=channel) as client,
    ):
        client.session = replace(client.session, backoff=lambda: Backoff(0.05, 0.2))
        traffic = Traffic(client, make_documents(max(20, rounds), seed, long=True), rng, steps=rounds)
        await traffic.create()
        crowd = [
            RawWatcher(server.address, traffic.job_id, after_sequence=number % 2 or None) for number in range(watchers)
        ]
        for watcher in crowd:
            watcher.start()
        try:
            for _ in range(rounds):
                await until(lambda: all(_watches(one) for one in crowd), 30, "all watch")
                traffic.step()
                await asyncio.sleep(rng.uniform(0.0, 0.5))
                report.stops.append(await _stopped(server, crowd))
                report.told += len(crowd)
                await server.start()
            await traffic.finish(PATIENCE_SECONDS)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await client.wait(traffic.job_id)
            events = [event async for event in client.list_events(traffic.job_id, page_size=1_000)]
            for watcher in crowd:
                await watcher.reached(events[-1].sequence, PATIENCE_SECONDS)
        finally:
            traffic.stop()
            for watcher in crowd:
                await watcher.stop()
        await judge(server, client, traffic, crowd, events)
        report.acknowledged = traffic.acknowledged
    return report


def _watches(watcher: RawWatcher) -> bool:
    """Whether its newest connection has brought something and not ended."""
    newest = watcher.connections[-1] if watcher.connections else None
    return newest is not None and bool(newest.received) and newest.code is None


async def _stopped(server: Server, crowd: list[RawWatcher]) -> float:
    known = [len(watcher.endings) for watcher in crowd]
    began = time.monotonic()
    assert await server.terminate() == 0, server.log()[-2000:]
    seconds = time.monotonic() - began
    assert seconds < GRACE_SECONDS + MARGIN_SECONDS, f"it took {seconds:.2f} s to stop"
    await server.nothing_left(seconds=1.0)
    for watcher, before in zip(crowd, known, strict=True):
        await until(lambda: len(watcher.endings) > before, 10, "the watcher heard of the end")  # noqa: B023
        assert watcher.endings[before].reason == "SERVER_DRAINING", watcher.endings[before]
    return seconds
