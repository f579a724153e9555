"""A job whose server is killed again and again while files come in, are converted and watched.

The same seed gives the same documents, the same calls and the same moments. `run` returns what was measured
and raises AssertionError for every promise that was broken.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import EventType, TimelineEvent, WatchKind, WatchUntil
from ingest_grpc.client.retry import Backoff
from tests.acceptance.judgement import judge
from tests.acceptance.proxy import BadNetwork
from tests.acceptance.server import Server
from tests.acceptance.traffic import Traffic
from tests.acceptance.watchers import IMPATIENT, RawWatcher, SdkWatcher, Watcher
from tests.acceptance.workload import make_documents

FILES = 40
CROWD = 8
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """When the server of one round is killed: so many seconds after it was spawned, or after it answered, or
    after so many more events were seen (with the seconds as a limit)."""

    after: str
    seconds: float
    events: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """What happened in one round: `recovery_seconds` from spawn to answering, None if it was killed before."""

    number: int
    moment: Moment
    recovery_seconds: float | None
    cpu_seconds: float | None
    last_sequence: int


@dataclass(slots=True)
class Report:
    """What a run measured."""

    seed: int
    rounds: list[Round] = field(default_factory=list)
    events: int = 0
    events_checked: int = 0
    orphaned: int = 0
    reconnects: int = 0
    watchers: int = 0
    acknowledged: int = 0
    network: dict[str, int] = field(default_factory=dict)

    @property
    def recoveries(self) -> list[float]:
        return sorted(each.recovery_seconds for each in self.rounds if each.recovery_seconds is not None)


def moments(rng: random.Random, rounds: int) -> list[Moment]:
    """Mostly in the middle of the work, some while the server starts or exactly when an event was committed."""
    made = []
    for _ in range(rounds):
        match rng.choices(("spawn", "serving", "events"), (1, 3, 3))[0]:
            case "spawn":
                made.append(Moment("spawn", rng.uniform(0.1, 2.0)))
            case "serving":
                made.append(Moment("serving", rng.uniform(0.0, 0.8)))
            case _:
                made.append(Moment("events", 2.0, rng.randint(1, 12)))
    return made


async def run(folder: Path, seed: int, rounds: int, files: int = FILES, crowd: int = CROWD) -> Report:
    """`rounds` kills, then a last start that lets everything finish; `crowd` watchers are behind a bad network."""
    rng = random.Random(seed)
    report = Report(seed)
    async with (
        Server(folder, workers=2, log_level="WARNING") as server,
        grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel,
        AsyncClient(server.address, timeout=600.0, channel=channel) as client,
        BadNetwork(server.address, random.Random(seed)) as network,
    ):
        client.session = replace(client.session, backoff=lambda: Backoff(0.05, 0.2))
        traffic = Traffic(client, make_documents(files, seed, long=True), rng, steps=rounds)
        await traffic.create()
        watchers = all_watchers(server, client, traffic.job_id) + crowd_of(crowd, network, traffic.job_id)
        for watcher in watchers:
            watcher.start()
        try:
            for number, moment in enumerate(moments(rng, rounds), start=1):
                traffic.step()
                report.rounds.append(await _round(server, number, moment, watchers[0]))
            await server.start()
            network.calm()
            await traffic.finish(PATIENCE_SECONDS)
            events = await _settled(client, traffic.job_id)
            for watcher in watchers:
                await watcher.reached(watcher.last_wanted(events), PATIENCE_SECONDS)
            last = RawWatcher(server.address, traffic.job_id, after_sequence=0, until=WatchUntil.WATCH_UNTIL_SETTLED)
            last.start()
            await last.ended(PATIENCE_SECONDS)
        finally:
            traffic.stop()
            for watcher in watchers:
                await watcher.stop()
        await judge(server, client, traffic, [*watchers, last], events)
    report.network = dict(network.did)
    _count(report, traffic, [*watchers, last], events)
    return report


def all_watchers(server: Server, client: AsyncClient, job_id: str) -> list[Watcher]:
    """Everybody who may watch: from the beginning or from a snapshot, all or some kinds, faithful or fickle."""
    some = (WatchKind.WATCH_KIND_MILESTONE, WatchKind.WATCH_KIND_RECORD, WatchKind.WATCH_KIND_PROGRESS)
    return [
        RawWatcher(server.address, job_id, after_sequence=0),
        RawWatcher(server.address, job_id),
        RawWatcher(server.address, job_id, kinds=some),
        RawWatcher(server.address, job_id, after_sequence=0, leaves_after=7),
        SdkWatcher(client, job_id, after_sequence=0),
        SdkWatcher(client, job_id),
    ]


def crowd_of(size: int, network: BadNetwork, job_id: str) -> list[Watcher]:
    """Watchers behind a bad network: half of them from the beginning, half from a snapshot, every fifth fickle."""
    return [
        RawWatcher(
            network.address,
            job_id,
            after_sequence=0 if number % 2 else None,
            leaves_after=13 if number % 5 == 0 else None,
        )
        for number in range(size)
    ]


async def _round(server: Server, number: int, moment: Moment, watcher: Watcher) -> Round:
    recovery = cpu = None
    if not server.running and moment.after == "spawn":
        server.spawn()
    elif not server.running:
        recovery = await server.start()
        cpu = server.cpu_seconds
    if moment.after == "events":
        with contextlib.suppress(TimeoutError):  # the queue ran empty: as good a moment as any
            await watcher.reached(watcher.position + moment.events, moment.seconds)
    else:
        await asyncio.sleep(moment.seconds)
    await server.kill()
    await server.nothing_left()
    return Round(number, moment, recovery, cpu, watcher.position)


async def _settled(client: AsyncClient, job_id: str) -> Sequence[TimelineEvent]:
    """All events of the job once nothing is in flight any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.wait(job_id)
    return [event async for event in client.list_events(job_id, page_size=1_000)]


def _count(report: Report, traffic: Traffic, watchers: Sequence[Watcher], events: Sequence[TimelineEvent]) -> None:
    types = Counter(event.type for event in events)
    report.events = len(events)
    report.events_checked = sum(len(watcher.sequences) for watcher in watchers)
    report.orphaned = types[EventType.EVENT_TYPE_RECORD_ORPHANED]
    report.reconnects = sum(watcher.reconnects for watcher in watchers)
    report.watchers = len(watchers)
    report.acknowledged = traffic.acknowledged
