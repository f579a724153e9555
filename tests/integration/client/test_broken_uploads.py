"""Large uploads of both clients while the network breaks and the server restarts.

INGEST_TEST_UPLOAD_MIB sets another size than that of every run, for example 1024.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ingest_grpc.app import App
from ingest_grpc.client import AsyncClient, Client
from ingest_grpc.client.messages import File
from ingest_grpc.client.sources import OnProgress
from ingest_grpc.config import Settings
from ingest_grpc.units import MIB
from tests.executors import FakeExecutor
from tests.integration.client.proxy import CuttingProxy

SIZE = int(os.environ.get("INGEST_TEST_UPLOAD_MIB", "80")) * MIB + 17
CUTS = [SIZE // 27, SIZE // 4, SIZE // 4 + 5_000, SIZE // 2, SIZE - 3 * MIB]
IN_FLIGHT_BYTES = 8 * MIB
Upload = Callable[[str, Path, OnProgress], Awaitable[File]]


class Service:
    """A server that can be restarted on its data folder, at another port each time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.app = self._new_app()

    def _new_app(self) -> App:
        settings = {"address": "127.0.0.1:0", "workers": 0, "min_free_disk_bytes": 0, "shutdown_grace_seconds": 0.0}
        return App(Settings.model_validate({**settings, "data_dir": self._folder}), executor=FakeExecutor())

    async def restart(self) -> None:
        await self.app.stop()
        self.app = self._new_app()
        await self.app.start()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path / "data")
    await service.app.start()
    yield service
    await service.app.stop()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "large.bin"
    with path.open("wb") as file:
        for start in range(0, SIZE, MIB):
            file.write(os.urandom(min(MIB, SIZE - start)))
    return path


def sha256_of(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(params=["async", "blocking"])
def upload(request: pytest.FixtureRequest) -> Upload:
    async def asynchronously(address: str, source: Path, on_progress: OnProgress) -> File:
        async with AsyncClient(address) as client:
            return await client.upload(source, on_progress=on_progress)

    async def in_a_thread(address: str, source: Path, on_progress: OnProgress) -> File:
        def send() -> File:
            with Client(address) as client:
                return client.upload(source, on_progress=on_progress)

        return await asyncio.to_thread(send)

    return asynchronously if request.param == "async" else in_a_thread


async def test_upload__arrives_whole_over_a_network_that_breaks(service: Service, source: Path, upload: Upload) -> None:
    proxy = CuttingProxy(lambda: service.app.address, CUTS)
    await proxy.start()
    seen: list[int] = []
    file = await upload(proxy.address, source, lambda done, total: seen.append(done))
    await proxy.stop()

    assert proxy.made == 5
    assert (file.size_bytes, file.sha256) == (SIZE, sha256_of(source))
    assert seen == sorted(seen), "no committed byte is ever sent again"
    assert seen[-1] == SIZE
    # What is sent twice is what was on its way when a connection broke: a few chunks each time, never the file.
    assert proxy.sent_bytes < SIZE * 1.01 + len(CUTS) * IN_FLIGHT_BYTES


async def test_upload__goes_on_after_a_restart_of_the_server(service: Service, source: Path, upload: Upload) -> None:
    proxy = CuttingProxy(lambda: service.app.address, [])
    await proxy.start()
    loop, half = asyncio.get_running_loop(), asyncio.Event()

    def watch(done: int, _total: int) -> None:
        if done > SIZE / 2:
            loop.call_soon_threadsafe(half.set)

    uploading = asyncio.ensure_future(upload(proxy.address, source, watch))
    await half.wait()
    assert not uploading.done()
    await service.restart()
    file = await uploading
    await proxy.stop()
    assert (file.size_bytes, file.sha256) == (SIZE, sha256_of(source))
