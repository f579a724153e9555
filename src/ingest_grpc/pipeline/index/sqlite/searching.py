"""Search: candidates by words and by nearness, then one order, all within one snapshot.

Nearness in two steps. The signatures of all chunks are compared bit by bit, which is about four times as fast
as comparing vectors; the nearest CANDIDATES are then compared exactly.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ingest_grpc.pipeline.embed.interface import Vector
from ingest_grpc.pipeline.index.interface import MAX_TOP_K, Hit, Query, SearchMode
from ingest_grpc.pipeline.index.ranking import Ranked, by_both, by_one, relative
from ingest_grpc.pipeline.index.sqlite.connection import snapshot
from ingest_grpc.pipeline.index.sqlite.filters import Documents, matching_documents
from ingest_grpc.pipeline.index.sqlite.reading import CHUNK_COLUMNS, knowledge_base, stored_chunk
from ingest_grpc.pipeline.index.sqlite.writing import FLOAT_BYTES, padded
from ingest_grpc.pipeline.index.words import terms

if TYPE_CHECKING:
    import apsw

CANDIDATES = 1_000
"""Per kind of score: of 100,000 chunks, 99 % of the truly nearest ten are among the 1,000 nearest signatures."""

CANDIDATES_PER_HIT = 4
HEADING_WEIGHT, BODY_WEIGHT = 1.0, 1.0

Only = Documents | None


def search(db: "apsw.Connection", key: str, query: Query) -> list[Hit]:
    """See `interface.Index.search`."""
    if not 1 <= query.top_k <= MAX_TOP_K:
        raise ValueError(f"top_k must be between 1 and {MAX_TOP_K}")
    with snapshot(db):
        number, dimension = knowledge_base(db, key)
        vector = None if query.mode is SearchMode.TEXT else _checked(query.vector, dimension)
        ranked = _ranked(db, number, query, vector)[: query.top_k]
        return _hits(db, ranked)


def _checked(vector: Vector | None, dimension: int) -> Vector:
    if vector is None or len(vector) != dimension * FLOAT_BYTES:
        found = "no vector" if vector is None else f"a vector of {len(vector) // FLOAT_BYTES} dimensions"
        raise ValueError(f"{found}, where one of {dimension} is needed")
    return vector


def _ranked(db: "apsw.Connection", number: int, query: Query, vector: Vector | None) -> list[Ranked]:
    only = matching_documents(number, query.filter)
    limit = max(CANDIDATES, CANDIDATES_PER_HIT * query.top_k)
    text: dict[int, float] = {}
    if query.mode is not SearchMode.VECTOR:
        text = relative(_by_words(db, number, query.text, only, limit))
    if vector is None:
        return by_one(text, None)
    near = _nearest(db, number, vector, only, limit)
    cosines = _cosines(db, vector, near | text.keys())
    return by_both(text, cosines, query.text_weight) if query.mode is SearchMode.HYBRID else by_one(None, cosines)


def _by_words(db: "apsw.Connection", number: int, question: str, only: Only, limit: int) -> dict[int, float]:
    """BM25 by chunk, greater is better, of the best. Each word is quoted: a question is never syntax."""
    words = " OR ".join(f'"{term}"' for term in terms(question))
    if not words:
        return {}
    # The plus keeps FTS5 from searching anew for every chunk of the filter.
    demand, parameters = _demand("AND +rowid {} (SELECT c.id FROM chunks c WHERE c.document IN ({}))", only)
    rows = db.execute(
        f"SELECT rowid, -bm25(text_{number}, {HEADING_WEIGHT}, {BODY_WEIGHT}) AS score FROM text_{number} "
        f"WHERE text_{number} MATCH ? {demand} ORDER BY score DESC, rowid LIMIT ?",
        (words, *parameters, limit),
    )
    return dict(rows)


def _nearest(db: "apsw.Connection", number: int, vector: Vector, only: Only, limit: int) -> set[int]:
    """The chunks whose signatures differ least from the vector's."""
    demand, parameters = _demand("AND document {} ({})", only)
    rows = db.execute(
        "SELECT chunk FROM signatures WHERE knowledge_base = ? "
        f"{demand} ORDER BY vec_distance_hamming(vec_bit(bits), vec_quantize_binary(?)), chunk LIMIT ?",
        (number, *parameters, padded(vector), limit),
    )
    return {row[0] for row in rows}


def _cosines(db: "apsw.Connection", vector: Vector, chunks: Iterable[int]) -> dict[int, float]:
    rows = db.execute(
        "SELECT chunk, 1 - vec_distance_cosine(vector, ?) FROM vectors WHERE chunk IN (SELECT value FROM json_each(?))",
        (vector, json.dumps(list(chunks))),
    )
    return dict(rows)


def _demand(clause: str, only: Only) -> tuple[str, tuple[Any, ...]]:
    return ("", ()) if only is None else (clause.format(only.test, only.select), only.parameters)


def _hits(db: "apsw.Connection", ranked: list[Ranked]) -> list[Hit]:
    rows = db.execute(
        f"SELECT {CHUNK_COLUMNS}, c.id FROM json_each(?) j JOIN chunks c ON c.id = j.value "
        "JOIN documents d ON d.id = c.document",
        (json.dumps([each.chunk for each in ranked]),),
    )
    found = {row[-1]: stored_chunk(row) for row in rows}
    return [Hit(found[each.chunk], each.score, each.text_score, each.vector_score) for each in ranked]
