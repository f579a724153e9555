import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Trigger
from ingest_grpc.model import (
    EventType,
    File,
    FileKind,
    FileRecord,
    IngestionJob,
    Job,
    JobChange,
    Method,
    Scope,
    TimelineEvent,
)
from ingest_grpc.store.interface import ApiKey, Commit, NewRecord, RecordRow, Rows, Store, StoredRequest, Tx
from ingest_grpc.store.sqlite.store import SqliteStore

TEAM, OTHER = "team-a", "team-b"
Open: TypeAlias = Callable[[list[Commit]], Store]


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
