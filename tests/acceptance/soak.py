"""The soak as a command; `scripts/soak` starts it."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from ingest_grpc.client import AsyncClient
from tests.acceptance.judgement import judge_folder
from tests.acceptance.scraping import Metrics
from tests.acceptance.server import Server, free_port
from tests.acceptance.soak_load import Load

MIB = 2**20
READINGS = 10
"""Of memory per sample, one a second. A server gives back what is free every few seconds: a single reading would say
where between two of these moments it fell, and a drift of that looks like growth for half an hour."""

WARM_UP = 0.4
"""The share of the time in which caches fill and the ledger grows: what is old goes every ten minutes, so that it is as
large as it gets after twenty. Of an hour more than half is left."""

CALL_SECONDS = 300.0
"""Patience with a machine that does other work at the same time: the soak looks for growth, not for speed."""

MAX_MIB_PER_HOUR = 1.0
MAX_WAL_BYTES = 64 * MIB
TOLERANCE = 1.15
"""The busiest moment of the last quarter may have so much more than that of the first one after the warm-up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment, its memory in the seconds before; `seconds` since the begin of the load."""

    seconds: float
    resident_bytes: float
    descriptors: int
    threads: int
    tasks: int
    wal_bytes: int


def main() -> int:
    """Runs the load, prints what was measured, and returns 1 if something grew."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description="Serve a mixed load and see whether it grows.")
    parser.add_argument("--minutes", type=float, default=60.0, help="1 at least")
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    if given.minutes < 1:
        parser.error("--minutes: of less than a minute nothing can be said")
    seed = random.SystemRandom().randrange(1, 10**6) if given.seed is None else given.seed
    console = Console(width=110)
    console.print(f"seed {seed}, {given.minutes:g} minutes")
    with tempfile.TemporaryDirectory(prefix="ingest-soak-") as folder:
        samples, load = asyncio.run(run(Path(folder), given.minutes * 60, seed))
    console.print(table_of(samples))
    console.print(", ".join(f"{count} {what}" for what, count in sorted(load.done.items())))
    problems = judge(samples)
    for problem in problems:
        console.print(f"GROWS: {problem}", style="red")
    console.print(f"memory {slope_mib_per_hour(samples):+.2f} MiB/h after the warm-up")
    return 1 if problems else 0


async def run(folder: Path, seconds: float, seed: int) -> tuple[list[Sample], Load]:
    """The samples of one server under load. AssertionError if it did anything wrong."""
    address = f"127.0.0.1:{free_port()}"
    settings: dict[str, Any] = {"purge_after_days": 0.001, "request_id_days": 0.003, "event_retention_days": 0.003}
    async with Server(folder, log_level="WARNING", metrics_address=address, **settings) as server:
        metrics = Metrics(address)
        samples: list[Sample] = []
        async with AsyncClient(server.address, timeout=CALL_SECONDS) as client:
            load = Load(client, seed)
            watching = asyncio.create_task(_sample(server, metrics, samples))
            try:
                await load.run(seconds)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await metrics.close()
        assert await server.terminate() == 0, server.log()[-2000:]
        await server.nothing_left()
        await judge_folder(server)
    return samples, load


async def _sample(server: Server, metrics: Metrics, samples: list[Sample]) -> None:
    began = time.monotonic()
    process = psutil.Process(server.pid)
    while True:
        readings = []
        for _ in range(READINGS):
            readings.append(server.resident_bytes)
            await asyncio.sleep(1)
        await metrics.scrape()
        samples.append(
            Sample(
                time.monotonic() - began,
                statistics.mean(readings),
                server.descriptors,
                process.num_threads(),
                int(metrics.value("ingest_tasks")),
                int(metrics.value("ingest_wal_bytes")),
            )
        )
        if len(samples) % 30 == 1:
            last = samples[-1]
            print(f"{last.seconds:6.0f} s {last.resident_bytes / MIB:7.1f} MiB {last.tasks} tasks", flush=True)  # noqa: T201


def after_warm_up(samples: list[Sample]) -> list[Sample]:
    return samples[int(len(samples) * WARM_UP) :]


def slope_mib_per_hour(samples: list[Sample]) -> float:
    """The median of the slopes between all pairs of points (Theil and Sen): a moment's peak does not move it."""
    points = [(each.seconds / 3600, each.resident_bytes / MIB) for each in after_warm_up(samples)]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2)]
    return statistics.median(slopes) if slopes else 0.0


def judge(samples: list[Sample]) -> list[str]:
    """What grew."""
    kept = after_warm_up(samples)
    quarter = max(1, len(kept) // 4)
    first, last = kept[:quarter], kept[-quarter:]
    problems = []
    if (slope := slope_mib_per_hour(samples)) >= MAX_MIB_PER_HOUR:
        problems.append(f"memory: {slope:.2f} MiB/h")
    for name in ("descriptors", "threads", "tasks"):
        before, after = (max(getattr(each, name) for each in part) for part in (first, last))
        if after > before * TOLERANCE + 2:
            problems.append(f"{name}: at most {before}, later {after}")
    if (most := max(each.wal_bytes for each in samples)) > MAX_WAL_BYTES:
        problems.append(f"the write-ahead log: {most / MIB:.0f} MiB")
    return problems


def table_of(samples: list[Sample]) -> Table:
    """A line for each tenth of the time, with its means."""
    table = Table(title="One server under a mixed load")
    for heading in ("Minute", "Memory", "Descriptors", "Threads", "Tasks", "WAL"):
        table.add_column(heading, justify="right")
    size = max(1, len(samples) // 10)
    for start in range(0, len(samples), size):
        part = samples[start : start + size]
        table.add_row(
            f"{part[-1].seconds / 60:.1f}",
            f"{statistics.mean(each.resident_bytes for each in part) / MIB:.1f} MiB",
            f"{max(each.descriptors for each in part)}",
            f"{max(each.threads for each in part)}",
            f"{max(each.tasks for each in part)}",
            f"{max(each.wal_bytes for each in part) / MIB:.1f} MiB",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
