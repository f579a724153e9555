"""How soon a server serves, and how much memory it takes: while it is idle, and with 10,000 watchers."""

import statistics
import time
from pathlib import Path

import psutil
import pytest

from ingest_grpc.units import MIB
from tests.acceptance.server import Server
from tests.benchmarks.harness import Bar, Table
from tests.benchmarks.ledgers import prepared

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1_800)]

STARTS = 5
MILLION = 1_000_000


async def _started(folder: Path, ledger: Path | None = None) -> tuple[float, float]:
    """Seconds from the start of the process until it answers, and its resident MiB then; without a converter."""
    folder.mkdir()
    if ledger is not None:
        (folder / "data").symlink_to(ledger)
    server = Server(folder, workers=0)
    began = time.perf_counter()
    async with server:
        seconds = time.perf_counter() - began
        return seconds, psutil.Process(server.pid).memory_info().rss / MIB


async def test_start__of_an_empty_server(tmp_path: Path, table: Table) -> None:
    starts = [await _started(tmp_path / f"empty-{number}") for number in range(STARTS)]
    table.add_figure("ready after start, empty", "s", statistics.median(start[0] for start in starts), Bar(1.5, True))
    table.add_figure("idle memory, empty", "MiB", statistics.median(start[1] for start in starts), Bar(120, True))


async def test_start__with_a_million_records(tmp_path: Path, table: Table) -> None:
    ledger = prepared(MILLION)
    starts = [await _started(tmp_path / f"million-{number}", ledger) for number in range(STARTS)]
    seconds = statistics.median(start[0] for start in starts)
    table.add_figure("ready after start, 1,000,000 records", "s", seconds, Bar(2.0, True))
