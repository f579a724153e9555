"""WatchJob: one event to many watchers, and how long one watcher waits for what was committed."""

from pathlib import Path

import pytest

from tests.benchmarks.harness import Contestant, Figures, Table, bare_server, percentile
from tests.benchmarks.ours import our_server
from tests.benchmarks.watching import Crowd, bare_crowd, our_crowd

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

WATCHERS = 500
FAN_OUTS = 10
"""Events per turn of the fan-out, one after the other."""

COMMITS = 150
"""Events per turn of the latency, one after the other."""

ROUNDS = 7


async def test_fan_out__against_encoded_bytes_to_bare_streams(tmp_path: Path, table: Table) -> None:
    """From the first watcher that received an event to the last: what comes before is in the latency."""
    async with our_server(tmp_path / "ours", workers=0) as ours, our_crowd(ours, WATCHERS) as crowd:
        await crowd.fire()
        with bare_server(tmp_path / "bare") as bare:
            async with bare_crowd(bare, WATCHERS, "fire", crowd.event) as bare_watchers:

                async def our_turn() -> Figures:
                    return await _fanned_out(ours.contestant, crowd)

                async def bare_turn() -> Figures:
                    return await _fanned_out(bare, bare_watchers)

                await table.compare(f"one event to {WATCHERS} watchers", our_turn, bare_turn, rounds=ROUNDS)


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

                await table.compare("commit to receive, one watcher", our_turn, bare_turn, rounds=ROUNDS)


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
