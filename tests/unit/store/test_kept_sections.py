"""Which alignments keep results of sections is found without reading what the sections hold."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.sqlite.schema import connect_writer, migrate
from ingest_grpc.store.sqlite.statements import statements

KEPT = statements()["alignments_with_sections"].sql


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_writer(tmp_path / "ledger.sqlite3", 1.0)) as connection:
        migrate(connection, ManualClock())
        connection.execute("PRAGMA foreign_keys = OFF")
        yield connection


@pytest.mark.parametrize("alignments", [[], [4], [2, 3, 9]])
def test_alignments__are_found_once_each(ledger: sqlite3.Connection, alignments: list[int]) -> None:
    for alignment in alignments:
        for section in range(3):
            row = (alignment, section, "d", "lines", 0, "", 0, 0)
            ledger.execute("INSERT INTO alignment_sections VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert [row[0] for row in ledger.execute(KEPT)] == alignments


def test_sections__are_not_read(ledger: sqlite3.Connection) -> None:
    steps = [row["detail"] for row in ledger.execute(f"EXPLAIN QUERY PLAN {KEPT}")]
    assert not [step for step in steps if step.startswith(("SCAN alignment_sections", "SCAN s"))]
