"""What one data source cannot do to others, to the server and to itself."""

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from ingest_grpc.errors import Reason
from ingest_grpc.model import DataSource
from ingest_grpc.service.knowledge_bases import listing
from ingest_grpc.service.knowledge_bases.patterns import KeyFilter
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.error_reason_pb2 import ErrorReason
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.knowledge_base_pb2 import Chunking, DataSourceType
from tests.integration.calling import failure
from tests.integration.knowledge.library import TEXTS, Library

OBJECTS = DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE
ALL_DUE = "UPDATE data_sources SET next_sync_at = 1"


async def test_name_that_is_no_utf8__fails_alone(library: Library) -> None:
    library.fill()
    (library.folder / os.fsdecode(b"caf\xe9.txt")).write_text("Coffee.\n")

    await library.add_source(sync_interval=Duration(seconds=60))

    files = await library.files()
    assert set(files) == {*TEXTS, "caf%E9.txt"}
    unreadable = files["caf%E9.txt"]
    assert (unreadable.filename, unreadable.status) == ("caf%E9.txt", RecordStatus.RECORD_STATUS_FAILED)
    assert unreadable.error.reason == ErrorReason.ERROR_REASON_FILE_NOT_FOUND
    assert sum(file.searchable for file in files.values()) == len(TEXTS)
    library.server.change(ALL_DUE)
    assert await library.server.app.syncer.step() == 1
    assert not (await library.sync()).HasField("job")


async def test_source_that_fails_in_any_way__stops_no_other(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.fill()
    await library.add_source(sync_interval=Duration(seconds=3_600), name="broken")
    await library.add_source(sync_interval=Duration(seconds=3_600), name="sound")
    library.server.change(ALL_DUE)
    look = listing.Listing.of

    async def of(self: listing.Listing, source: DataSource) -> Any:
        if source.name == "broken":
            raise UnicodeEncodeError("utf-8", "é", 0, 1, "surrogates not allowed")
        return await look(self, source)

    monkeypatch.setattr(listing.Listing, "of", of)

    assert await library.server.app.syncer.step() == 1
    assert await library.server.app.syncer.step() == 0  # postponed: it is not tried again at once


async def test_patterns__are_matched_off_the_event_loop(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.fill()
    threads = set[threading.Thread]()
    match = KeyFilter.passes

    def passes(self: KeyFilter, key: str) -> bool:
        threads.add(threading.current_thread())
        return match(self, key)

    monkeypatch.setattr(KeyFilter, "passes", passes)
    monkeypatch.setattr(listing, "BATCH", 2)

    await library.add_source(include_patterns=["*.md", "*?" * 500 + "!"])

    assert set(await library.files()) == {"harbour.md", "bakery/bread.md"}
    assert threads
    assert threading.current_thread() not in threads


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Library]:
    """A synced folder with a new file in it, of a team whose queue is full."""
    async with Library.open(tmp_path, team_max_queued=2) as library:
        library.fill()
        await library.add_source(sync_interval=Duration(seconds=3_600))  # begun while there was room: taken whole
        await library.server.app.pool.stop(0)
        await library.server.job("a.txt", "b.txt")
        library.write("new.md", "# New\n")
        yield library


async def test_full_queue__lets_nothing_begin_that_feeds_a_knowledge_base(full: Library) -> None:
    assert full.source is not None
    add = pb.AddDataSourceRequest(knowledge_base_id=full.id, type=OBJECTS, url=full.folder.as_uri())
    sync = pb.SyncDataSourceRequest(data_source_id=full.source.data_source_id)
    reindex = pb.UpdateKnowledgeBaseRequest(knowledge_base_id=full.id, chunking=Chunking(max_tokens=128), reindex=True)
    for name, request in {"AddDataSource": add, "SyncDataSource": sync, "UpdateKnowledgeBase": reindex}.items():
        refused = await failure(full.server.channel, f"KnowledgeBaseService/{name}", request)
        assert refused.reason == Reason.TEAM_QUEUE_FULL, name

    assert (await full.now()).data_sources_total == 1
    assert set(await full.files()) == set(TEXTS)


async def test_full_queue__postpones_syncs(full: Library) -> None:
    full.server.change(ALL_DUE)

    assert await full.server.app.syncer.step() == 0

    assert await full.server.app.store.read(lambda rows: rows.data_sources_due(2, 1)) == []


async def test_full_queue__does_not_keep_what_is_gone(full: Library) -> None:
    full.delete("new.md")
    full.delete("harbour.md")

    assert (await full.sync()).data_source.last_sync.deleted == 1
