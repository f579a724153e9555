"""What reads the index beside searching; each function is one statement or one snapshot."""

import json
from typing import TYPE_CHECKING, Any

from ingest_grpc.pipeline.index.interface import (
    Counts,
    Document,
    DocumentState,
    StoredChunk,
    UnknownKnowledgeBase,
)
from ingest_grpc.pipeline.index.sqlite.connection import snapshot

if TYPE_CHECKING:
    import apsw

DOCUMENT_COLUMNS = "d.document_id, d.file_id, d.record_id, d.data_source_id, d.metadata"
CHUNK_COLUMNS = (
    f"{DOCUMENT_COLUMNS}, c.ordinal, c.text, c.heading_path, c.start_offset, c.end_offset, c.tokens, "
    "EXISTS (SELECT 1 FROM vectors v WHERE v.chunk = c.id)"
)
_STATE_COLUMNS = (
    f"{DOCUMENT_COLUMNS}, d.fence_record, d.fence_attempt, d.removed, "
    "(SELECT count(*) FROM chunks c WHERE c.document = d.id)"
)


def knowledge_base(db: "apsw.Connection", key: str) -> tuple[int, int]:
    """(row id, dimension). Raises UnknownKnowledgeBase."""
    row = db.execute("SELECT id, dimension FROM knowledge_bases WHERE key = ? AND NOT dropped", (key,)).fetchone()
    if row is None:
        raise UnknownKnowledgeBase(key)
    return row[0], row[1]


def chunks(db: "apsw.Connection", key: str, document_id: str, after: int, limit: int) -> list[StoredChunk]:
    """See `interface.Index.chunks`."""
    with snapshot(db):
        number, _ = knowledge_base(db, key)
        rows = db.execute(
            f"SELECT {CHUNK_COLUMNS} FROM documents d JOIN chunks c ON c.document = d.id "
            "WHERE d.knowledge_base = ? AND d.document_id = ? AND c.ordinal > ? ORDER BY c.ordinal LIMIT ?",
            (number, document_id, after, limit),
        ).fetchall()
    return [stored_chunk(row) for row in rows]


def document(db: "apsw.Connection", key: str, document_id: str) -> DocumentState | None:
    """See `interface.Index.document`."""
    with snapshot(db):
        number, _ = knowledge_base(db, key)
        found = f"SELECT {_STATE_COLUMNS} FROM documents d WHERE d.knowledge_base = ? AND d.document_id = ?"
        row = db.execute(found, (number, document_id)).fetchone()
    return None if row is None else _state(row)


def documents(db: "apsw.Connection", key: str, after: str, limit: int) -> list[DocumentState]:
    """See `interface.Index.documents`."""
    with snapshot(db):
        number, _ = knowledge_base(db, key)
        rows = db.execute(
            f"SELECT {_STATE_COLUMNS} FROM documents d "
            "WHERE d.knowledge_base = ? AND d.document_id > ? ORDER BY d.document_id LIMIT ?",
            (number, after, limit),
        ).fetchall()
    return [_state(row) for row in rows]


def counts(db: "apsw.Connection", key: str) -> Counts:
    """See `interface.Index.counts`."""
    with snapshot(db):
        number, _ = knowledge_base(db, key)
        live = db.execute("SELECT count(*) FROM documents WHERE knowledge_base = ? AND NOT removed", (number,)).get
        found = db.execute(
            "SELECT count(*) FROM documents d JOIN chunks c ON c.document = d.id WHERE d.knowledge_base = ?", (number,)
        ).get
        embedded = db.execute("SELECT count(*) FROM signatures WHERE knowledge_base = ?", (number,)).get
    return Counts(documents=live, chunks=found, chunks_without_vector=found - embedded)


def keys(db: "apsw.Connection") -> list[str]:
    """See `interface.Index.keys`."""
    return [row[0] for row in db.execute("SELECT key FROM knowledge_bases WHERE NOT dropped ORDER BY key")]


def stored_chunk(row: tuple[Any, ...]) -> StoredChunk:
    """The chunk of a row that begins with CHUNK_COLUMNS."""
    ordinal, text, heading_path, start, end, tokens, embedded = row[5:12]
    return StoredChunk(
        chunk_id=f"{row[0]}:{ordinal}",
        document=_document(row),
        ordinal=ordinal,
        text=text,
        heading_path=tuple(json.loads(heading_path)),
        start=start,
        end=end,
        tokens=tokens,
        embedded=bool(embedded),
    )


def _state(row: tuple[Any, ...]) -> DocumentState:
    return DocumentState(_document(row), (row[5], row[6]), chunks=row[8], removed=bool(row[7]))


def _document(row: tuple[Any, ...]) -> Document:
    return Document(row[0], row[1], row[2], row[3], json.loads(row[4]))
