"""The part of store.interface that is about knowledge bases; see there for what all its methods have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import DataSource, Document, DocumentView, Job, KnowledgeBase
from ingest_grpc.store.claims import RecordRow


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """How many documents have a status, and what they add up to; `partial` ones have losses."""

    status: RecordStatus
    documents: int
    partial: int
    searchable: int
    chunks: int


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """What is told of a document beside its chunks."""

    key: str
    data_source_id: str | None
    filename: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of a data source in its latest version: what the source called it, and what became of its record.

    `sha256` is empty for a version that was never read; `status` None once its record is purged.
    """

    row_id: int
    key: str
    etag: str
    size_bytes: int
    sha256: str
    status: RecordStatus | None
    error_reason: Reason | None
    searchable: bool


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The version of a document in the set of chunks that a reindex fills."""

    record_row: int
    attempt: int
    chunks: int


class KnowledgeRows(Protocol):
    """Reads of knowledge bases, data sources and documents, part of Rows."""

    async def knowledge_base(self, team: str, knowledge_base_id: str) -> KnowledgeBase | None:
        """One that is not purged; it may be deleted."""
        ...

    async def knowledge_base_by_row(self, row_id: int) -> KnowledgeBase: ...
    async def knowledge_base_by_public_id(self, knowledge_base_id: str) -> KnowledgeBase | None:
        """Of any team; None once it is purged."""
        ...

    async def knowledge_base_by_external_id(self, team: str, external_id: str) -> KnowledgeBase | None: ...
    async def knowledge_bases_newest(
        self, team: str, before: int | None, limit: int, *, show_deleted: bool
    ) -> list[KnowledgeBase]: ...
    async def count_knowledge_bases(self, team: str, limit: int, *, show_deleted: bool) -> int: ...
    async def knowledge_bases_after(self, after: int, limit: int) -> list[KnowledgeBase]:
        """Those of all teams that are not purged, oldest first."""
        ...

    async def document_counts(self, knowledge_base_row: int, data_source_row: int | None) -> list[DocumentCount]:
        """Of one data source, or of all; kept where documents change, so the cost does not grow with them."""
        ...

    async def is_searchable(self, knowledge_base_row: int) -> bool:
        """Whether anything of it can be found."""
        ...

    async def jobs_feeding(self, knowledge_base_id: str, limit: int) -> list[Job]:
        """Jobs of a knowledge base with work in flight."""
        ...

    async def data_source(self, team: str, data_source_id: str) -> DataSource | None:
        """One that is not removed."""
        ...

    async def data_source_by_row(self, row_id: int) -> DataSource: ...
    async def data_source_by_external_id(self, team: str, external_id: str) -> DataSource | None: ...
    async def data_sources_newest(
        self, knowledge_base_row: int, before: int | None, limit: int
    ) -> list[DataSource]: ...
    async def count_data_sources(self, knowledge_base_row: int) -> int: ...
    async def data_sources_due(self, now: int, limit: int) -> list[DataSource]:
        """Those that are to be synced by themselves now."""
        ...

    async def jobs_being_filled(self) -> list[Job]:
        """Jobs of syncs that are still adding files, or were interrupted while they did."""
        ...

    async def data_sources_being_removed(self) -> list[DataSource]:
        """Removed ones that still have documents."""
        ...

    async def next_sync_at(self) -> int | None: ...
    async def source_files(self, data_source_row: int) -> list[str]:
        """Ids of the files of a data source of type FILES."""
        ...

    async def document_by_row(self, row_id: int) -> Document: ...
    async def document_of_key(self, knowledge_base_row: int, data_source_row: int | None, key: str) -> Document | None:
        """The live document of a key."""
        ...

    async def count_known_keys(self, data_source_row: int) -> int: ...
    async def known_keys(self, data_source_row: int, after: int, limit: int) -> list[KnownKey]:
        """What a sync compares a data source with, in the order of rows."""
        ...

    async def members_of_document(self, document_row: int) -> list[Document]:
        """Live documents that were unpacked from an archive."""
        ...

    async def documents_of_knowledge_base(self, knowledge_base_row: int, after: int, limit: int) -> list[Document]: ...
    async def documents_of_file(self, knowledge_base_row: int, file_row: int) -> list[Document]:
        """Live documents of which a file is the latest or the searchable version, newest first."""
        ...

    async def live_documents_of_file(self, file_row: int) -> list[Document]:
        """Live documents of any knowledge base whose latest version is a file."""
        ...

    async def documents_to_clear(self, knowledge_base_row: int | None, limit: int) -> list[Document]:
        """Removed documents that the index may still hold chunks of; None = of any knowledge base."""
        ...

    async def grounding_outputs(self, knowledge_base_row: int, after: int, limit: int) -> list[tuple[int, str]]:
        """(row of the document, output file) of searchable documents whose record is not purged, in order."""
        ...

    async def documents_to_tell(self, after: int, limit: int) -> list[tuple[Document, int]]:
        """Live documents whose metadata the index knows as they were, and how many changes there were so far."""
        ...

    async def document_views(
        self,
        knowledge_base_row: int,
        data_source_row: int | None,
        statuses: Sequence[RecordStatus],
        before: int | None,
        limit: int,
    ) -> tuple[list[DocumentView], int | None]:
        """Live documents with their latest records, newest first, older than the row `before`.

        The cost is bounded: after so many documents of other statuses the page ends early, perhaps empty. The
        number returned is where to go on, None at the end.
        """
        ...

    async def document_view(self, row_id: int) -> DocumentView: ...
    async def found_document(self, knowledge_base_row: int, document_id: str) -> FoundDocument | None:
        """A live document of a knowledge base; None for one that was removed."""
        ...

    async def output_of_record(self, record_id: str) -> str:
        """The id of a record's output; empty once the record is purged."""
        ...

    async def unresolved_records_of_document(self, document_row: int) -> list[RecordRow]: ...
    async def record_of_document(self, document_row: int, record_row: int) -> RecordRow | None:
        """A record of the document; None once it is purged."""
        ...

    async def in_flight_records_of_document(self, document_row: int) -> list[RecordRow]: ...


