"""A running file is removed: its converter is killed within a second, and the queue goes on."""

import time
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import EventType, RecordStatus
from tests.acceptance.faults import FAULTY, fault, start_job
from tests.acceptance.server import Server, until
from tests.acceptance.workload import make_documents

pytestmark = pytest.mark.acceptance

LIMIT_SECONDS = 1.0


async def test_remove__of_a_running_file_stops_its_converter(tmp_path: Path) -> None:
    async with Server(tmp_path, FAULTY, workers=1) as server, AsyncClient(server.address) as client:
        job_id = await start_job(client, [fault("spin")], make_documents(1))
        state = await client.job_view(job_id)
        spinning, waiting = sorted(state.live_records, key=lambda record: record.filename != fault("spin").name)

        await until(lambda: len(at_work(server)) == 1, 30, "a child spins")
        [child] = at_work(server)
        began = time.monotonic()
        await client.remove_files(job_id, record_ids=[spinning.record_id])
        await until(lambda: child not in {each.pid for each in server.converters()}, 20, "it is gone")
        took = time.monotonic() - began

        state = await client.wait(job_id, patience=60)
        assert [(each.record_id, each.status) for each in state.live_records] == [
            (waiting.record_id, RecordStatus.RECORD_STATUS_COMPLETED)
        ]
        events = [event async for event in client.list_events(job_id)]
        own = [event.type for event in events if event.record_change.record.record_id == spinning.record_id]
        assert own[-2:] == [EventType.EVENT_TYPE_RECORD_CANCELLED, EventType.EVENT_TYPE_RECORD_REMOVED]
        # By the server's clock: from the commit of the removal to the claim of the next file by the same worker.
        [removed] = [event for event in events if event.type == EventType.EVENT_TYPE_RECORD_REMOVED]
        [claimed] = [
            event
            for event in events
            if event.type == EventType.EVENT_TYPE_RECORD_CLAIMED
            and event.record_change.record.record_id == waiting.record_id
        ]
        freed = (claimed.timestamp.ToMicroseconds() - removed.timestamp.ToMicroseconds()) / 1e6
        assert freed < LIMIT_SECONDS, f"its worker was free after {freed:.3f} s, its converter gone after {took:.3f} s"


def at_work(server: Server) -> list[int]:
    """The children that do something just now; before a child is confined its start keeps it busy."""
    confined = [each for each in server.converters() if "Seccomp:\t2" in Path(f"/proc/{each.pid}/status").read_text()]
    return [each.pid for each in confined if each.status() == "running"]
