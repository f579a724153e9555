from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.factories import Core


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """A started core; at its end the ledger is recounted once more."""
    core = Core(tmp_path / "data")
    await core.start()
    yield core
    if core.store.healthy:
        await core.check()
    await core.stop()