class KnowledgeTx(KnowledgeRows, Protocol):
    """Writes of knowledge bases, data sources and documents, part of Tx."""

    async def insert_knowledge_base(self, knowledge_base: KnowledgeBase) -> int: ...
    async def update_knowledge_base(self, knowledge_base: KnowledgeBase) -> None: ...
    async def insert_data_source(self, source: DataSource) -> int: ...
    async def update_data_source(self, source: DataSource) -> None: ...
    async def set_source_files(self, data_source_row: int, file_ids: Sequence[str]) -> None:
        """Replaces the files of a data source."""
        ...

    async def insert_document(self, document: Document) -> int: ...
    async def update_document(self, document: Document) -> None: ...
    async def document_cleared(self, row_id: int, now: int) -> None:
        """The index holds no chunk of a removed document any more."""
        ...

    async def file_metadata_changed(self, file_row: int) -> int:
        """The index is to be told of a file's new metadata; returns for how many live documents."""
        ...

    async def document_told(self, row_id: int, changes: int) -> None:
        """The index knows of the first `changes` changes of a document's metadata."""
        ...

    async def recount_documents(self, knowledge_base_row: int) -> None:
        """Counts the documents of a knowledge base anew; nothing but a repair needs it."""
        ...

    async def set_next_version(self, document_row: int, version: NextVersion) -> None: ...
    async def forget_next_versions(self, knowledge_base_row: int) -> None: ...
    async def deploy_next_versions(self, knowledge_base_row: int, now: int) -> None:
        """What a reindex filled is what is searchable from now on."""
        ...

    async def begin_knowledge_base_purges(self, now: int, limit: int) -> list[KnowledgeBase]:
        """Deleted knowledge bases whose time is over. Nobody finds them any more, so that none is undeleted empty."""
        ...

    async def purge_knowledge_base_slice(self, knowledge_base: KnowledgeBase, now: int, limit: int) -> bool:
        """Lets go of up to `limit` documents of a knowledge base whose chunks are gone; True once it is purged."""
        ...
