"""Requests of KnowledgeBaseService about knowledge bases, their files and search."""

from dataclasses import dataclass

from ingest_grpc import model
from ingest_grpc.ids import Prefix
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.v1 import knowledge_base_pb2
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.jobs import MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS, files_to_add
from ingest_grpc.wire.requests.metadata import scalar

SERVICE = "/ingest_grpc.v1.KnowledgeBaseService"
UPDATABLE = ("name", "description", "embedder", "chunking")
MIN_CHUNK_TOKENS = 64
MAX_CHUNK_TOKENS = 8_192
MAX_EMBEDDER_CHARACTERS = 63
MAX_QUERY_CHARACTERS = 4_096
MAX_TOP_K = 100
DEFAULT_TOP_K = 10
MAX_CONDITIONS = 20
MAX_VALUES = 100
MAX_METADATA_KEY = 63


@dataclass(frozen=True, slots=True)
class CreateKnowledgeBase:
    """A knowledge base to create."""

    new: model.NewKnowledgeBase
    request: model.Request | None


def create_knowledge_base(message: pb.CreateKnowledgeBaseRequest) -> CreateKnowledgeBase:
    """Raises INVALID_FIELD or INVALID_ID, as all functions here do."""
    with Fields() as fields:
        max_tokens, overlap = _chunking(fields, message.chunking)
        return CreateKnowledgeBase(
            model.NewKnowledgeBase(
                name=fields.required_text("name", message.name, characters=MAX_NAME_CHARACTERS),
                description=fields.text("description", message.description, characters=MAX_DESCRIPTION_CHARACTERS),
                embedder=_embedder(fields, message.embedder),
                max_tokens=max_tokens,
                overlap_tokens=overlap,
                external_id=fields.external_id("external_id", message.external_id),
            ),
            fields.request(message, f"{SERVICE}/CreateKnowledgeBase"),
        )


def _embedder(fields: Fields, value: str) -> str | None:
    return fields.text("embedder", value, characters=MAX_EMBEDDER_CHARACTERS) or None


