"""Scenarios in full, as a command; `scripts/chaos` starts it."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

from tests.acceptance import attack_rounds, kill_rounds, stop_rounds, watch_rounds, watch_strain
from tests.acceptance.kill_rounds import Moment, Report


def main() -> int:
    """Runs one scenario and prints one table; exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Break things on purpose, check every promise.")
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS, default="kills", help="what breaks (default kills)")
    parser.add_argument("--seed", type=int, help="repeat an earlier run; else a new one is drawn")
    parser.add_argument("--rounds", type=int, help="how often (each scenario has its own default)")
    parser.add_argument("--watchers", type=int, help="how many watch (each scenario has its own default)")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 10**6) if given.seed is None else given.seed
    console = Console(width=110)
    asked = {name: value for name, value in (("rounds", given.rounds), ("watchers", given.watchers)) if value}
    flags = "".join(f" --{name} {value}" for name, value in asked.items())
    console.print(f"repeat with scripts/chaos {given.scenario} --seed {seed}{flags}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ingest-chaos-") as folder:
        try:
            report = asyncio.run(SCENARIOS[given.scenario](Path(folder), seed, **asked))
        except AssertionError as broken:
            console.print(f"BROKEN with seed {seed}: {broken}", style="red", markup=False)
            raise
    console.print(report)
    console.print(f"{time.monotonic() - began:.0f} s")
    return 0


async def kills(folder: Path, seed: int, rounds: int = 30, watchers: int = 50) -> Table:
    """kill -9 under load."""
    began = time.monotonic()
    report = await kill_rounds.run(folder, seed, rounds, crowd=watchers)
    return table_of(report, time.monotonic() - began)


async def watchers(folder: Path, seed: int, rounds: int = 50, watchers: int = 200) -> str:
    """Restarts and cuts under a crowd."""
    return str(await watch_rounds.run(folder, seed, rounds, watchers))


async def stalled(folder: Path, seed: int, rounds: int = 10, watchers: int = 100) -> str:
    """A watcher that does not read, for a minute per round."""
    found = await watch_strain.stalled(folder, seed, rounds, watchers)
    return str(found)


async def cycles(folder: Path, seed: int, rounds: int = 10_000, watchers: int = 50) -> str:
    """Watches that come and go."""
    return str(await watch_strain.cycles(folder, seed, rounds, watchers))


async def attacks(folder: Path, seed: int, rounds: int = 1) -> Table:
    """Clients that misbehave, beside one that does not."""
    report = await attack_rounds.run(folder, seed, rounds)
    table = Table(title="An honest client beside attackers", caption=f"memory {report.resident_mib} MiB")
    for heading in ("Attack", "Connections", "Calls", "Failed", "p50 ms", "p99 ms", "max ms", "Done after"):
        table.add_column(heading, justify="left" if heading == "Attack" else "right")
    for name, one in report.found.items():
        times = [f"{one.milliseconds(share):.1f}" for share in (0.5, 0.99, 1.0)]
        after = f"{one.aftermath_seconds / rounds:.1f} s"
        table.add_row(name, str(one.connections), str(len(one.delays)), str(len(one.failed)), *times, after)
    return table


async def stops(folder: Path, seed: int, rounds: int = 50, watchers: int = 10) -> str:
    """SIGTERM under load."""
    return str(await stop_rounds.run(folder, seed, rounds, watchers))


SCENARIOS: Mapping[str, Callable[..., Coroutine[Any, Any, RenderableType]]] = {
    "kills": kills,
    "watchers": watchers,
    "stalled": stalled,
    "cycles": cycles,
    "stops": stops,
    "attacks": attacks,
}


def table_of(report: Report, seconds: float) -> Table:
    """One line per round, and below it what the whole run measured."""
    table = Table(title=f"{len(report.rounds)} kills, seed {report.seed}, {seconds:.0f} s")
    for heading in ("Round", "Killed", "Events so far", "Serving again after", "CPU of the start"):
        table.add_column(heading, justify="left" if heading == "Killed" else "right")
    for each in report.rounds:
        table.add_row(
            str(each.number),
            told(each.moment),
            str(each.last_sequence),
            "" if each.recovery_seconds is None else f"{each.recovery_seconds:.2f} s",
            "" if each.cpu_seconds is None else f"{each.cpu_seconds:.2f} s",
        )
    recoveries = report.recoveries
    table.caption = (
        f"{report.events} events, checked {report.events_checked} times by {report.watchers} watchers over "
        f"{report.reconnects} reconnects; {report.orphaned} conversions lost to kills and done again; "
        f"{report.acknowledged} calls acknowledged. The network: {report.network}.\n"
        f"Serving again after p50 {statistics.median(recoveries):.2f} s, max {recoveries[-1]:.2f} s. "
        "Nothing lost, nothing doubled."
    )
    return table


def told(moment: Moment) -> str:
    """A moment in words."""
    if moment.after == "events":
        return f"when {moment.events} more events were seen"
    return f"{moment.seconds:.2f} s after {'its spawn' if moment.after == 'spawn' else 'it served'}"


if __name__ == "__main__":
    sys.exit(main())
