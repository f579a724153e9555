from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.factories import Core, StartCore, quick_disk


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """For ledgers whose durability is not the point: an fsync costs nothing in memory."""
    with TemporaryDirectory(dir=quick_disk()) as folder:
        yield Path(folder)


@pytest.fixture
async def start_core(quick_folder: Path) -> AsyncIterator[StartCore]:
    """Starts cores with settings of their own; stops them however the test ended, for their threads would go on."""
    started: list[Core] = []

    async def start(folder: str = "data", **settings: Any) -> Core:
        started.append(Core(quick_folder / folder, **settings))
        await started[-1].start()
        return started[-1]

    yield start
    for core in started:
        await core.stop()


@pytest.fixture
async def core(start_core: StartCore) -> AsyncIterator[Core]:
    """A started core; at its end the ledger is recounted once more."""
    core = await start_core()
    yield core
    if core.store.healthy:
        await core.check()
