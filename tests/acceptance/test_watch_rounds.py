"""Watchers over restarts, cuts, a compaction and a restore; `scripts/chaos watchers` runs the first in full."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import WatchUntil
from tests.acceptance import watch_rounds
from tests.acceptance.faults import start_job
from tests.acceptance.server import Server, run_cli
from tests.acceptance.watchers import RawWatcher
from tests.acceptance.workload import make_documents
from tests.history import violations

pytestmark = pytest.mark.acceptance

SEED = int(os.environ.get("INGEST_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


async def refusal_of(server: Server, job_id: str, after: int) -> tuple[str, str]:
    """Code and reason with which a watch with this cursor is refused, now or soon."""
    async with asyncio.timeout(30):
        while True:
            watcher = RawWatcher(server.address, job_id, after_sequence=after, until=WatchUntil.WATCH_UNTIL_HEAD)
            watcher.start()
            await watcher.moved.wait()
            watcher.moved.clear()
            await watcher.stop()
            if watcher.endings:
                return watcher.endings[0].code.name, watcher.endings[0].reason


@pytest.mark.slow
async def test_watchers__miss_nothing_over_restarts_and_cuts(tmp_path: Path) -> None:
    print(f"INGEST_TEST_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    report = await watch_rounds.run(tmp_path, SEED, rounds=2, watchers=20)
    assert report.reconnects >= report.watchers
    assert report.cuts
    assert report.resumed_from >= report.events


async def test_compaction_and_restore__under_a_watcher(tmp_path: Path) -> None:
    """What is no longer kept, or was another history, is said; a fresh watch then gets everything there is."""
    server = Server(tmp_path / "first", workers=1)
    async with server, AsyncClient(server.address) as client:
        job_id = await start_job(client, make_documents(3))
        await client.wait(job_id)
        events = [event async for event in client.list_events(job_id, page_size=1_000)]
        head = events[-1].sequence
        backup = tmp_path / "backup"
        made = run_cli("admin", "backup", str(backup), "--data-dir", str(server.data))
        assert made.returncode == 0, made.stderr
        await client.add_files(job_id, [await client.upload(b"later", filename="later.txt")])
        await client.wait(job_id)
        assert [event async for event in client.list_events(job_id, after_sequence=head)], "after the backup"
        whole = RawWatcher(server.address, job_id, after_sequence=0)
        whole.start()
        await whole.reached(head + 1, 10)

        server.settings["event_retention_days"] = 0
        await server.kill()
        await server.start()  # compacts at its start
        assert await refusal_of(server, job_id, after=2) == ("OUT_OF_RANGE", "SEQUENCE_COMPACTED")
        await whole.stop()
        assert violations(whole.connections) == []
    restored = Server(tmp_path / "second", workers=1)
    back = run_cli("admin", "restore", str(backup), "--data-dir", str(restored.data))
    assert back.returncode == 0, back.stderr
    restored.address = server.address
    async with restored, AsyncClient(restored.address) as client:
        told = await refusal_of(restored, job_id, after=whole.position)
        assert told == ("OUT_OF_RANGE", "SEQUENCE_IN_FUTURE")
        fresh = RawWatcher(restored.address, job_id, after_sequence=0, until=WatchUntil.WATCH_UNTIL_HEAD)
        fresh.start()
        await fresh.ended(10)
        assert fresh.sequences == [event.sequence for event in events]
        assert violations(fresh.connections, truth=events) == []
