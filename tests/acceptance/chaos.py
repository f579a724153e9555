"""The kill rounds in full, as a command; `scripts/chaos` starts it."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.acceptance import kill_rounds
from tests.acceptance.kill_rounds import Moment, Report


def main() -> int:
    """Runs the rounds and prints one table; exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Kill a server again and again under load.")
    parser.add_argument("--seed", type=int, help="repeat an earlier run; else a new one is drawn")
    parser.add_argument("--rounds", type=int, default=30, help="how often the server is killed (default 30)")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 10**6) if given.seed is None else given.seed
    console = Console(width=100)
    console.print(f"seed {seed}: repeat with scripts/chaos --seed {seed} --rounds {given.rounds}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ingest-chaos-") as folder:
        try:
            report = asyncio.run(kill_rounds.run(Path(folder), seed, given.rounds))
        except AssertionError as broken:
            console.print(f"BROKEN with seed {seed}: {broken}", style="red", markup=False)
            raise
    console.print(table_of(report, time.monotonic() - began))
    return 0


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
        f"{report.acknowledged} calls acknowledged.\n"
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
