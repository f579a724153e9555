from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.pipeline.index.interface import Index
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from tests.conformance.index.indexing import DIMENSION, EMBEDDER, KEY, Reopen


@pytest.fixture(params=["sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Opens the same index again, as the next process would."""
    return lambda: SqliteIndex(tmp_path / "index" / "index.sqlite3")


@pytest.fixture
async def index(reopen: Reopen) -> AsyncIterator[Index]:
    """An index with the knowledge base KEY, which is empty."""
    opened = reopen()
    await opened.open()
    await opened.create(KEY, EMBEDDER, DIMENSION)
    yield opened
    await opened.close()
