"""Documents that break their converter, through the whole server."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import ErrorReason, EventType, FileRecord, RecordStatus, Step, TimelineEvent
from ingest_grpc.errors import Reason
from tests.acceptance.faults import FAULTY, fault, start_job
from tests.acceptance.server import Server, until
from tests.acceptance.workload import make_documents
from tests.reaching import A_RECORD, reaches

pytestmark = pytest.mark.acceptance

LIMIT_SECONDS = 5.0
MIB = 2**20

REASONS = {
    "SIGKILL": ErrorReason.ERROR_REASON_CONVERTER_CRASHED,
    "SIGSEGV": ErrorReason.ERROR_REASON_CONVERTER_CRASHED,
    "exit": ErrorReason.ERROR_REASON_CONVERTER_CRASHED,
    "allocate": ErrorReason.ERROR_REASON_CONVERSION_OUT_OF_MEMORY,
    "spin": ErrorReason.ERROR_REASON_CONVERSION_TIMEOUT,
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    settings = {
        "workers": 2,
        "conversion_timeout_seconds": LIMIT_SECONDS,
        "conversion_memory_bytes": 384 * MIB,
        "max_failures": 2,
        "backoff_base_seconds": 0.1,
    }
    async with Server(tmp_path, FAULTY, **settings) as server:
        yield server
        assert await server.terminate() == 0, server.log()
        await server.nothing_left()


@reaches(Reason.CONVERTER_CRASHED, A_RECORD, "a converter that dies")
@reaches(Reason.CONVERSION_TIMEOUT, A_RECORD, "a conversion beyond `conversion_timeout_seconds`")
async def test_faults__end_their_own_record_alone(server: Server) -> None:
    async with AsyncClient(server.address) as client:
        good = make_documents(6)
        job_id = await start_job(client, [fault(name) for name in REASONS], good)
        await client.wait(job_id, patience=60)
        records = {record.filename: record async for record in client.list_file_records(job_id=job_id)}
    for document in good:
        record = records[document.name]
        assert record.status == RecordStatus.RECORD_STATUS_COMPLETED
        assert (record.attempt, record.failures, record.orphaned_count) == (1, 0, 0)
    for name, reason in REASONS.items():
        record = records[fault(name).name]
        assert record.status == RecordStatus.RECORD_STATUS_FAILED
        assert (record.error.reason, record.error.step) == (reason, Step.STEP_PARSE)
        assert record.error.suggested_fix
        assert (record.attempt, record.failures, record.orphaned_count) == (2, 2, 0)


async def test_faults__end_in_time_and_are_followed_by_a_new_child(server: Server) -> None:
    async with AsyncClient(server.address) as client:
        for name in REASONS:
            # A child stands ready: what is measured is how an attempt ends, not how a process starts before it.
            await until(lambda: "sleeping" in states(server), 10, "a child is ready")
            known = {child.pid for child in server.converters()}
            job_id = await start_job(client, [fault(name)])
            state = await client.wait(job_id, patience=60)
            await until(partial(has_new_child, server, known), 2.0, f"a new child after {name}")
            events = [event async for event in client.list_events(job_id)]
            first, *_ = attempts(events, state.live_records[0])
            assert first < (LIMIT_SECONDS if name == "spin" else 0) + 1, f"{name} took {first:.2f} s"
            state = await client.wait(await start_job(client, make_documents(1)), patience=60)
            assert [each.status for each in state.live_records] == [RecordStatus.RECORD_STATUS_COMPLETED]


def has_new_child(server: Server, known: set[int]) -> bool:
    return bool({child.pid for child in server.converters()} - known)


async def test_children__die_with_a_killed_server(tmp_path: Path) -> None:
    async with Server(tmp_path, FAULTY, workers=2) as server, AsyncClient(server.address) as client:
        await start_job(client, [fault("spin"), fault("spin again")])
        await until(lambda: states(server) == ["running", "running", "sleeping"], 20, "two children spin")
        await server.kill()
        await server.nothing_left(seconds=1.0)


async def test_children__that_still_start_die_with_a_killed_server(tmp_path: Path) -> None:
    """Loading what a conversion needs takes a second; a child must not spend it as an orphan."""
    async with Server(tmp_path, workers=2) as server:
        await server.kill()
        for _ in range(3):
            server.spawn()
            await until(server.converters, 20, "a child starts")
            await server.kill()
            await server.nothing_left(seconds=1.0)


def states(server: Server) -> list[str]:
    """What the children that are ready for work do just now; before that their start keeps them busy."""
    ready = [child for child in server.converters() if "Seccomp:\t2" in Path(f"/proc/{child.pid}/status").read_text()]
    return sorted(child.status() for child in ready)


def attempts(events: Sequence[TimelineEvent], record: FileRecord) -> list[float]:
    """Seconds from each claim of a record to what it led to."""
    own = [event for event in events if event.record_change.record.record_id == record.record_id]
    own = [event for event in own if event.type != EventType.EVENT_TYPE_RECORD_ADDED]
    times = [event.timestamp.ToMicroseconds() for event in own]
    return [(end - start) / 1e6 for start, end in zip(times[::2], times[1::2], strict=True)]
