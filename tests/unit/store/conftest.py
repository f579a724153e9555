from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.store.sqlite.store import SqliteStore
from tests.unit.store.ledgers import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture(autouse=True)
async def _all_are_stopped() -> AsyncIterator[None]:
    """However the test ended: the threads of a store that nobody stopped would keep the process."""
    yield
    while Ledger.made:
        await Ledger.made.pop().store.stop()


@pytest.fixture
async def ledger(path: Path) -> Ledger:
    """One reader, a short patience with foreign locks."""
    ledger = Ledger(path)
    await ledger.store.start()
    return ledger


@pytest.fixture
async def store(ledger: Ledger) -> SqliteStore:
    return ledger.store
