"""Watchers that do not read, and watchers that come and go without end: what they cost the others and the server."""

import asyncio
import contextlib
import itertools
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import WatchJobRequest, WatchJobResponse, WatchUntil
from ingest_grpc.client.rpcs import WATCH_JOB
from tests.acceptance.scraping import Metrics
from tests.acceptance.server import Server, free_port, until

EVENTS_PER_SECOND = 10.0
MIB = 2**20
SPARE_DESCRIPTORS = 4
"""What a converter child holds that happens to start just then."""

SMALL_WINDOW = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_536),
    ("grpc.use_local_subchannel_pool", 1),
)
"""Options of a channel that takes 64 KiB and then nothing until somebody reads."""


@dataclass(slots=True)
class Stalled:
    """Delays in seconds from an event's time to its receipt by live watchers, and the server's memory."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)
    stalled_streams: int = 0
    let_go: int = 0

    @property
    def ratio(self) -> float:
        """p99 beside a stalled watcher, relative to that without one."""
        return p99(self.beside) / p99(self.alone)

    def __str__(self) -> str:
        start, end = (statistics.median(part) / MIB for part in (self.resident_bytes[:10], self.resident_bytes[-10:]))
        return (
            f"{len(self.alone)} deliveries without and {len(self.beside)} beside a stalled watcher: p99 "
            f"{1000 * p99(self.alone):.1f} and {1000 * p99(self.beside):.1f} ms, {self.ratio:.2f} times; p50 "
            f"{1000 * statistics.median(self.alone):.1f} and {1000 * statistics.median(self.beside):.1f} ms; "
            f"{self.stalled_streams} stalled streams, {self.let_go} let go; memory {start:.1f} MiB, then {end:.1f} MiB"
        )


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def stalled(folder: Path, seed: int, rounds: int = 10, watchers: int = 100, seconds: float = 60.0) -> Stalled:
    """Each round: a fifth of `seconds` without, then `seconds` beside a watcher that does not read."""
    found = Stalled()
    address = f"127.0.0.1:{free_port()}"
    async with (
        Server(folder, workers=0, log_level="WARNING", metrics_address=address) as server,
        AsyncClient(server.address, timeout=300.0) as client,
    ):
        metrics = Metrics(address)
        job_id = (await client.create_job("busy")).job.job_id
        sink = found.alone
        rng = random.Random(seed)

        async def live(channel: grpc.aio.Channel) -> None:
            request = WatchJobRequest(job_id=job_id, until=WatchUntil.WATCH_UNTIL_NEVER)
            async for message in channel.unary_stream(WATCH_JOB.path, WATCH_JOB.encode, WATCH_JOB.decode)(request):
                if message.HasField("event"):
                    sink.append(time.time() - message.event.timestamp.ToMicroseconds() / 1e6)

        async def change() -> None:
            for number in itertools.count():
                await client.update_job(job_id, name=f"busy {number} {rng.randbytes(100).hex()}")
                await asyncio.sleep(1 / EVENTS_PER_SECOND)

        async with contextlib.AsyncExitStack() as stack:
            channels = [
                await stack.enter_async_context(grpc.aio.insecure_channel(server.address, options=[("n", number)]))
                for number in range(4)
            ]
            tasks = [asyncio.create_task(live(channels[number % 4])) for number in range(watchers)]
            tasks.append(asyncio.create_task(change()))
            for _ in range(rounds):
                sink = found.alone
                await _measured(server, tasks, found, seconds / 5)
                sink = found.beside
                reader = asyncio.create_task(_never_reads(server, job_id, found))
                await _measured(server, tasks, found, seconds)
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await metrics.scrape()
        found.let_go = int(metrics.value("ingest_watchers_let_go_total"))
        await metrics.close()
        assert await server.terminate() == 0, server.log()[-2000:]
    return found


async def _measured(server: Server, tasks: list["asyncio.Task[None]"], found: Stalled, seconds: float) -> None:
    """Lets time pass; raises what a task failed with."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found.resident_bytes.append(server.resident_bytes)
        done, _ = await asyncio.wait(tasks, timeout=min(1.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _never_reads(server: Server, job_id: str, found: Stalled) -> None:
    """Opens a watch from the beginning, takes one message and no more; again once it was let go."""
    while True:
        async with grpc.aio.insecure_channel(server.address, options=SMALL_WINDOW) as channel:
            request = WatchJobRequest(job_id=job_id, after_sequence=0, until=WatchUntil.WATCH_UNTIL_NEVER)
            call = channel.unary_stream(WATCH_JOB.path, WATCH_JOB.encode, WATCH_JOB.decode)(request)
            await call.read()
            found.stalled_streams += 1
            await call.wait_for_connection()
            await asyncio.sleep(40)


@dataclass(frozen=True, slots=True)
class Cycles:
    """What a server held before and after watches came and went."""

    cycles: int
    tasks: tuple[int, int]
    descriptors: tuple[int, int]
    watchers: int
    resident_mib: tuple[float, float]


async def cycles(folder: Path, seed: int, rounds: int = 10_000, watchers: int = 50) -> Cycles:
    """`rounds` watches, `watchers` at a time: opened, read for a moment or not at all, and cancelled."""
    rng = random.Random(seed)
    address = f"127.0.0.1:{free_port()}"
    async with (
        Server(folder, workers=0, log_level="WARNING", metrics_address=address) as server,
        AsyncClient(server.address, timeout=300.0) as client,
    ):
        metrics = Metrics(address)
        job_id = (await client.create_job("watched")).job.job_id
        await _cycle(server, job_id, rng, max(200, rounds // 20), watchers)  # what is allocated once
        before = await _standing(server, metrics)
        await _cycle(server, job_id, rng, rounds, watchers)
        after = await _standing(server, metrics, like=before)
        left = int(metrics.value("ingest_watchers"))
        await metrics.close()
        assert await server.terminate() == 0, server.log()[-2000:]
    (tasks, descriptors, resident), (tasks_after, descriptors_after, resident_after) = before, after
    return Cycles(
        rounds, (tasks, tasks_after), (descriptors, descriptors_after), left, (resident / MIB, resident_after / MIB)
    )


async def _cycle(server: Server, job_id: str, rng: random.Random, count: int, at_once: int) -> None:
    numbers = iter(range(count))
    request = WatchJobRequest(job_id=job_id, after_sequence=0, until=WatchUntil.WATCH_UNTIL_NEVER)

    async def worker() -> None:
        for _ in numbers:
            # Every tenth on a connection of its own, which it leaves as well.
            own = rng.random() < 0.1
            options = [("grpc.use_local_subchannel_pool", 1)] if own else []
            channel = grpc.aio.insecure_channel(server.address, options=options) if own else shared
            call = channel.unary_stream(WATCH_JOB.path, WATCH_JOB.encode, WATCH_JOB.decode)(request)
            if rng.random() < 0.8:
                assert isinstance(await call.read(), WatchJobResponse)
            call.cancel()
            if own:
                await channel.close()

    async with grpc.aio.insecure_channel(server.address) as shared:
        await asyncio.gather(*(worker() for _ in range(at_once)))


async def _standing(server: Server, metrics: Metrics, like: tuple[int, int, int] | None = None) -> tuple[int, int, int]:
    """Tasks, descriptors and memory once all that was left has been cleaned up."""
    wanted = like or (0, 0, 0)
    for _ in range(8):
        await asyncio.sleep(5.5)  # the gauges are set every five seconds
        await metrics.scrape()
        tasks = int(metrics.value("ingest_tasks"))
        if not metrics.value("ingest_watchers") and (like is None or tasks <= wanted[0]):
            break
    if like is not None:
        most = wanted[1] + SPARE_DESCRIPTORS
        await until(lambda: server.descriptors <= most, 30, f"{server.descriptors} to be {most} descriptors")
    return int(metrics.value("ingest_tasks")), server.descriptors, server.resident_bytes
