"""The counts that triggers keep are what the documents add up to, whatever happens to documents and records."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.store.sqlite.schema import connect_writer, migrate, migrations

LEDGER = """
    PRAGMA foreign_keys = OFF;
    PRAGMA synchronous = OFF;
    DROP TRIGGER IF EXISTS file_records_new;
    DROP TRIGGER IF EXISTS file_records_guard;
    INSERT INTO knowledge_bases (id, knowledge_base_id, team, user_id, name, description, indexing, generations,
        created_at, updated_at)
    VALUES (1, 'kb-1', 't', 'u', 'n', '', '{}', 1, 1, 1), (2, 'kb-2', 't', 'u', 'n', '', '{}', 1, 1, 1);
"""
NEW_RECORD = """
    INSERT INTO file_records (id, record_id, job, ingestion_job, file, output_file_id, team, user_id, filename,
        output_filename, method, status, last_trigger, created_at, bytes_in, last_sequence, fair_tag, claimable,
        document)
    VALUES (:id, 'fr-' || :id, 1, 1, 1, 'out-' || :id, 't', 'u', 'n', 'n', 'm', 'QUEUED', 'ADDED', 1, 1, 1, 1, 0,
        :document)
"""
NEW_DOCUMENT = """
    INSERT INTO documents (id, document_id, knowledge_base, data_source, team, key, etag, file, created_at)
    VALUES (:id, 'doc-' || :id, :knowledge_base, :data_source, 't', 'key-' || :id, '', 1, 1)
"""
CHANGES = (
    "UPDATE file_records SET status = 'RUNNING', worker_id = 'w', processing_at = 1, attempt = 1 WHERE id = :id",
    "UPDATE file_records SET status = 'COMPLETED', completed_at = 1, bytes_out = 1, losses = '[]' WHERE id = :id",
    "UPDATE file_records SET status = 'COMPLETED', completed_at = 1, bytes_out = 1, losses = '[1]' WHERE id = :id",
    "UPDATE file_records SET status = 'FAILED', failed_at = 1, error_reason = 'EMPTY_FILE' WHERE id = :id",
    "UPDATE documents SET indexed_record = record, deployed_at = 1, chunks = :id WHERE record IS NOT NULL AND id = :id",
    "UPDATE documents SET indexed_record = NULL, deployed_at = NULL, chunks = 0 WHERE id = :id",
    "UPDATE documents SET chunks = chunks + 1 WHERE indexed_record IS NOT NULL AND :id",
    "UPDATE documents SET removed_at = 1 WHERE id = :id",
    "UPDATE documents SET record = NULL WHERE record = :id",
    "UPDATE documents SET etag = 'other' WHERE id = :id",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_writer(tmp_path / "ledger.sqlite3", 1.0)) as connection:
        migrate(connection, ManualClock())
        connection.executescript(LEDGER)
        yield connection


def kept(ledger: sqlite3.Connection) -> list[tuple[object, ...]]:
    rows = ledger.execute("SELECT * FROM document_counts WHERE documents <> 0 OR partial OR searchable OR chunks")
    return sorted(tuple(row) for row in rows)


def counted(ledger: sqlite3.Connection) -> list[tuple[object, ...]]:
    """By the tables themselves: a second definition, so that a wrong view is found out."""
    rows = ledger.execute("""
        SELECT d.knowledge_base, coalesce(d.data_source, 0),
            CASE WHEN r.id IS NOT NULL THEN r.status
                WHEN d.indexed_record IS NULL THEN 'CANCELLED' ELSE 'COMPLETED' END,
            count(*), count(*) FILTER (WHERE r.status = 'COMPLETED' AND r.losses <> '[]'), count(d.indexed_record),
            sum(d.chunks)
        FROM documents AS d LEFT JOIN file_records AS r ON r.id = d.record WHERE d.removed_at IS NULL GROUP BY 1, 2, 3
    """)
    return sorted(tuple(row) for row in rows)


def test_counts__follow_documents_and_records(ledger: sqlite3.Connection) -> None:
    choice = random.Random(7)
    documents = records = 0
    seen = set[object]()
    for _ in range(1_000):
        if documents < 12 or choice.random() < 0.02:
            documents += 1
            place = {"knowledge_base": choice.choice([1, 2]), "data_source": choice.choice([None, 1, 2])}
            ledger.execute(NEW_DOCUMENT, {"id": documents, **place})
        elif choice.random() < 0.1:
            records, document = records + 1, choice.randint(1, documents)
            ledger.execute(NEW_RECORD, {"id": records, "document": document})
            ledger.execute("UPDATE documents SET record = ? WHERE id = ?", (records, document))
        else:
            ledger.execute(choice.choice(CHANGES), {"id": choice.randint(1, max(documents, records))})
        assert kept(ledger) == counted(ledger)
        seen |= {row[2] for row in kept(ledger)}
    assert seen == {"QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"}


def test_counts__of_an_older_ledger_are_made_by_its_migration(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / "ledger.sqlite3", 1.0)) as ledger:
        for number, script in migrations():
            if number < 16:
                ledger.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        ledger.executescript(LEDGER)
        for row in range(1, 6):
            ledger.execute(NEW_DOCUMENT, {"id": row, "knowledge_base": 1, "data_source": row % 2 or None})
            ledger.execute(NEW_RECORD, {"id": row, "document": row})
            ledger.execute("UPDATE documents SET record = id WHERE id < 4")
        migrate(ledger, ManualClock())
        assert kept(ledger) == counted(ledger) != []
