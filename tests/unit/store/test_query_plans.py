"""No named statement reads a whole table that grows: asked of SQLite itself, foreign keys and all."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import SystemClock
from ingest_grpc.store.sqlite.schema import connect_writer, migrate
from ingest_grpc.store.sqlite.statements import statements

SMALL = {
    "alignments_with_sections": "reads what it found itself, one row for each alignment that keeps sections",
    "any_api_key": "ends at the first",
    "api_keys": "an operator's list of a few",
    "data_sources_being_removed": "data sources, asked at the start",
    "jobs_being_filled": "data sources, asked at the start",
    "ledger_id": "one row",
}
"""Statements that may read their whole table, and why that stays cheap."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "ledger.sqlite3"
    with closing(connect_writer(path, 1.0)) as connection:
        migrate(connection, SystemClock())
        yield connection


def whole_tables(ledger: sqlite3.Connection, sql: str) -> list[str]:
    """The steps of a statement's plan that read all of a table, or of an index that holds all of it."""
    partial = {
        row["name"]
        for row in ledger.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'")
    }
    values: dict[str, object] = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    found = []
    for row in ledger.execute(f"EXPLAIN QUERY PLAN {sql}", values):
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", row["detail"])
        if scanned and scanned[1] not in {"CONSTANT", "json_each"} and scanned[2] not in partial:
            found.append(row["detail"])
    return found


@pytest.mark.parametrize("name", sorted(statements().keys() - SMALL.keys()))
def test_statement__reads_ranges_of_indexes(ledger: sqlite3.Connection, name: str) -> None:
    assert whole_tables(ledger, statements()[name].sql) == []


@pytest.mark.parametrize("name", SMALL)
def test_exception__is_still_one(ledger: sqlite3.Connection, name: str) -> None:
    assert whole_tables(ledger, statements()[name].sql) != []
