"""SIGTERM under load, and what keeps two servers apart."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import EventType, RecordStatus, WatchUntil
from tests.acceptance import stop_rounds
from tests.acceptance.faults import FAULTY, fault, start_job
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import SERVE, Server, run_cli, until
from tests.acceptance.watchers import RawWatcher
from tests.acceptance.workload import make_documents
from tests.history import violations

pytestmark = pytest.mark.acceptance

GRACE_SECONDS = 1.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path, FAULTY, workers=2, shutdown_grace_seconds=GRACE_SECONDS) as server:
        yield server


async def test_sigterm__under_load(server: Server) -> None:
    """Two conversions hang, others wait: the server ends in time, and its successor finishes all of them."""
    async with AsyncClient(server.address) as client:
        job_id = await start_job(client, [fault("spin"), fault("spin again")], make_documents(6))
        watchers = [RawWatcher(server.address, job_id, after_sequence=after) for after in (0, None)]
        for watcher in watchers:
            watcher.start()
        await watchers[0].saw(EventType.EVENT_TYPE_RECORD_CLAIMED, 2, seconds=10)

        began = time.monotonic()
        assert await server.terminate() == 0, server.log()
        assert time.monotonic() - began < GRACE_SECONDS + 2
        ended_at = time.time()
        await server.nothing_left(seconds=1.0)
        for watcher in watchers:
            assert watcher.endings[0].code is grpc.StatusCode.UNAVAILABLE
            assert watcher.endings[0].reason == "SERVER_DRAINING"

        # Nothing misbehaves from here on: for the real children these documents are ordinary texts.
        await server.start(command=SERVE)
        state = await client.wait(job_id, patience=60)
        assert [each.status for each in state.live_records] == [RecordStatus.RECORD_STATUS_COMPLETED] * 8
        events = [event async for event in client.list_events(job_id, page_size=1_000)]
        orphaned = [event for event in events if event.type == EventType.EVENT_TYPE_RECORD_ORPHANED]
        assert [event.record_change.record.status for event in orphaned] == [RecordStatus.RECORD_STATUS_QUEUED] * 2
        given_back = [event.timestamp.ToMicroseconds() / 1e6 for event in orphaned]
        assert max(given_back) < ended_at, "left to the next server"
        for watcher in watchers:
            await watcher.reached(events[-1].sequence, seconds=10)
            await watcher.stop()
        assert violations(*(watcher.connections for watcher in watchers)) == []
    assert await server.terminate() == 0
    await judge_folder(server)


@pytest.mark.slow
async def test_sigterm__again_and_again(tmp_path: Path) -> None:
    """`scripts/chaos stops` does it fifty times."""
    report = await stop_rounds.run(tmp_path, seed=1, rounds=2, watchers=4)
    assert report.told == 8


async def test_sigterm__the_moment_it_listens(server: Server) -> None:
    await server.kill()
    server.spawn()
    await until(lambda: server.log().count("listening") == 2, 30, "the server listens")
    assert await server.terminate() == 0
    assert not server.ready_file.exists()


async def test_second_server__is_refused(server: Server) -> None:
    second = run_cli("serve", "--address", "127.0.0.1:0", "--data-dir", str(server.data))
    assert second.returncode == 1
    assert f"{server.data} is in use by process {server.pid}" in second.stderr
    assert "--data-dir" in second.stderr
    assert "Traceback" not in second.stderr

    third = run_cli("serve", "--address", server.address, "--data-dir", str(server.folder / "other"))
    assert third.returncode == 1
    assert f"cannot listen on {server.address}" in third.stderr
    async with AsyncClient(server.address) as client:
        assert (await client.server_info()).version, "the first one does not mind"


async def test_ready_file__is_never_stale(server: Server) -> None:
    """One of a killed server stays; the next takes it away before it could be believed, and at its own end."""
    await server.kill()
    assert server.ready_file.read_text() == f"{server.address}\n"
    refused = run_cli("serve", "--address", "192.0.2.1:1", "--data-dir", str(server.data), *ready(server))
    assert refused.returncode == 1
    assert not server.ready_file.exists()
    await server.start()
    refused = run_cli("serve", "--address", "127.0.0.1:0", "--data-dir", str(server.data), *ready(server))
    assert refused.returncode == 1
    assert server.ready_file.exists(), "that of the living server was touched"
    assert await server.terminate() == 0
    assert not server.ready_file.exists()


@pytest.mark.parametrize(
    ("ready_file", "code", "told"),
    [("missing/ready", 2, "--ready-file cannot be written in"), ("r" * 255, 1, "File name too long")],
)
def test_ready_file__that_cannot_be_written_ends_the_server(
    tmp_path: Path, ready_file: str, code: int, told: str
) -> None:
    """Before it serves where that can be known, else after: of the longest name only the partial file cannot be made,
    however short the number of the process in its name is."""
    place = ("--address", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))
    ended = run_cli("serve", *place, "--ready-file", str(tmp_path / ready_file), workers=0)
    assert ended.returncode == code
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def ready(server: Server) -> tuple[str, str]:
    return "--ready-file", str(server.ready_file)


async def test_watch__ends_cleanly_for_those_who_come_late(server: Server) -> None:
    """A job that settled before a restart is told as settled after it."""
    async with AsyncClient(server.address) as client:
        job_id = await start_job(client, make_documents(2))
        await client.wait(job_id, patience=30)
        await server.kill()
        await server.start()
        late = RawWatcher(server.address, job_id, after_sequence=0, until=WatchUntil.WATCH_UNTIL_SETTLED)
        late.start()
        await late.ended(10)
    assert late.connections[-1].code is grpc.StatusCode.OK
    assert violations(late.connections) == []
