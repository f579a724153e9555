from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.interface import Commit, Store
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.conformance.ledgers import Filled, Open, fill


@pytest.fixture(params=["sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same ledger again, as the next process would."""
    return lambda commits: SqliteStore(tmp_path / "ledger.sqlite3", ManualClock(), readers=2, on_commit=commits.append)


@pytest.fixture
async def commits() -> list[Commit]:
    return []


@pytest.fixture
async def store(reopen: Open, commits: list[Commit]) -> AsyncIterator[Store]:
    store = reopen(commits)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def filled(store: Store) -> Filled:
    return await fill(store)
