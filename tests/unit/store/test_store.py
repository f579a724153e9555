"""One owner per ledger, and ledgers of every age."""

import asyncio
import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.lifecycle import TRANSITIONS
from ingest_grpc.store.interface import LedgerLocked
from ingest_grpc.store.sqlite import schema
from ingest_grpc.store.sqlite.failures import LedgerDamaged
from ingest_grpc.store.sqlite.store import SqliteStore, ledger_lock
from tests.faults import cancelled_at
from tests.unit.store.ledgers import Ledger, note, notes


async def test_lock__refuses_a_second_owner_and_names_the_first(ledger: Ledger, path: Path) -> None:
    second = Ledger(path)
    with pytest.raises(LedgerLocked, match=f"in use by process {os.getpid()}$"):
        await second.store.start()
    assert await ledger.is_healthy()


def test_lock__is_not_kept_by_one_that_could_not_sign_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(_descriptor: int, _data: bytes, _offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full_disk)
        with pytest.raises(OSError, match="No space"):
            ledger_lock(tmp_path / "ledger").acquire()
    lock = ledger_lock(tmp_path / "ledger")
    lock.acquire()
    lock.release()


async def test_lock__is_released_by_a_stop(ledger: Ledger, path: Path) -> None:
    await ledger.store.stop()
    second = Ledger(path)
    await second.store.start()
    assert await second.is_healthy()
    await second.store.stop()


async def test_lock__is_released_by_a_start_that_failed(path: Path) -> None:
    path.write_bytes(b"this is not a database, but long enough to be taken for one" * 100)
    with pytest.raises(LedgerDamaged, match=r"ledger\.sqlite3: file is not a database") as caught:
        await Ledger(path).store.start()
    assert "admin restore" in caught.value.fix
    path.unlink()
    second = Ledger(path)
    await second.store.start()
    await second.store.stop()


async def test_start__cancelled_at_every_await_can_be_repeated(path: Path) -> None:
    for suspension in range(1, 100):
        ledger = Ledger(path)
        started = await asyncio.gather(cancelled_at(ledger.store.start(), suspension), return_exceptions=True)
        if started[0] is None:
            await ledger.store.stop()
            break
        assert isinstance(started[0], asyncio.CancelledError), "what was cancelled before is still at work"
    else:
        raise AssertionError("it never came to an end")
    assert suspension > 3


async def test_start__makes_an_empty_ledger(store: SqliteStore, path: Path) -> None:
    ledger_id = await store.read(lambda rows: rows.ledger_id())
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        guarded = connection.execute("SELECT count(*) FROM transitions").fetchone()[0]

    assert len(ledger_id) == 36
    assert version == schema.migrations()[-1][0]
    assert guarded == len(TRANSITIONS)


async def test_start__makes_a_folder_for_its_owner_only(tmp_path: Path) -> None:
    await Ledger(tmp_path / "new" / "ledger.sqlite3").store.start()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


async def test_start__keeps_the_ledgers_identity(ledger: Ledger, path: Path) -> None:
    ledger_id = await ledger.store.read(lambda rows: rows.ledger_id())
    await ledger.store.write(note("kept"))
    await ledger.store.stop()
    again = Ledger(path)
    await again.store.start()

    assert await again.store.read(lambda rows: rows.ledger_id()) == ledger_id
    assert await notes(again.store) == ["kept"]
    await again.store.stop()


async def test_start__of_the_writer_is_durable_and_guarded(store: SqliteStore) -> None:
    pragmas = ("journal_mode", "synchronous", "foreign_keys")
    values = await store._writer.run(
        lambda connection: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    )
    assert values == ["wal", 2, 1]


async def test_start__refuses_a_ledger_of_a_newer_version(ledger: Ledger, path: Path) -> None:
    await ledger.store.stop()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(schema.NewerSchema, match="schema 9999") as caught:
        await Ledger(path).store.start()
    assert "restore a backup" in caught.value.fix
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 9999, "untouched"


async def test_migration__that_fails_leaves_the_version_before_it(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.store.write(note("kept"))
    await ledger.store.stop()
    known = schema.migrations()
    broken = "CREATE TABLE half (x); INSERT INTO half VALUES (1); INSERT INTO nowhere VALUES (1);"
    with monkeypatch.context() as patched:
        patched.setattr(schema, "migrations", lambda: [*known, (known[-1][0] + 1, broken)])
        with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
            await Ledger(path).store.start()
    again = Ledger(path)
    await again.store.start()

    assert await notes(again.store) == ["kept"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone()[0] == 0
    await again.store.stop()


async def test_migration__runs_each_step_once(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await ledger.store.write(note("kept"))
    await ledger.store.stop()
    known = schema.migrations()
    newer = known[-1][0] + 1
    step = "ALTER TABLE requests ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"
    monkeypatch.setattr(schema, "migrations", lambda: [*known, (newer, step)])
    for _ in range(2):
        again = Ledger(path)
        await again.store.start()
        assert await notes(again.store) == ["kept"]
        await again.store.stop()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT colour FROM requests").fetchall() == [("red",)]
        assert connection.execute("PRAGMA user_version").fetchone()[0] == newer


async def test_copy_of_a_stopped_ledger__is_whole(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    """Stopping folds the write-ahead log into the one file."""
    await ledger.store.write(note("kept"))
    await ledger.store.stop()
    copied = tmp_path / "copy" / path.name
    copied.parent.mkdir()
    shutil.copy(path, copied)
    copy = Ledger(copied)
    await copy.store.start()
    assert await notes(copy.store) == ["kept"]
    await copy.store.stop()


async def test_start__nobody_else_can_read_a_new_ledger(path: Path) -> None:
    before = os.umask(0o022)
    try:
        await Ledger(path).store.start()
    finally:
        os.umask(before)
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.glob(f"{path.name}*")}
    assert modes == {f"{path.name}{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}
