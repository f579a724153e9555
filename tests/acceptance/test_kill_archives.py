"""kill -9 while an archive is unpacked and its members are converted: none missing, none twice, no byte left over."""

import asyncio
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import RecordStatus
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server
from tests.wild_documents import zipped

pytestmark = pytest.mark.acceptance

MEMBERS = 30


@pytest.mark.slow
async def test_kill__between_the_members_of_an_archive_and_their_rows(tmp_path: Path) -> None:
    """Each kill falls a little later: into the unpacking, the storing of the members, the commit, the conversions."""
    inner = zipped({f"{n}.txt": f"inner words {n}" for n in range(MEMBERS // 2)})
    data = zipped({"inner.zip": inner, **{f"folder/{n}.txt": f"words {n}" for n in range(MEMBERS)}})
    path = tmp_path / "all.zip"
    path.write_bytes(data)
    async with Server(tmp_path / "server", workers=2) as server, AsyncClient(server.address) as client:
        file = await client.upload(path)
        job = (await client.create_job("archive", files=[file])).job
        for delay in (0.0, 0.1, 0.3):
            await asyncio.sleep(delay)
            await server.kill()
            await server.start()
        await client.wait(job.job_id)
        records = [each async for each in client.list_file_records(job_id=job.job_id)]
        names = sorted(each.filename for each in records)
        expected = ["all.zip", "inner.zip", *(f"{n}.txt" for n in range(MEMBERS))]
        expected += [f"{n}.txt" for n in range(MEMBERS // 2)]
        assert names == sorted(expected)
        assert {each.status for each in records} == {RecordStatus.RECORD_STATUS_COMPLETED}
        counts = {each.filename: each.member_count for each in records if each.HasField("member_count")}
        assert counts == {"all.zip": MEMBERS + 1, "inner.zip": MEMBERS // 2}
        assert await server.terminate() == 0
        await judge_folder(server)
