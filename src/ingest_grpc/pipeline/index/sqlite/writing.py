"""What changes the index; each function is one transaction of the writing connection."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest_grpc.pipeline.chunk.interface import without_page_marks
from ingest_grpc.pipeline.embed.interface import Vector
from ingest_grpc.pipeline.index.interface import (
    Document,
    EmbeddedChunk,
    Fence,
    OtherEmbedder,
    UnknownKnowledgeBase,
)
from ingest_grpc.pipeline.index.sqlite.connection import immediate
from ingest_grpc.pipeline.index.words import searchable

if TYPE_CHECKING:
    import apsw

SLICE_DOCUMENTS = 200
"""Documents of a dropped knowledge base that go in one transaction: a swap waits no longer than that."""

FLOAT_BYTES = 4
SIGNATURE_STEP_BYTES = 8 * FLOAT_BYTES
"""sqlite-vec makes a signature of whole bytes: 8 dimensions each."""


def create(db: "apsw.Connection", key: str, embedder: str, dimension: int) -> None:
    """See `interface.Index.create`. Each knowledge base has a text index of its own: word statistics, speed and
    the cost of dropping it are then its own too."""
    with immediate(db):
        row = db.execute("SELECT embedder, dimension, dropped FROM knowledge_bases WHERE key = ?", (key,)).fetchone()
        if row is None:
            db.execute(
                "INSERT INTO knowledge_bases (key, embedder, dimension) VALUES (?, ?, ?)", (key, embedder, dimension)
            )
            db.execute(
                f"CREATE VIRTUAL TABLE text_{db.last_insert_rowid()} USING fts5(headings, body, content='', "
                "contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2')"
            )
        elif row[2]:
            raise UnknownKnowledgeBase(key)
        elif row[:2] != (embedder, dimension):
            raise OtherEmbedder(f"{key} has vectors of {row[0]}, {row[1]} dimensions")


def swap(db: "apsw.Connection", key: str, document: Document, fence: Fence, chunks: Sequence[EmbeddedChunk]) -> bool:
    """See `interface.Index.swap`."""
    with immediate(db):
        found = _live(db, key)
        if found is None:
            return False
        knowledge_base, dimension = found
        _check(chunks, dimension)
        row = _enter(db, knowledge_base, document, fence, removed=False)
        if row is None:
            return False
        _clear(db, knowledge_base, row)
        _insert(db, knowledge_base, row, chunks)
        return True


def remove(db: "apsw.Connection", key: str, document_id: str, fence: Fence) -> bool:
    """See `interface.Index.remove`."""
    with immediate(db):
        found = _live(db, key)
        if found is None:
            return False
        row = _enter(db, found[0], Document(document_id, "", ""), fence, removed=True)
        if row is None:
            return False
        _clear(db, found[0], row)
        return True


def update(db: "apsw.Connection", key: str, document: Document) -> bool:
    """See `interface.Index.update`."""
    with immediate(db):
        found = _live(db, key)
        if found is None:
            raise UnknownKnowledgeBase(key)
        db.execute(
            "UPDATE documents SET file_id = ?, record_id = ?, data_source_id = ?, metadata = ? "
            "WHERE knowledge_base = ? AND document_id = ? AND NOT removed",
            (*_values(document), found[0], document.document_id),
        )
        return db.changes() > 0


def mark_dropped(db: "apsw.Connection", key: str) -> None:
    """Nothing of the knowledge base is found or written any more; `sweep` removes what it holds."""
    with immediate(db):
        db.execute("UPDATE knowledge_bases SET dropped = 1 WHERE key = ?", (key,))


def sweep(db: "apsw.Connection") -> bool:
    """Removes a slice of what dropped knowledge bases still hold; False = there is nothing left."""
    with immediate(db):
        documents: list[tuple[Any, ...]] = db.execute(
            "SELECT d.knowledge_base, d.id FROM knowledge_bases k JOIN documents d ON d.knowledge_base = k.id "
            "WHERE k.dropped LIMIT ?",
            (SLICE_DOCUMENTS,),
        ).fetchall()
        for knowledge_base, document in documents:
            _clear(db, knowledge_base, document, text=False)
            db.execute("DELETE FROM documents WHERE id = ?", (document,))
        if documents:
            return True
        tables = db.execute(
            "SELECT name FROM sqlite_schema JOIN knowledge_bases ON name = 'text_' || id WHERE dropped"
        ).fetchall()
        for (table,) in tables:
            db.execute(f"DROP TABLE {table}")
        return False


def _live(db: "apsw.Connection", key: str) -> tuple[int, int] | None:
    """(row id, dimension) of the knowledge base."""
    row = db.execute("SELECT id, dimension FROM knowledge_bases WHERE key = ? AND NOT dropped", (key,)).fetchone()
    return None if row is None else (row[0], row[1])


def _check(chunks: Sequence[EmbeddedChunk], dimension: int) -> None:
    for ordinal, each in enumerate(chunks):
        if each.chunk.ordinal != ordinal:
            raise ValueError(f"chunk {ordinal} has the ordinal {each.chunk.ordinal}")
        if each.vector is not None and len(each.vector) != dimension * FLOAT_BYTES:
            raise ValueError(f"chunk {ordinal} has a vector of {len(each.vector) // FLOAT_BYTES}, not {dimension}")


def _values(document: Document) -> tuple[str, str, str, str]:
    metadata = json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True)
    return document.file_id, document.record_id, document.data_source_id, metadata


def _enter(
    db: "apsw.Connection", knowledge_base: int, document: Document, fence: Fence, *, removed: bool
) -> int | None:
    """The row id of the document, now of this version and fence; None where it has a greater fence."""
    row = db.execute(
        "INSERT INTO documents (knowledge_base, document_id, file_id, record_id, data_source_id, metadata, "
        "fence_record, fence_attempt, removed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (knowledge_base, document_id) DO UPDATE SET file_id = excluded.file_id, "
        "record_id = excluded.record_id, data_source_id = excluded.data_source_id, metadata = excluded.metadata, "
        "fence_record = excluded.fence_record, fence_attempt = excluded.fence_attempt, removed = excluded.removed "
        "WHERE (excluded.fence_record, excluded.fence_attempt) >= (fence_record, fence_attempt) RETURNING id",
        (knowledge_base, document.document_id, *_values(document), *fence, removed),
    ).fetchone()
    return None if row is None else int(row[0])


def _clear(db: "apsw.Connection", knowledge_base: int, document: int, *, text: bool = True) -> None:
    """Removes a document's chunks with all that is found by them."""
    ids = [row[0] for row in db.execute("SELECT id FROM chunks WHERE document = ?", (document,))]
    if text:
        db.executemany(f"DELETE FROM text_{knowledge_base} WHERE rowid = ?", ((each,) for each in ids))
    db.executemany("DELETE FROM vectors WHERE chunk = ?", ((each,) for each in ids))
    db.execute("DELETE FROM signatures WHERE knowledge_base = ? AND document = ?", (knowledge_base, document))
    db.execute("DELETE FROM chunks WHERE document = ?", (document,))


