"""Knowledge bases, where their documents come from, and what is found in them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from ingest_grpc.lifecycle import RecordStatus, Step
from ingest_grpc.model.base import Method, Model
from ingest_grpc.model.files import Scalar
from ingest_grpc.model.records import RecordError


class Indexing(Model):
    """What documents are cut and embedded by, and the set of chunks that came of it.

    `generation` counts a knowledge base's sets: a reindex fills the next one while the old one is searched.
    `identity` names the embedder with its model: vectors of different identities are never compared.
    """

    generation: int = 1
    embedder: str
    identity: str
    dimension: int
    max_tokens: int
    overlap_tokens: int


class Reindexing(Model):
    """A set of chunks that a job is filling. `filled_to` is the last document whose file the job has; None once it has
    those of all."""

    indexing: Indexing
    job_id: str
    filled_to: int | None = None


class KnowledgeBase(Model):
    """A search index. `generations` is how many sets of chunks it ever had; `next` is the one being filled."""

    row_id: int = Field(0, exclude=True)
    knowledge_base_id: str
    name: str
    description: str = ""
    external_id: str | None = None
    indexing: Indexing
    next: Reindexing | None = None
    generations: int = 1
    user_id: str
    team_id: str
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    purge_at: int | None = None

    @property
    def etag(self) -> str:
        """Changes with what a caller may set, and with nothing else."""
        now = (self.next or Reindexing(indexing=self.indexing, job_id="")).indexing
        parts = [self.name, self.description, now.embedder, now.max_tokens, now.overlap_tokens]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def indexing_of(self, job_id: str) -> Indexing:
        """What a job's files become part of: the set that it is filling, or the one that is searched."""
        return self.next.indexing if self.next is not None and self.next.job_id == job_id else self.indexing

    def key_of(self, indexing: Indexing) -> str:
        """The name of a set of chunks in the index."""
        return f"{self.knowledge_base_id}/{indexing.generation}"

    @property
    def key(self) -> str:
        """The name of the set that is searched."""
        return self.key_of(self.indexing)


class NewKnowledgeBase(Model):
    """What CreateKnowledgeBase asks for; None = the server's default."""

    name: str
    description: str = ""
    embedder: str | None = None
    max_tokens: int | None = None
    overlap_tokens: int | None = None
    external_id: str | None = None


class KnowledgeBaseUpdate(Model):
    """What UpdateKnowledgeBase changes: a field that is None stays as it is."""

    name: str | None = None
    description: str | None = None
    embedder: str | None = None
    max_tokens: int | None = None
    overlap_tokens: int | None = None


class DataSourceType(StrEnum):
    """Where the files of a data source are."""

    FILES = "FILES"
    OBJECT_STORE = "OBJECT_STORE"


class SyncSummary(Model):
    """What a comparison of a data source with its knowledge base found. `failed` is counted when it is shown."""

    at: int
    new: int = 0
    modified: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: int = 0
    job_id: str | None = None


class DataSource(Model):
    """Where documents come from. `running_job_id`, `files_total` and `file_ids` are filled when it is shown."""

    row_id: int = Field(0, exclude=True)
    knowledge_base_row: int = Field(0, exclude=True)
    data_source_id: str
    knowledge_base_id: str
    name: str
    type: DataSourceType
    url: str = ""
    include_patterns: tuple[str, ...] = ()
    exclude_patterns: tuple[str, ...] = ()
    file_ids: tuple[str, ...] = ()
    method: Method
    sync_interval_seconds: int | None = None
    next_sync_at: int | None = None
    last_sync: SyncSummary | None = None
    sync_job_id: str | None = None
    running_job_id: str | None = None
    external_id: str | None = None
    files_total: int = 0
    user_id: str
    team_id: str
    created_at: int
    updated_at: int
    removed_at: int | None = None

    @property
    def synced(self) -> bool:
        """Whether a sync of it ever began."""
        return self.last_sync is not None or self.sync_job_id is not None


