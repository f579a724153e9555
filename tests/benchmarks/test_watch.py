"""WatchJob: one event to many watchers, and how long one watcher waits for what was committed."""

import time
from pathlib import Path

import pytest

from tests.benchmarks.harness import Bar, Contestant, Figures, Table, bare_server, percentile
from tests.benchmarks.ours import our_server
from tests.benchmarks.watching import Crowd, bare_crowd, our_crowd

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

CROWDS = (1_000, 10_000)
FAN_OUTS = 10
"""Events per turn of the fan-out, one after the other."""

COMMITS = 150
"""Events per turn of the latency, one after the other."""

ROUNDS = 9


@pytest.mark.parametrize("watchers", CROWDS)
async def test_fan_out__against_encoded_bytes_to_bare_streams(tmp_path: Path, table: Table, watchers: int) -> None:
    """From the first watcher that received an event to the last: what comes before is in the latency."""
    async with our_server(tmp_path / "ours", workers=0) as ours:
        idle, began = ours.contestant.resident_mib(), time.perf_counter()
        async with our_crowd(ours, watchers) as crowd:
            connected = time.perf_counter() - began
            await crowd.fire()
            with bare_server(tmp_path / "bare") as bare:
                async with bare_crowd(bare, watchers, "fire", crowd.event) as bare_watchers:

                    async def our_turn() -> Figures:
                        return await _fanned_out(ours.contestant, crowd)

                    async def bare_turn() -> Figures:
                        return await _fanned_out(bare, bare_watchers)

                    name = f"one event to {watchers:,} watchers"
                    await table.compare(name, our_turn, bare_turn, rounds=ROUNDS, bars={"messages/s": Bar(0.8)})
            _add_costs(table, watchers, idle, ours.contestant.resident_mib(), connected)


def _add_costs(table: Table, watchers: int, idle: float, resident: float, connected: float) -> None:
    most = max(CROWDS)
    per_watcher = (resident - idle) * 1_024 / watchers
    bars = (Bar(15, True), Bar(450, True), Bar(33, True)) if watchers == most else (None, None, None)
    table.add_figure(f"{watchers:,} watchers connected", "s", connected, bars[0])
    table.add_figure(f"memory with {watchers:,} watchers", "MiB", resident, bars[1])
    table.add_figure(f"memory per watcher of {watchers:,}", "KiB", per_watcher, bars[2])
    table.curve("memory by watchers", "MiB", watchers, resident)


async def test_commit_to_receive__against_a_stream_and_one_durable_commit(tmp_path: Path, table: Table) -> None:
    """From the call that commits to its event at the one watcher of an idle server."""
    async with our_server(tmp_path / "ours", workers=0) as ours, our_crowd(ours, 1) as crowd:
        await crowd.fire()
        with bare_server(tmp_path / "bare") as bare:
            async with bare_crowd(bare, 1, "commit", crowd.event) as bare_watcher:

                async def our_turn() -> Figures:
                    return await _latencies(crowd)

                async def bare_turn() -> Figures:
                    return await _latencies(bare_watcher)

                bars = {"ms p50": Bar(1.5, at_most=True), "ms p99": Bar(3, at_most=True)}
                await table.compare("commit to receive, one watcher", our_turn, bare_turn, rounds=ROUNDS, bars=bars)


async def _fanned_out(server: Contestant, crowd: Crowd) -> Figures:
    cpu = server.cpu_seconds()
    arrivals = [await crowd.fire() for _ in range(FAN_OUTS)]
    elapsed = sum(arrival.last - arrival.first for arrival in arrivals)
    messages = FAN_OUTS * crowd.count
    return {
        "messages/s": (messages - FAN_OUTS) / elapsed,
        "server CPU µs/message": (server.cpu_seconds() - cpu) / messages * 1e6,
    }


async def _latencies(crowd: Crowd) -> Figures:
    arrivals = [await crowd.fire() for _ in range(COMMITS)]
    milliseconds = [(arrival.last - arrival.sent) * 1e3 for arrival in arrivals]
    return {"ms p50": percentile(milliseconds, 50), "ms p99": percentile(milliseconds, 99)}
