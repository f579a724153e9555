from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from tests.conformance.blobs.storing import Reopen, nobody_knows
from tests.fake_s3 import running_bucket


@pytest.fixture(params=["local", "memory", "file", "s3"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Opens the same storage again, as the next process would."""
    root = tmp_path / "data"
    if request.param == "local":
        yield lambda: LocalBlobs(root)
    elif request.param == "s3":
        with running_bucket() as bucket:
            yield lambda: ObjectBlobs(bucket.store())
    else:
        store = MemoryStore() if request.param == "memory" else LocalStore(root, mkdir=True)
        yield lambda: ObjectBlobs(store)


@pytest.fixture
async def blobs(reopen: Reopen) -> AsyncIterator[Blobs]:
    opened = reopen()
    await opened.start(nobody_knows)
    yield opened
    await opened.stop()