class NewDataSource(Model):
    """What AddDataSource asks for."""

    knowledge_base_id: str
    name: str = ""
    type: DataSourceType
    url: str = ""
    include_patterns: tuple[str, ...] = ()
    exclude_patterns: tuple[str, ...] = ()
    file_ids: tuple[str, ...] = ()
    method: Method | None = None
    sync_interval_seconds: int | None = None
    external_id: str | None = None


class DataSourceUpdate(Model):
    """What UpdateDataSource changes: only the fields that were set (`model_fields_set`)."""

    name: str = ""
    include_patterns: tuple[str, ...] = ()
    exclude_patterns: tuple[str, ...] = ()
    sync_interval_seconds: int | None = None
    file_ids: tuple[str, ...] = ()


class Document(Model):
    """What a knowledge base holds under one key: the latest version of it, and the one that is searchable.

    `etag` is what the source calls the latest version. `record_row` is the latest record, None once its job is
    purged; `indexed_*` tell of the version that is in the index, `chunks` of it, since `deployed_at`.
    """

    row_id: int = Field(0, exclude=True)
    document_id: str
    knowledge_base_row: int
    data_source_row: int | None = None
    parent_row: int | None = None
    team_id: str
    key: str
    etag: str = ""
    file_row: int
    record_row: int | None = None
    indexed_record_row: int | None = None
    indexed_attempt: int | None = None
    indexed_file_row: int | None = None
    chunks: int = 0
    deployed_at: int | None = None
    created_at: int
    removed_at: int | None = None

    @property
    def searchable(self) -> bool:
        """Whether a version of it is in the index."""
        return self.indexed_record_row is not None and self.removed_at is None


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as it is shown, with its latest record; `chunk_losses` as in that."""

    document: Document
    file_id: str
    filename: str
    size_bytes: int
    data_source_id: str | None
    searchable_file_id: str | None
    status: RecordStatus
    effective_at: int
    record_id: str | None = None
    job_id: str | None = None
    ingestion_job_id: str | None = None
    step: Step | None = None
    losses: Sequence[str] = ()
    chunk_losses: int = 0
    error: RecordError | None = None


class SearchMode(StrEnum):
    """What chunks are found by."""

    HYBRID = "HYBRID"
    VECTOR = "VECTOR"
    TEXT = "TEXT"


class MetadataOp(StrEnum):
    """Compares a file's metadata with values."""

    EQ = "EQ"
    NE = "NE"
    IN = "IN"
    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"


class MetadataCondition(Model):
    """Met by files whose metadata has a value of the same type that compares so; `values` has one, for IN many."""

    key: str
    op: MetadataOp
    values: tuple[Scalar, ...]


class SearchQuery(Model):
    """What Search asks for."""

    knowledge_base_id: str
    text: str
    top_k: int
    mode: SearchMode
    file_ids: tuple[str, ...] = ()
    data_source_ids: tuple[str, ...] = ()
    conditions: tuple[MetadataCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundChunk:
    """A chunk with what it belongs to. Offsets are in characters of the output's Markdown."""

    chunk_id: str
    file_id: str
    filename: str
    data_source_id: str | None
    key: str
    output_file_id: str
    ordinal: int
    text: str
    heading_path: Sequence[str]
    start_offset: int
    end_offset: int
    tokens: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A chunk that was found; results are ordered by `score`, greatest first."""

    chunk: FoundChunk
    score: float
    text_score: float | None
    vector_score: float | None


@dataclass(frozen=True, slots=True)
class KnowledgeBaseView:
    """A knowledge base with what is counted in it: files by the status of their latest record."""

    knowledge_base: KnowledgeBase
    counts: Mapping[RecordStatus, int] = field(default_factory=dict)
    partial: int = 0
    searchable: int = 0
    chunks: int = 0
    data_sources: int = 0

    @property
    def files(self) -> int:
        return sum(self.counts.values())
