"""Compares the index of knowledge bases with the ledger, which is right: a start of the server mends what differs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from typing import TYPE_CHECKING, Any

import aiosql

from ingest_grpc.admin.report import Lines
from ingest_grpc.config import Settings
from ingest_grpc.pipeline.index.interface import DocumentState, UnknownKnowledgeBase
from ingest_grpc.pipeline.index.sqlite import reading
from ingest_grpc.pipeline.index.sqlite.connection import open_reader, translated_errors
from ingest_grpc.store.sqlite.schema import connect_reader

if TYPE_CHECKING:
    import apsw

PAGE = 1_000


def examine_index(settings: Settings) -> tuple[int, list[str]]:
    """(chunks in the index, one line per problem). To be called off the event loop; changes nothing."""
    statements = _statements()
    with closing(connect_reader(settings.ledger_path)) as ledger:
        sets = list(statements.sets_of_chunks(ledger))
        if not settings.index_path.exists():
            return 0, list(_without_index(statements, ledger, sets))
        with translated_errors(), closing(open_reader(settings.index_path)) as index:
            known = set(reading.keys(index))
            chunks = sum(reading.counts(index, key).chunks for key in known)
            problems = _told("documents", _differences(statements, ledger, index, sets))
            old = known - {each["key"] for each in sets}
            problems += _told("indexes", (f"the index holds chunks of {key}, which nothing refers to" for key in old))
    return chunks, problems


def _statements() -> Any:
    with resources.as_file(resources.files("ingest_grpc.admin") / "sql" / "index.sql") as path:
        return aiosql.from_path(path, "sqlite3", mandatory_parameters=False)


def _told(kind: str, found: Iterator[str]) -> list[str]:
    lines = Lines(kind)
    for line in found:
        lines.add(line)
    return lines.told()


def _without_index(statements: Any, ledger: sqlite3.Connection, sets: list[sqlite3.Row]) -> Iterator[str]:
    missing = sum(
        document["removed_at"] is None and document["indexed_record"] is not None
        for each in sets
        if each["searched"]
        for document in statements.documents_of(ledger, knowledge_base=each["id"])
    )
    if missing:
        yield f"documents that are searchable by the ledger: {missing:,}, but there is no index"


def _differences(
    statements: Any, ledger: sqlite3.Connection, index: "apsw.Connection", sets: list[sqlite3.Row]
) -> Iterator[str]:
    for each in sets:
        if each["searched"]:
            states = _states(index, each["key"])
            for document in statements.documents_of(ledger, knowledge_base=each["id"]):
                problem = _problem(document, states.get(document["document_id"]))
                if problem:
                    yield f"document {document['document_id']} of {each['key']} {problem}"


def _states(index: "apsw.Connection", key: str) -> dict[str, DocumentState]:
    states: dict[str, DocumentState] = {}
    after = ""
    try:
        while page := reading.documents(index, key, after, PAGE):
            states |= {state.document.document_id: state for state in page}
            after = page[-1].document.document_id
    except UnknownKnowledgeBase:
        return {}
    return states


def _problem(document: sqlite3.Row, state: DocumentState | None) -> str:
    held = state.chunks if state is not None else 0
    if document["removed_at"] is not None:
        return f"was removed, but the index holds {held} chunks of it" if held else ""
    if document["indexed_record"] is None:
        return f"is not searchable, but the index holds {held} chunks of it" if held else ""
    expected = (document["indexed_record"], document["fence_attempt"])
    if state is None or state.removed or state.fence != expected:
        found = "nothing" if state is None or state.removed else f"the version of {state.fence}"
        return f"is searchable as {expected} by the ledger; the index has {found}"
    return f"has {document['chunks']} chunks by the ledger; the index has {held}" if document["chunks"] != held else ""
