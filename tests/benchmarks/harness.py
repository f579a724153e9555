"""What every benchmark needs: two contestants measured in turns, and a table of how they compare.

The machine is shared and noisy, so no figure stands alone: ours and the bare thing run A B A B within one run,
each round gives one ratio, and the median of the ratios is what counts.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 10.0

Figures = Mapping[str, float]
"""What one turn measured, by the unit that it is in: {"requests/s": 4200.0, "CPU µs/request": 180.0}."""

Turn = Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Bar:
    """At least, or at most, so much."""

    value: float
    at_most: bool = False

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.value:g}"

    def holds(self, value: float) -> bool:
        return value <= self.value if self.at_most else value >= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians over the rounds, and the ratio ours / bare with its least and its greatest.

    `bar` is what the median is held against: of the ratio, or of our own figure where there is nothing bare to compare
    it with (then `bare` and `ratios` are empty).
    """

    name: str
    ours: float
    bare: float | None
    ratios: Sequence[float]
    unit: str
    bar: Bar | None = None

    def cells(self) -> tuple[str, ...]:
        if not self.ratios or self.bare is None:
            return self.name, _number(self.ours), "", "", *self._judged(self.ours), self.unit
        low, high, middle = min(self.ratios), max(self.ratios), statistics.median(self.ratios)
        ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        return self.name, _number(self.ours), _number(self.bare), ratio, *self._judged(middle), self.unit

    def _judged(self, value: float) -> tuple[str, str]:
        if self.bar is None:
            return "", ""
        return str(self.bar), "yes" if self.bar.holds(value) else "NO"


@dataclass(slots=True)
class Table:
    """The rows of one run, in the order in which they were measured."""

    rows: list[Row] = field(default_factory=list)
    curves: dict[tuple[str, str], list[tuple[int, float]]] = field(default_factory=dict)

    def text(self) -> str:
        head = ("benchmark", "ours", "bare", "ratio (of all rounds)", "bar", "met", "unit")
        lines = [head, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    async def compare(
        self, name: str, ours: Turn, bare: Turn, *, rounds: int, bars: Mapping[str, Bar] | None = None
    ) -> None:
        """One row per unit that the bare turn reports. A first round of each warms up and does not count."""
        await ours()
        await bare()
        pairs = [(await ours(), await bare()) for _ in range(rounds)]
        for unit in pairs[0][1]:
            self.add(name, unit, [(a[unit], b[unit]) for a, b in pairs], (bars or {}).get(unit))

    def add(self, name: str, unit: str, pairs: Sequence[tuple[float, float]], bar: Bar | None = None) -> None:
        """A row of (ours, bare) pairs, one per round."""
        ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
        self.rows.append(Row(name, ours, bare, [a / b for a, b in pairs], unit, bar))

    def add_figure(self, name: str, unit: str, value: float, bar: Bar | None = None) -> None:
        """A row of ours alone."""
        self.rows.append(Row(name, value, None, (), unit, bar))

    def curve(self, name: str, unit: str, point: int, value: float) -> None:
        """A point of a curve that is drawn after the run, for example microseconds by records."""
        self.curves.setdefault((name, unit), []).append((point, value))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server in a process of its own."""

    address: str
    pid: int

    def resident_mib(self) -> float:
        """Resident memory of the process alone."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20

    def cpu_seconds(self) -> float:
        """User and system time of the process alone; the kernel counts it in steps of 10 ms."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def cpu_seconds_with_children(self) -> float:
        """The same of the process and of all that it started, those that have ended included."""
        living = psutil.Process(self.pid)
        family = [living, *living.children(recursive=True)]
        return float(sum(sum(process.cpu_times()[:4]) for process in family))


@contextmanager
def bare_server(folder: Path) -> Iterator[Contestant]:
    """Runs tests/benchmarks/bare.py with `folder` for its files; it is gone afterwards, whatever happened."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bare", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"the bare server ended with {process.wait(_STOP_SECONDS)}"
        yield Contestant(address, process.pid)
    finally:
        process.kill()
        process.communicate(timeout=_STOP_SECONDS)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