def _insert(db: "apsw.Connection", knowledge_base: int, document: int, chunks: Sequence[EmbeddedChunk]) -> None:
    first = db.execute("SELECT coalesce(max(id), 0) + 1 FROM chunks").get
    numbered = [(first + each.chunk.ordinal, each) for each in chunks]
    db.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((number, document, *_columns(each)) for number, each in numbered),
    )
    db.executemany(
        f"INSERT INTO text_{knowledge_base} (rowid, headings, body) VALUES (?, ?, ?)",
        (
            (number, searchable("\n".join(each.chunk.heading_path)), searchable(without_page_marks(each.chunk.text)))
            for number, each in numbered
        ),
    )
    db.executemany(
        "INSERT INTO signatures VALUES (?, ?, ?, vec_quantize_binary(?))",
        ((knowledge_base, document, number, padded(vector)) for number, vector in _vectors(numbered)),
    )
    db.executemany("INSERT INTO vectors VALUES (?, ?)", _vectors(numbered))


def _columns(each: EmbeddedChunk) -> tuple[int, str, str, int, int, int]:
    chunk = each.chunk
    path = json.dumps(chunk.heading_path, ensure_ascii=False)
    return chunk.ordinal, chunk.text, path, chunk.start, chunk.end, chunk.tokens


def _vectors(numbered: list[tuple[int, EmbeddedChunk]]) -> Iterator[tuple[int, Vector]]:
    return ((number, each.vector) for number, each in numbered if each.vector is not None)


def padded(vector: Vector) -> bytes:
    """The vector with zeros up to a dimension that a signature can have."""
    return vector + b"\0" * (-len(vector) % SIGNATURE_STEP_BYTES)
