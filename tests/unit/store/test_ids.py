"""Ids of rows that are gone are never given out again: neither by a new ledger nor by an old one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.sqlite.schema import connect_writer, migrate, migrations
from tests.old_ledgers import load, stored_schemas

MIGRATION = 15
TABLES = ("jobs", "ingestion_jobs", "alignment_jobs", "file_records", "files", "blobs", "uploads")
_VALUES = {"INTEGER": 0, "TEXT": "NEW"}
NEW_BASE = """
    INSERT INTO knowledge_bases (id, knowledge_base_id, team, user_id, name, description, indexing, generations,
        created_at, updated_at)
    VALUES (1, 'kb-1', 't', 'u', 'n', '', '{}', 1, 1, 1)
"""
NEW_DOCUMENT = """
    INSERT INTO documents (document_id, knowledge_base, team, key, etag, file, created_at, record, indexed_record,
        indexed_attempt, deployed_at, next_record)
    VALUES ('doc-1', 1, 't', 'k', '', (SELECT min(id) FROM files), 1, ?, ?, 1, 1, ?)
"""


def before_it(path: Path) -> sqlite3.Connection:
    """The oldest stored ledger, brought to the schema before the migration."""
    load(stored_schemas()[0], path)
    connection = connect_writer(path, 1.0)
    migrate_to(MIGRATION - 1, connection)
    return connection


def migrate_to(schema: int, ledger: sqlite3.Connection) -> None:
    """Runs the migrations that lead to a schema, and none of the later ones."""
    version = ledger.execute("PRAGMA user_version").fetchone()[0]
    for number, script in migrations():
        if version < number <= schema:
            ledger.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(before_it(tmp_path / "ledger.sqlite3")) as connection:
        yield connection


def next_id(ledger: sqlite3.Connection, table: str) -> int:
    """The id that a new row of a table gets; the row is gone at once."""
    ledger.executescript("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
    ledger.execute("INSERT OR IGNORE INTO transitions VALUES ('', 'NEW', 'NEW')")
    columns = ledger.execute("SELECT name, type FROM pragma_table_info(?) WHERE name <> 'id'", (table,)).fetchall()
    names, values = ", ".join(row["name"] for row in columns), [_VALUES[row["type"]] for row in columns]
    made = ledger.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", values).lastrowid
    ledger.execute(f"DELETE FROM {table} WHERE id = ?", (made,))
    assert made is not None
    return made


def contents(ledger: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All rows, and all that the schema has but the text of tables."""
    found = {
        table: [tuple(row) for row in ledger.execute(f"SELECT * FROM {table}")]
        for table in ("file_record_rows", *TABLES)
    }
    schema = "SELECT type, name, tbl_name, iif(type = 'table', '', sql) FROM sqlite_schema ORDER BY type, name"
    return found | {"schema": [tuple(row) for row in ledger.execute(schema)]}


def test_migration__keeps_every_row_index_trigger_and_view(ledger: sqlite3.Connection) -> None:
    before = contents(ledger)
    migrate_to(MIGRATION, ledger)
    assert contents(ledger) == before
    assert [tuple(row) for row in ledger.execute("PRAGMA integrity_check")] == [("ok",)]
    assert ledger.execute("PRAGMA foreign_key_check").fetchall() == []
    with pytest.raises(sqlite3.Error, match="may not be modified"):
        ledger.execute("UPDATE sqlite_schema SET sql = ''")
    with pytest.raises(sqlite3.IntegrityError):
        ledger.execute("DELETE FROM files WHERE id IN (SELECT file FROM file_records)")


@pytest.mark.parametrize("table", TABLES)
def test_migration__an_id_is_above_all_that_were_given(ledger: sqlite3.Connection, table: str) -> None:
    """Of purged rows only the ids of events tell: whatever had an id came with one."""
    ledger.execute("UPDATE sqlite_sequence SET seq = 700 WHERE name = 'events'")
    migrate(ledger, ManualClock())
    assert next_id(ledger, table) == 701


@pytest.mark.parametrize("named", [(900, 1, None), (None, 900, None), (1, 1, 900)])
def test_migration__an_id_is_above_all_that_documents_name(
    ledger: sqlite3.Connection, named: tuple[int | None, ...]
) -> None:
    ledger.execute(NEW_BASE)
    ledger.execute(NEW_DOCUMENT, named)
    migrate(ledger, ManualClock())
    assert next_id(ledger, "file_records") == 901


@pytest.mark.parametrize("table", TABLES)
def test_new_ledger__never_gives_an_id_twice(tmp_path: Path, table: str) -> None:
    with closing(connect_writer(tmp_path / "new.sqlite3", 1.0)) as ledger:
        migrate(ledger, ManualClock())
        assert [next_id(ledger, table) for _ in range(3)] == [1, 2, 3]
