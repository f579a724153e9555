from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.unit.store.ledgers import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    """One reader, a short patience with foreign locks."""
    ledger = Ledger(path)
    await ledger.store.start()
    yield ledger
    await ledger.store.stop()


@pytest.fixture
async def store(ledger: Ledger) -> SqliteStore:
    return ledger.store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
