"""The index file when the disk is full, another process holds it, it is damaged, or the process is killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest
import sqlite_vec

from ingest_grpc.pipeline.index.interface import Counts, IndexUnavailable, IndexUnusable
from ingest_grpc.pipeline.index.sqlite import connection as connections
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from tests.conformance.index.indexing import DIMENSION, EMBEDDER, KEY, found, put, words
from tests.integration.index.endless_swaps import CHUNKS, DOCUMENTS

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("INGEST_TEST_INDEX_KILLS", "6"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite3"


@pytest.fixture
async def index(path: Path) -> AsyncIterator[SqliteIndex]:
    opened = SqliteIndex(path)
    await opened.open()
    await opened.create(KEY, EMBEDDER, DIMENSION)
    await put(opened, "a", "words before")
    yield opened
    await opened.close()


async def limit_pages(index: SqliteIndex, more: int | None) -> None:
    """Lets the file grow by so many pages at most, as a full disk would."""

    def set_limit(db: apsw.Connection) -> None:
        pages = db.pragma("page_count")
        db.pragma("max_page_count", 2**31 if more is None else pages + more)

    await index._threads.write(set_limit)


async def test_full_disk__leaves_the_version_before_and_heals(index: SqliteIndex) -> None:
    await limit_pages(index, 4)
    with pytest.raises(IndexUnavailable, match="FullError"):
        await put(index, "a", *["many words " * 500] * 50, fence=(2, 1))
    assert await found(index, words("before")) == ["a:0"]
    assert (await index.documents(KEY))[0].fence == (1, 1)

    await limit_pages(index, None)
    assert await put(index, "a", *["many words " * 500] * 50, fence=(2, 1))
    assert await index.counts(KEY) == Counts(1, 50, 0)


async def test_foreign_lock__is_waited_for_and_then_told(index: SqliteIndex, path: Path) -> None:
    await index._threads.write(lambda db: db.set_busy_timeout(50))
    foreign = apsw.Connection(str(path))
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(IndexUnavailable, match="BusyError"):
        await put(index, "a", "words after", fence=(2, 1))
    assert await found(index, words("before")) == ["a:0"]  # readers do not wait
    foreign.execute("ROLLBACK")
    foreign.close()
    assert await put(index, "a", "words after", fence=(2, 1))


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"\0" * 8_192], ids=["text", "zeros"])
async def test_damaged_file__is_told_and_not_touched(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    index = SqliteIndex(path)
    with pytest.raises(IndexUnusable) as caught:
        await index.open()
    await index.close()
    assert "remove index.sqlite3" in caught.value.fix
    assert path.read_bytes() == content


async def test_other_schema__is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = SqliteIndex(path)
    await index.open()
    await index.close()
    monkeypatch.setattr(connections, "SCHEMA_VERSION", 2)
    index = SqliteIndex(path)
    with pytest.raises(IndexUnusable, match="another version"):
        await index.open()
    await index.close()


def test_extension__is_where_its_package_says() -> None:
    assert connections._vector_extension() == sqlite_vec.loadable_path()


async def test_crash_while_dropping__is_finished_by_the_next_start(index: SqliteIndex, path: Path) -> None:
    await index._threads.write(lambda db: db.execute("UPDATE knowledge_bases SET dropped = 1"))
    await index.close()
    again = SqliteIndex(path)
    await again.open()
    assert again._sweeping is not None
    await again._sweeping
    await again.close()
    db = apsw.Connection(str(path))
    for table in ("documents", "chunks", "signatures", "vectors"):
        assert db.execute(f"SELECT count(*) FROM {table}").get == 0
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'text%'").get == 0
    db.close()


@pytest.mark.acceptance
async def test_killed__leaves_whole_documents_and_nothing_else(path: Path) -> None:
    """A process that swaps without end is killed at moments of a seeded generator."""
    moments = random.Random(7)
    acknowledged: dict[str, tuple[int, int]] = {}
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.integration.index.endless_swaps", str(path)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert child.stdout is not None
        for _ in range(moments.randint(1, 25)):
            name, record, attempt = (await asyncio.to_thread(child.stdout.readline)).split()
            acknowledged[name] = max(acknowledged.get(name, (0, 0)), (int(record), int(attempt)))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        await check_whole(path, acknowledged)


async def check_whole(path: Path, acknowledged: dict[str, tuple[int, int]]) -> None:
    index = SqliteIndex(path)
    await index.open()
    states = {state.document.document_id: state for state in await index.documents(KEY)}
    assert set(states) <= set(DOCUMENTS)
    for name, fence in acknowledged.items():
        assert states[name].fence >= fence  # what was acknowledged is there
    for name, state in states.items():
        chunks = await index.chunks(KEY, name)
        assert len(chunks) == state.chunks == CHUNKS
        assert {chunk.text.split()[0] for chunk in chunks} == {f"version{state.fence[0]}x{state.fence[1]}"}
    assert await index.counts(KEY) == Counts(len(states), len(states) * CHUNKS, 0)
    hits = await index.search(KEY, words("common", top_k=1_000))
    assert len(hits) == len(states) * CHUNKS
    await index.close()


async def test_open__nobody_else_can_read_a_new_index(path: Path) -> None:
    before = os.umask(0o022)
    index = SqliteIndex(path)
    try:
        await index.open()
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.glob(f"{path.name}*")}
    finally:
        os.umask(before)
        await index.close()
    assert modes == {f"{path.name}{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}
