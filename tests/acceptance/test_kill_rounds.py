import asyncio
import hashlib
import io
import os
import random
import statistics
import threading
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from tests.acceptance import kill_rounds
from tests.acceptance.judgement import judge_folder
from tests.acceptance.server import Server, until

pytestmark = pytest.mark.acceptance

ROUNDS = int(os.environ.get("INGEST_TEST_KILLS", "5"))
SEED = int(os.environ.get("INGEST_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.mark.slow
@pytest.mark.timeout(90 + 15 * ROUNDS)
async def test_kill__loses_and_doubles_nothing(tmp_path: Path) -> None:
    """scripts/chaos runs the same with 30 rounds; the seed in the output repeats it."""
    print(f"INGEST_TEST_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    report = await kill_rounds.run(tmp_path, SEED, ROUNDS)
    assert report.orphaned > 0, "no kill hit a conversion"
    # Processor time, because the wall clock of a busy machine says nothing about the server.
    assert statistics.median(each.cpu_seconds for each in report.rounds if each.cpu_seconds is not None) < 3.0


class HeldSource(io.BytesIO):
    """A source that, when it is read for the first attempt to send it, stops half-way until it is let go."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.let_go = threading.Event()
        self._readings = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._readings += 1
        return super().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        # The first reading measures, the second sends.
        if self._readings == 2 and self.tell() > len(self.getbuffer()) // 2:
            self.let_go.wait(timeout=30)
        return super().read(size)


async def test_kill__in_the_middle_of_an_upload(tmp_path: Path) -> None:
    """Half an upload leaves nothing; the same request_id stores the whole file once."""
    data = b"A line of an upload that takes long.\n" * 100_000
    source = HeldSource(data)
    async with Server(tmp_path, workers=0) as server, AsyncClient(server.address, timeout=60) as client:
        staging = server.data / "blobs" / "staging"
        upload = asyncio.create_task(client.upload(source, filename="long.txt", request_id="the-upload"))
        await until(lambda: [each for each in staging.iterdir() if each.stat().st_size], 10, "bytes have arrived")
        await server.kill()
        source.let_go.set()
        await server.start()
        file = await upload
        assert (file.size_bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        again = await client.upload(data, filename="long.txt", request_id="the-upload")
        assert again.file_id == file.file_id
        assert [each.file_id async for each in client.list_files()] == [file.file_id]
        assert await server.terminate() == 0
        await judge_folder(server)
