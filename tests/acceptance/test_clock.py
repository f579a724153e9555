"""A wall clock that jumps by a day, forth and back, under a real server at work."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import RecordStatus
from tests.acceptance.faults import start_job
from tests.acceptance.faulty_disk import COMPILER
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server
from tests.acceptance.watchers import RawWatcher
from tests.acceptance.workload import make_documents
from tests.history import violations

pytestmark = pytest.mark.acceptance

DAY = 86_400
SOURCE = Path(__file__).with_name("faulty_clock.c")


@pytest.mark.skipif(COMPILER is None, reason="no C compiler builds the jumping clock")
async def test_clock__that_jumps_by_a_day_loses_nothing(tmp_path: Path) -> None:
    """Leases and watches live on the monotonic clock; events never run backwards."""
    library, jump = tmp_path / "faulty_clock.so", tmp_path / "jump"
    command = [str(COMPILER), "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    await asyncio.to_thread(subprocess.run, command, check=True)
    jump.write_text("0")
    server = Server(tmp_path / "server", workers=2)
    server.environment = {"LD_PRELOAD": str(library), "FAULTY_CLOCK": str(jump)}
    async with server, AsyncClient(server.address) as client:
        documents = make_documents(8)
        job_id = await start_job(client, documents[:2])
        watcher = RawWatcher(server.address, job_id, after_sequence=0)
        watcher.start()
        for number, seconds in enumerate((DAY, -DAY, 0), start=1):
            files = [await client.upload(each.data, filename=each.name) for each in documents[2 * number :][:2]]
            await client.add_files(job_id, files)
            jump.write_text(str(seconds))  # while they are converted
            state = await client.wait(job_id, patience=60)
            assert {record.status for record in state.live_records} == {RecordStatus.RECORD_STATUS_COMPLETED}
            assert {(record.attempt, record.orphaned_count) for record in state.live_records} == {(1, 0)}
        events = [event async for event in client.list_events(job_id, page_size=1_000)]
        assert events[-1].timestamp.seconds > time.time() + DAY - 600, "the clock did jump"
        await watcher.reached(events[-1].sequence, 10)
        assert watcher.reconnects == 0
        await watcher.stop()
        assert violations(watcher.connections, truth=events) == []
        assert await server.terminate() == 0
        await judge_folder(server)
