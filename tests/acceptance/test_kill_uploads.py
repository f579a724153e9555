import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.operations import files
from ingest_grpc.service.file_services import SPOOL_FOLDER
from ingest_grpc.units import MIB
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server

pytestmark = pytest.mark.acceptance


@pytest.mark.slow
async def test_kill__in_the_middle_of_a_resumable_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time the upload goes on at the last committed byte: what was committed is never sent again."""
    monkeypatch.setattr(files, "RESUMABLE_BYTES", MIB)
    data = os.urandom(24 * MIB + 5)
    kills = [5 * MIB, 9 * MIB, 17 * MIB]
    reached, seen = asyncio.Event(), list[int]()

    def watch(done: int, _total: int) -> None:
        seen.append(done)
        if kills and done >= kills[0]:
            kills.pop(0)
            reached.set()

    async with Server(tmp_path, workers=0) as server, AsyncClient(server.address) as client:
        upload = asyncio.create_task(client.upload(data, filename="large.bin", on_progress=watch))
        for _ in range(3):
            await reached.wait()
            reached.clear()
            await server.kill()
            await server.start()
        file = await upload
        assert (file.size_bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert seen == sorted(seen)
        assert [each.file_id async for each in client.list_files()] == [file.file_id]
        assert await server.terminate() == 0
        assert list((server.data / SPOOL_FOLDER).iterdir()) == []
        await judge_folder(server)