def _chunking(fields: Fields, message: knowledge_base_pb2.Chunking) -> tuple[int | None, int | None]:
    most = message.max_tokens
    if most and not MIN_CHUNK_TOKENS <= most <= MAX_CHUNK_TOKENS:
        fields.wrong("chunking.max_tokens", f"must be {MIN_CHUNK_TOKENS} to {MAX_CHUNK_TOKENS:,}, or 0 for the default")
    overlap = message.overlap_tokens if message.HasField("overlap_tokens") else None
    if overlap is not None and (overlap < 0 or (most > 0 and overlap > most // 2)):
        fields.wrong("chunking.overlap_tokens", "must be 0 to half of max_tokens")
    return most or None, overlap


def knowledge_base_id(fields: Fields, value: str) -> str:
    """The required id of a knowledge base."""
    return fields.id("knowledge_base_id", value, Prefix.KNOWLEDGE_BASE)


def get_knowledge_base(message: pb.GetKnowledgeBaseRequest) -> str:
    """The knowledge base's id."""
    with Fields() as fields:
        return knowledge_base_id(fields, message.knowledge_base_id)


@dataclass(frozen=True, slots=True)
class ListKnowledgeBases:
    """A page of knowledge bases to read."""

    external_id: str | None
    show_deleted: bool
    page_size: int
    page_token: str
    include_total: bool


def list_knowledge_bases(message: pb.ListKnowledgeBasesRequest) -> ListKnowledgeBases:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListKnowledgeBases(
            fields.external_id("external_id", message.external_id),
            message.show_deleted,
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


@dataclass(frozen=True, slots=True)
class UpdateKnowledgeBase:
    """What to change in a knowledge base."""

    knowledge_base_id: str
    update: model.KnowledgeBaseUpdate
    reindex: bool
    etag: str
    request: model.Request | None


def update_knowledge_base(message: pb.UpdateKnowledgeBaseRequest) -> UpdateKnowledgeBase:
    """Fields in the mask, or where it is empty those that are present."""
    with Fields() as fields:
        wanted = fields.changed(message, UPDATABLE)
        if "name" in wanted and not message.name.strip():
            fields.wrong("name", "cannot be cleared")
        max_tokens, overlap = _chunking(fields, message.chunking) if "chunking" in wanted else (None, None)
        described = fields.text("description", message.description, characters=MAX_DESCRIPTION_CHARACTERS)
        named = fields.text("name", message.name, characters=MAX_NAME_CHARACTERS)
        return UpdateKnowledgeBase(
            knowledge_base_id(fields, message.knowledge_base_id),
            model.KnowledgeBaseUpdate(
                name=named if "name" in wanted else None,
                description=described if "description" in wanted else None,
                embedder=_embedder(fields, message.embedder) if "embedder" in wanted else None,
                max_tokens=max_tokens,
                overlap_tokens=overlap,
            ),
            message.reindex,
            fields.etag("etag", message.etag),
            fields.request(message, f"{SERVICE}/UpdateKnowledgeBase"),
        )


@dataclass(frozen=True, slots=True)
class NamedKnowledgeBase:
    """A knowledge base that something is to be done with."""

    knowledge_base_id: str
    request: model.Request | None


def delete_knowledge_base(message: pb.DeleteKnowledgeBaseRequest) -> NamedKnowledgeBase:
    """Checks the id."""
    with Fields() as fields:
        request = fields.request(message, f"{SERVICE}/DeleteKnowledgeBase")
        return NamedKnowledgeBase(knowledge_base_id(fields, message.knowledge_base_id), request)


def undelete_knowledge_base(message: pb.UndeleteKnowledgeBaseRequest) -> NamedKnowledgeBase:
    """Checks the id."""
    with Fields() as fields:
        request = fields.request(message, f"{SERVICE}/UndeleteKnowledgeBase")
        return NamedKnowledgeBase(knowledge_base_id(fields, message.knowledge_base_id), request)


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class AddKnowledgeBaseFiles:
    """Files to add to a knowledge base."""

    knowledge_base_id: str
    files: tuple[model.FileToAdd, ...]
    method: model.Method | None
    allow_partial: bool
    name: str
    request: model.Request | None


def add_knowledge_base_files(message: pb.AddKnowledgeBaseFilesRequest) -> AddKnowledgeBaseFiles:
    """1 to 1,000 files."""
    with Fields() as fields:
        if not message.files:
            fields.wrong("files", "is required")
        return AddKnowledgeBaseFiles(
            knowledge_base_id(fields, message.knowledge_base_id),
            files_to_add(fields, message.files),
            fields.optional_enum("method", message.method, enums.METHOD),
            message.allow_partial,
            fields.text("name", message.name, characters=MAX_NAME_CHARACTERS),
            fields.request(message, f"{SERVICE}/AddKnowledgeBaseFiles"),
        )


@dataclass(frozen=True, slots=True)
class ListKnowledgeBaseFiles:
    """A page of files to read."""

    knowledge_base_id: str
    statuses: tuple[RecordStatus, ...]
    data_source_id: str | None
    page_size: int
    page_token: str
    include_total: bool


def list_knowledge_base_files(message: pb.ListKnowledgeBaseFilesRequest) -> ListKnowledgeBaseFiles:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListKnowledgeBaseFiles(
            knowledge_base_id(fields, message.knowledge_base_id),
            fields.enum_list("statuses", message.statuses, enums.RECORD_STATUS),
            fields.optional_id("data_source_id", message.data_source_id, Prefix.DATA_SOURCE),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


@dataclass(frozen=True, slots=True)
class RemoveKnowledgeBaseFiles:
    """Files to remove from a knowledge base."""

    knowledge_base_id: str
    file_ids: tuple[str, ...]
    request: model.Request | None


def remove_knowledge_base_files(message: pb.RemoveKnowledgeBaseFilesRequest) -> RemoveKnowledgeBaseFiles:
    """1 to 1,000 files."""
    with Fields() as fields:
        if not message.file_ids:
            fields.wrong("file_ids", "is required")
        return RemoveKnowledgeBaseFiles(
            knowledge_base_id(fields, message.knowledge_base_id),
            fields.id_list("file_ids", message.file_ids, Prefix.FILE),
            fields.request(message, f"{SERVICE}/RemoveKnowledgeBaseFiles"),
        )


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of a knowledge base."""

    knowledge_base_id: str
    file_id: str


def get_file_status(message: pb.GetFileStatusRequest) -> NamedFile:
    """Checks the ids."""
    with Fields() as fields:
        file_id = fields.id("file_id", message.file_id, Prefix.FILE, Prefix.OUTPUT_FILE)
        return NamedFile(knowledge_base_id(fields, message.knowledge_base_id), file_id)


@dataclass(frozen=True, slots=True)
class GetFileStatusCounts:
    """A knowledge base, or one of its data sources, to count in."""

    knowledge_base_id: str
    data_source_id: str | None


def get_file_status_counts(message: pb.GetFileStatusCountsRequest) -> GetFileStatusCounts:
    """Checks the ids."""
    with Fields() as fields:
        source = fields.optional_id("data_source_id", message.data_source_id, Prefix.DATA_SOURCE)
        return GetFileStatusCounts(knowledge_base_id(fields, message.knowledge_base_id), source)


@dataclass(frozen=True, slots=True)
class ListChunks:
    """A page of a file's chunks to read."""

    knowledge_base_id: str
    file_id: str
    page_size: int
    page_token: str
    include_total: bool


def list_chunks(message: pb.ListChunksRequest) -> ListChunks:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListChunks(
            knowledge_base_id(fields, message.knowledge_base_id),
            fields.id("file_id", message.file_id, Prefix.FILE, Prefix.OUTPUT_FILE),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


# ── search ─────────────────────────────────────────────────────────────────────────────────────────────────


def search(message: pb.SearchRequest) -> model.SearchQuery:
    """What to look for."""
    with Fields() as fields:
        if message.top_k not in range(MAX_TOP_K + 1):
            fields.wrong("top_k", f"must be 1 to {MAX_TOP_K}, or 0 for {DEFAULT_TOP_K}")
        fits = fields.fits("conditions", message.conditions, MAX_CONDITIONS)
        conditions = [_condition(fields, index, each) for index, each in enumerate(message.conditions)] if fits else []
        return model.SearchQuery(
            knowledge_base_id=knowledge_base_id(fields, message.knowledge_base_id),
            text=fields.required_text("query", message.query, characters=MAX_QUERY_CHARACTERS),
            top_k=message.top_k or DEFAULT_TOP_K,
            mode=fields.optional_enum("mode", message.mode, enums.SEARCH_MODE) or model.SearchMode.HYBRID,
            file_ids=fields.id_list("file_ids", message.file_ids, Prefix.FILE, Prefix.OUTPUT_FILE),
            data_source_ids=fields.id_list("data_source_ids", message.data_source_ids, Prefix.DATA_SOURCE),
            conditions=tuple(conditions),
        )


def _condition(fields: Fields, index: int, message: knowledge_base_pb2.MetadataCondition) -> model.MetadataCondition:
    place = f"conditions[{index}]"
    op = fields.required_enum(f"{place}.op", message.op, enums.METADATA_OP)
    most = MAX_VALUES if op is model.MetadataOp.IN else 1
    if not 1 <= len(message.values) <= most:
        fields.wrong(f"{place}.values", f"must hold 1 to {MAX_VALUES} values" if most > 1 else "must hold one value")
    return model.MetadataCondition(
        key=fields.required_text(f"{place}.key", message.key, characters=MAX_METADATA_KEY),
        op=op,
        values=tuple(
            scalar(fields, f"{place}.values[{number}]", value, MAX_QUERY_CHARACTERS)
            for number, value in enumerate(message.values[:most])
        ),
    )
