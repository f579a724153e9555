"""A server that converts for ever must not grow."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import RecordStatus
from tests.acceptance.faults import start_job
from tests.acceptance.server import Server, until
from tests.acceptance.workload import Document, make_documents

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

ROUNDS = 5
WARM_UP = 2
"""Rounds in which caches fill."""

DOCUMENTS = 100
MIB = 2**20
MAX_GROWTH_BYTES = 8 * MIB


@pytest.mark.timeout(240)
async def test_memory__is_flat_over_rounds(tmp_path: Path) -> None:
    resident: list[int] = []
    descriptors: list[int] = []
    async with Server(tmp_path, log_level="WARNING") as server:
        for seed in range(ROUNDS):
            async with AsyncClient(server.address) as client:
                await convert_all(client, make_documents(DOCUMENTS, seed))
            idle = descriptors[0] if descriptors else server.descriptors
            await until(lambda: server.descriptors <= idle, 10, f"no more than {idle} descriptors")  # noqa: B023
            resident.append(server.resident_bytes)
            descriptors.append(server.descriptors)
    print([f"{each / MIB:.1f} MiB" for each in resident], descriptors)  # noqa: T201 - shown when it fails
    # One look may meet a moment of many buffers. What leaks is there at each.
    assert min(resident[-2:]) - max(resident[:WARM_UP]) < MAX_GROWTH_BYTES


async def convert_all(client: AsyncClient, documents: Sequence[Document]) -> None:
    job_id = await start_job(client, documents)
    state = await client.wait(job_id, patience=120)
    assert {record.status for record in state.live_records} == {RecordStatus.RECORD_STATUS_COMPLETED}
    for record in state.live_records:
        assert await client.read_text(record.output_file_id)
