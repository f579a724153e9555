"""The ledger and the death of its owner, in processes of their own."""

import asyncio
import re
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import SystemClock
from ingest_grpc.store.interface import LedgerLocked
from ingest_grpc.store.sqlite.schema import migrations
from ingest_grpc.store.sqlite.store import SqliteStore

OWNER = Path(__file__).with_name("ledger_owner.py")


async def owner(path: Path, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, str(OWNER), str(path), *arguments, stdout=PIPE)


async def test_lock__is_released_by_the_death_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    process = await owner(path)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"owned\n"
        store = SqliteStore(path, SystemClock())
        with pytest.raises(LedgerLocked, match=rf"{re.escape(str(tmp_path))} is in use by process {process.pid}$"):
            await store.start()
    finally:
        process.kill()
        await process.wait()

    await store.start()
    assert await store.read(lambda rows: rows.ledger_id())
    await store.stop()


async def test_migration__killed_in_the_middle_leaves_the_version_before_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    store = SqliteStore(path, SystemClock())
    await store.start()
    ledger_id = await store.read(lambda rows: rows.ledger_id())
    await store.stop()
    process = await owner(path, "die")
    assert await process.wait() == -signal.SIGKILL

    again = SqliteStore(path, SystemClock())
    await again.start()
    assert await again.read(lambda rows: rows.ledger_id()) == ledger_id
    await again.stop()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == migrations()[-1][0]
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone()[0] == 0
