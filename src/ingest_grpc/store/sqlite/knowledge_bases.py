"""Rows of knowledge bases, data sources and documents, see store.knowledge_interface."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import (
    DataSource,
    Document,
    DocumentView,
    Indexing,
    Job,
    KnowledgeBase,
    Reindexing,
    SyncSummary,
)
from ingest_grpc.store.claims import RecordRow
from ingest_grpc.store.knowledge_interface import DocumentCount, FoundDocument, KnownKey, NextVersion
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.bounded import rows_that_pass
from ingest_grpc.store.sqlite.columns import error_of
from ingest_grpc.store.sqlite.statements import Row, Statements

NEWEST = 2**63 - 1
"""A row id beyond every row: where a newest-first list begins."""

_KNOWLEDGE_BASE = ("name", "description", "generations", "updated_at", "deleted_at", "purge_at")
_NEW_KNOWLEDGE_BASE = ("knowledge_base_id", "user_id", "external_id", "created_at")
_DATA_SOURCE = ("name", "sync_interval_seconds", "next_sync_at", "sync_job_id", "updated_at", "removed_at")
_NEW_DATA_SOURCE = ("data_source_id", "user_id", "type", "url", "method", "external_id", "created_at")
_DOCUMENT = ("etag", "indexed_attempt", "chunks", "deployed_at", "removed_at")
_NEW_DOCUMENT = ("document_id", "key", "created_at")
_EFFECTIVE = {
    RecordStatus.QUEUED: "queued_at",
    RecordStatus.RUNNING: "processing_at",
    RecordStatus.COMPLETED: "completed_at",
    RecordStatus.FAILED: "failed_at",
    RecordStatus.CANCELLED: "cancelled_at",
}


def _named(row: Row, *names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for part in names for name in part}


def knowledge_base_of(row: Row) -> KnowledgeBase:
    """A knowledge base."""
    return KnowledgeBase(
        row_id=row["id"],
        team_id=row["team"],
        indexing=Indexing.model_validate_json(row["indexing"]),
        next=None if row["next"] is None else Reindexing.model_validate_json(row["next"]),
        **_named(row, _KNOWLEDGE_BASE, _NEW_KNOWLEDGE_BASE),
    )


def _knowledge_base_columns(knowledge_base: KnowledgeBase) -> dict[str, Any]:
    return {
        "indexing": knowledge_base.indexing.model_dump_json(),
        "next": knowledge_base.next and knowledge_base.next.model_dump_json(),
        **{name: getattr(knowledge_base, name) for name in _KNOWLEDGE_BASE},
    }


def data_source_of(row: Row) -> DataSource:
    """A data source without its files."""
    last_sync = row["last_sync"]
    return DataSource(
        row_id=row["id"],
        knowledge_base_row=row["knowledge_base"],
        knowledge_base_id=row["knowledge_base_id"],
        team_id=row["team"],
        include_patterns=json.loads(row["include_patterns"]),
        exclude_patterns=json.loads(row["exclude_patterns"]),
        last_sync=None if last_sync is None else SyncSummary.model_validate_json(last_sync),
        **_named(row, _DATA_SOURCE, _NEW_DATA_SOURCE),
    )


def _data_source_columns(source: DataSource) -> dict[str, Any]:
    return {
        "include_patterns": json.dumps(source.include_patterns),
        "exclude_patterns": json.dumps(source.exclude_patterns),
        "last_sync": source.last_sync and source.last_sync.model_dump_json(),
        **{name: getattr(source, name) for name in _DATA_SOURCE},
    }


def document_of(row: Row) -> Document:
    """A document."""
    return Document(
        row_id=row["id"],
        knowledge_base_row=row["knowledge_base"],
        data_source_row=row["data_source"],
        parent_row=row["parent"],
        team_id=row["team"],
        file_row=row["file"],
        record_row=row["record"],
        indexed_record_row=row["indexed_record"],
        indexed_file_row=row["indexed_file"],
        **_named(row, _DOCUMENT, _NEW_DOCUMENT),
    )


def _document_columns(document: Document) -> dict[str, Any]:
    return {
        "file": document.file_row,
        "record": document.record_row,
        "indexed_record": document.indexed_record_row,
        "indexed_file": document.indexed_file_row,
        **{name: getattr(document, name) for name in _DOCUMENT},
    }


def document_view_of(row: Row) -> DocumentView:
    """A document with its latest record; one whose record is purged is what the index says."""
    document = document_of(row)
    view = _named(row, ("file_id", "filename", "size_bytes", "data_source_id"))
    if row["status"] is None:
        status = RecordStatus.COMPLETED if document.searchable else RecordStatus.CANCELLED
        effective_at = document.deployed_at or document.created_at
    else:
        status = RecordStatus(row["status"])
        effective_at = row[_EFFECTIVE[status]]
    return DocumentView(
        document=document,
        searchable_file_id=row["searchable_file_id"] if document.searchable else None,
        status=status,
        effective_at=effective_at,
        step=row["step"],
        losses=tuple(json.loads(row["losses"] or "[]")),
        chunk_losses=row["chunk_losses"] or 0,
        error=error_of(row),
        **view,
        **_named(row, ("record_id", "job_id", "ingestion_job_id")),
    )


def known_key_of(row: Row) -> KnownKey:
    """What is known of a key."""
    status, reason = row["status"], row["error_reason"]
    known = {"status": status and RecordStatus(status), "error_reason": reason and Reason(reason)}
    return KnownKey(**{**row, **known, "searchable": bool(row["searchable"])})


class SqliteKnowledgeRows(Statements):
    """Reads of knowledge bases, data sources and documents."""

    async def knowledge_base(self, team: str, knowledge_base_id: str) -> KnowledgeBase | None:
        return self._one("knowledge_base", knowledge_base_of, team=team, knowledge_base_id=knowledge_base_id)

    async def knowledge_base_by_row(self, row_id: int) -> KnowledgeBase:
        return self._the("knowledge_base_by_row", knowledge_base_of, row_id=row_id)

    async def knowledge_base_by_public_id(self, knowledge_base_id: str) -> KnowledgeBase | None:
        return self._one("knowledge_base_by_public_id", knowledge_base_of, knowledge_base_id=knowledge_base_id)

    async def knowledge_base_by_external_id(self, team: str, external_id: str) -> KnowledgeBase | None:
        return self._one("knowledge_base_by_external_id", knowledge_base_of, team=team, external_id=external_id)

    async def knowledge_bases_newest(
        self, team: str, before: int | None, limit: int, *, show_deleted: bool
    ) -> list[KnowledgeBase]:
        name = "knowledge_bases_newest_with_deleted" if show_deleted else "knowledge_bases_newest"
        return self._all(name, knowledge_base_of, team=team, before=before or NEWEST, limit=limit)

    async def count_knowledge_bases(self, team: str, limit: int, *, show_deleted: bool) -> int:
        return int(self._value("count_knowledge_bases", team=team, limit=limit, show_deleted=show_deleted))

    async def knowledge_bases_after(self, after: int, limit: int) -> list[KnowledgeBase]:
        return self._all("knowledge_bases_after", knowledge_base_of, after=after, limit=limit)

    async def document_counts(self, knowledge_base_row: int, data_source_row: int | None) -> list[DocumentCount]:
        return self._all(
            "document_counts" if data_source_row is None else "document_counts_of_source",
            lambda row: DocumentCount(**{**row, "status": RecordStatus(row["status"])}),
            knowledge_base=knowledge_base_row,
            data_source=data_source_row,
        )

    async def is_searchable(self, knowledge_base_row: int) -> bool:
        return bool(self._value("is_searchable", knowledge_base=knowledge_base_row))

    async def jobs_feeding(self, knowledge_base_id: str, limit: int) -> list[Job]:
        return self._all(
            "knowledge_base_jobs_in_flight", values.job_of, knowledge_base_id=knowledge_base_id, limit=limit
        )

    async def jobs_being_filled(self) -> list[Job]:
        return self._all("jobs_being_filled", values.job_of)

    async def data_sources_being_removed(self) -> list[DataSource]:
        return self._all("data_sources_being_removed", data_source_of)

    async def data_source(self, team: str, data_source_id: str) -> DataSource | None:
        return self._one("data_source", data_source_of, team=team, data_source_id=data_source_id)

    async def data_source_by_row(self, row_id: int) -> DataSource:
        return self._the("data_source_by_row", data_source_of, row_id=row_id)

    async def data_source_by_external_id(self, team: str, external_id: str) -> DataSource | None:
        return self._one("data_source_by_external_id", data_source_of, team=team, external_id=external_id)

    async def data_sources_newest(self, knowledge_base_row: int, before: int | None, limit: int) -> list[DataSource]:
        return self._all(
            "data_sources_newest",
            data_source_of,
            knowledge_base=knowledge_base_row,
            before=before or NEWEST,
            limit=limit,
        )

    async def count_data_sources(self, knowledge_base_row: int) -> int:
        return int(self._value("count_data_sources", knowledge_base=knowledge_base_row))

    async def data_sources_due(self, now: int, limit: int) -> list[DataSource]:
        return self._all("data_sources_due", data_source_of, now=now, limit=limit)

    async def next_sync_at(self) -> int | None:
        due = self._value("next_sync_at")
        return None if due is None else int(due)

    async def source_files(self, data_source_row: int) -> list[str]:
        return self._all("source_files", lambda row: str(row["file_id"]), data_source=data_source_row)

    async def document_by_row(self, row_id: int) -> Document:
        return self._the("document_by_row", document_of, row_id=row_id)

    async def document_of_key(self, knowledge_base_row: int, data_source_row: int | None, key: str) -> Document | None:
        where = {"knowledge_base": knowledge_base_row, "data_source": data_source_row, "key": key}
        return self._one("document_of_key", document_of, **where)

    async def count_known_keys(self, data_source_row: int) -> int:
        return int(self._value("count_known_keys", data_source=data_source_row))

    async def known_keys(self, data_source_row: int, after: int, limit: int) -> list[KnownKey]:
        return self._all("known_keys", known_key_of, data_source=data_source_row, after=after, limit=limit)

    async def members_of_document(self, document_row: int) -> list[Document]:
        return self._all("members_of_document", document_of, parent=document_row)

    async def documents_of_knowledge_base(self, knowledge_base_row: int, after: int, limit: int) -> list[Document]:
        where = {"knowledge_base": knowledge_base_row, "after": after, "limit": limit}
        return self._all("documents_of_knowledge_base", document_of, **where)

    async def documents_of_file(self, knowledge_base_row: int, file_row: int) -> list[Document]:
        return self._all("documents_of_file", document_of, knowledge_base=knowledge_base_row, file=file_row)

    async def live_documents_of_file(self, file_row: int) -> list[Document]:
        return self._all("live_documents_of_file", document_of, file=file_row)

    async def documents_to_clear(self, knowledge_base_row: int | None, limit: int) -> list[Document]:
        if knowledge_base_row is None:
            return self._all("any_documents_to_clear", document_of, limit=limit)
        return self._all("documents_to_clear", document_of, knowledge_base=knowledge_base_row, limit=limit)

    async def grounding_outputs(self, knowledge_base_row: int, after: int, limit: int) -> list[tuple[int, str]]:
        where = {"knowledge_base": knowledge_base_row, "after": after, "limit": limit}
        return self._all("grounding_outputs", lambda row: (row["id"], row["output_file_id"]), **where)

    async def documents_to_tell(self, after: int, limit: int) -> list[tuple[Document, int]]:
        def found(row: Row) -> tuple[Document, int]:
            return document_of(row), row["metadata_changes"]

        return self._all("documents_to_tell", found, after=after, limit=limit)

    async def document_views(
        self,
        knowledge_base_row: int,
        data_source_row: int | None,
        statuses: Sequence[RecordStatus],
        before: int | None,
        limit: int,
    ) -> tuple[list[DocumentView], int | None]:
        name = "document_places" if data_source_row is None else "document_places_of_source"
        where = {"knowledge_base": knowledge_base_row, "data_source": data_source_row}
        page = partial(self._all, name, lambda row: row, statuses=json.dumps(sorted(statuses)), **where)
        places, cursor = rows_that_pass(page, before or NEWEST, limit, filtered=bool(statuses))
        return self._document_views([place["id"] for place in places]), cursor

    def _document_views(self, rows: list[int]) -> list[DocumentView]:
        return self._all("document_views", document_view_of, rows=json.dumps(rows))

    async def document_view(self, row_id: int) -> DocumentView:
        return self._document_views([row_id])[0]

    async def found_document(self, knowledge_base_row: int, document_id: str) -> FoundDocument | None:
        return self._one(
            "found_document",
            lambda row: FoundDocument(row["key"], row["data_source_id"], row["filename"]),
            knowledge_base=knowledge_base_row,
            document_id=document_id,
        )

    async def output_of_record(self, record_id: str) -> str:
        return str(self._value("output_of_record", record_id=record_id) or "")

    async def unresolved_records_of_document(self, document_row: int) -> list[RecordRow]:
        return self._all("unresolved_records_of_document", values.record_row_of, document=document_row)

    async def record_of_document(self, document_row: int, record_row: int) -> RecordRow | None:
        return self._one("record_of_document", values.record_row_of, document=document_row, record=record_row)

    async def in_flight_records_of_document(self, document_row: int) -> list[RecordRow]:
        return self._all("in_flight_records_of_document", values.record_row_of, document=document_row)


class SqliteKnowledgeTx(SqliteKnowledgeRows):
    """Writes of knowledge bases, data sources and documents."""

    async def insert_knowledge_base(self, knowledge_base: KnowledgeBase) -> int:
        return self._write(
            "insert_knowledge_base",
            team=knowledge_base.team_id,
            **{name: getattr(knowledge_base, name) for name in _NEW_KNOWLEDGE_BASE},
            **_knowledge_base_columns(knowledge_base),
        )

    async def update_knowledge_base(self, knowledge_base: KnowledgeBase) -> None:
        columns = _knowledge_base_columns(knowledge_base)
        self._write("update_knowledge_base", row_id=knowledge_base.row_id, **columns)

    async def insert_data_source(self, source: DataSource) -> int:
        return self._write(
            "insert_data_source",
            team=source.team_id,
            knowledge_base=source.knowledge_base_row,
            **{name: getattr(source, name) for name in _NEW_DATA_SOURCE},
            **_data_source_columns(source),
        )

    async def update_data_source(self, source: DataSource) -> None:
        self._write("update_data_source", row_id=source.row_id, **_data_source_columns(source))

    async def set_source_files(self, data_source_row: int, file_ids: Sequence[str]) -> None:
        self._write("clear_source_files", data_source=data_source_row)
        rows: list[Row] = [
            {"data_source": data_source_row, "place": place, "file_id": file_id}
            for place, file_id in enumerate(file_ids)
        ]
        self._write_many("insert_source_file", rows)

    async def insert_document(self, document: Document) -> int:
        return self._write(
            "insert_document",
            team=document.team_id,
            knowledge_base=document.knowledge_base_row,
            data_source=document.data_source_row,
            parent=document.parent_row,
            **{name: getattr(document, name) for name in _NEW_DOCUMENT},
            **_document_columns(document),
        )

    async def update_document(self, document: Document) -> None:
        self._write("update_document", row_id=document.row_id, **_document_columns(document))

    async def document_cleared(self, row_id: int, now: int) -> None:
        self._write("document_cleared", row_id=row_id, now=now)

    async def file_metadata_changed(self, file_row: int) -> int:
        return self._write("file_metadata_changed", file=file_row)

    async def document_told(self, row_id: int, changes: int) -> None:
        self._write("document_told", row_id=row_id, changes=changes)

    async def recount_documents(self, knowledge_base_row: int) -> None:
        self._write("forget_document_counts", knowledge_base=knowledge_base_row)
        self._write("recount_documents", knowledge_base=knowledge_base_row)

    async def set_next_version(self, document_row: int, version: NextVersion) -> None:
        self._write(
            "set_next_version",
            row_id=document_row,
            record=version.record_row,
            attempt=version.attempt,
            chunks=version.chunks,
        )

    async def forget_next_versions(self, knowledge_base_row: int) -> None:
        self._write("forget_next_versions", knowledge_base=knowledge_base_row)

    async def deploy_next_versions(self, knowledge_base_row: int, now: int) -> None:
        self._write("deploy_next_versions", knowledge_base=knowledge_base_row, now=now)

    async def begin_knowledge_base_purges(self, now: int, limit: int) -> list[KnowledgeBase]:
        return self._all("begin_knowledge_base_purges", knowledge_base_of, now=now, limit=limit)

    async def purge_knowledge_base_slice(self, knowledge_base: KnowledgeBase, now: int, limit: int) -> bool:
        row_id = knowledge_base.row_id
        if self._write("purge_documents", knowledge_base=row_id, now=now, limit=limit):
            return False
        self._write("purge_data_sources", knowledge_base=row_id, now=now)
        self._write("end_knowledge_base_purge", row_id=row_id)
        return True
