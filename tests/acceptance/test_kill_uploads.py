import asyncio
import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.operations import files
from ingest_grpc.service.file_services import SPOOL_FOLDER
from ingest_grpc.units import MIB
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server

pytestmark = pytest.mark.acceptance


class GatedSource(io.BytesIO):
    """A source that is read, once it was measured, up to each of its gates, and no further before that is opened."""

    def __init__(self, data: bytes, gates: list[int]) -> None:
        super().__init__(data)
        self._gates = gates
        self._measured = False
        self._loop = asyncio.get_running_loop()
        self.reached = asyncio.Semaphore(0)
        self.opened = threading.Semaphore(0)

    def read(self, size: int | None = -1, /) -> bytes:
        if self._measured and self._gates and self.tell() >= self._gates[0]:
            self._gates.pop(0)
            self._loop.call_soon_threadsafe(self.reached.release)
            self.opened.acquire(timeout=60)
        data = super().read(size)
        self._measured = self._measured or not data
        return data


@pytest.mark.slow
async def test_kill__in_the_middle_of_a_resumable_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time the upload goes on at the last committed byte: what was committed is never sent again."""
    monkeypatch.setattr(files, "RESUMABLE_BYTES", MIB)
    data = os.urandom(16 * MIB + 5)
    source = GatedSource(data, [3 * MIB, 7 * MIB, 11 * MIB])
    seen: list[int] = []
    async with Server(tmp_path, workers=0) as server, AsyncClient(server.address) as client:
        upload = asyncio.create_task(
            client.upload(source, filename="large.bin", on_progress=lambda done, total: seen.append(done))
        )
        for _ in range(3):
            await source.reached.acquire()
            source.opened.release()  # the kill meets a write on its way
            await server.kill()
            await server.start()
        file = await upload
        assert (file.size_bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert seen == sorted(seen)
        assert [each.file_id async for each in client.list_files()] == [file.file_id]
        assert await server.terminate() == 0
        assert list((server.data / SPOOL_FOLDER).iterdir()) == []
        await judge_folder(server)
