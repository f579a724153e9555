"""Knowledge bases: create, change, fill by hand, look into, and search."""

from collections.abc import Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Value

from ingest_grpc.client.effects import Feed, Operation
from ingest_grpc.client.messages import (
    AddKnowledgeBaseFilesRequest,
    AddKnowledgeBaseFilesResponse,
    Chunk,
    Chunking,
    CreateKnowledgeBaseRequest,
    DeleteKnowledgeBaseRequest,
    File,
    FileStatus,
    FileToAdd,
    GetFileStatusCountsRequest,
    GetFileStatusCountsResponse,
    GetFileStatusRequest,
    GetKnowledgeBaseRequest,
    KnowledgeBase,
    KnowledgeBaseFile,
    ListChunksRequest,
    ListKnowledgeBaseFilesRequest,
    ListKnowledgeBasesRequest,
    MetadataCondition,
    MetadataOp,
    Method,
    RecordStatus,
    RemoveKnowledgeBaseFilesRequest,
    RemoveKnowledgeBaseFilesResponse,
    SearchMode,
    SearchRequest,
    SearchResult,
    UndeleteKnowledgeBaseRequest,
    UpdateKnowledgeBaseRequest,
    UpdateKnowledgeBaseResponse,
)
from ingest_grpc.client.operations.common import enum_number, enum_numbers, pages
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import (
    ADD_KNOWLEDGE_BASE_FILES,
    CREATE_KNOWLEDGE_BASE,
    DELETE_KNOWLEDGE_BASE,
    GET_FILE_STATUS,
    GET_FILE_STATUS_COUNTS,
    GET_KNOWLEDGE_BASE,
    LIST_CHUNKS,
    LIST_KNOWLEDGE_BASE_FILES,
    LIST_KNOWLEDGE_BASES,
    REMOVE_KNOWLEDGE_BASE_FILES,
    SEARCH,
    UNDELETE_KNOWLEDGE_BASE,
    UPDATE_KNOWLEDGE_BASE,
)

Scalar = str | float | bool


def create_knowledge_base(
    session: Session,
    name: str,
    *,
    description: str = "",
    embedder: str = "",
    max_tokens: int = 0,
    overlap_tokens: int | None = None,
    external_id: str = "",
    request_id: str | None = None,
) -> Operation[KnowledgeBase]:
    """Create an empty knowledge base; what is not given is the server's default."""
    request = CreateKnowledgeBaseRequest(
        name=name,
        description=description,
        embedder=embedder,
        chunking=Chunking(max_tokens=max_tokens, overlap_tokens=overlap_tokens),
        external_id=external_id,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, CREATE_KNOWLEDGE_BASE, request)).knowledge_base


def get_knowledge_base(session: Session, knowledge_base_id: str) -> Operation[KnowledgeBase]:
    """A knowledge base with its counts."""
    request = GetKnowledgeBaseRequest(knowledge_base_id=knowledge_base_id)
    return (yield from call(session, GET_KNOWLEDGE_BASE, request)).knowledge_base


def list_knowledge_bases(
    session: Session, *, external_id: str = "", show_deleted: bool = False, page_size: int = 0
) -> Feed[KnowledgeBase]:
    """The team's knowledge bases, newest first, of all pages."""
    request = ListKnowledgeBasesRequest(external_id=external_id, show_deleted=show_deleted, page_size=page_size)
    return pages(session, LIST_KNOWLEDGE_BASES, request, lambda page: page.knowledge_bases)


def update_knowledge_base(
    session: Session,
    knowledge_base_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    embedder: str | None = None,
    max_tokens: int | None = None,
    overlap_tokens: int | None = None,
    reindex: bool = False,
    etag: str = "",
    request_id: str | None = None,
) -> Operation[UpdateKnowledgeBaseResponse]:
    """Change what is given. Another embedder or other chunks need `reindex`, and a job of the response does that."""
    chunking = max_tokens is not None or overlap_tokens is not None
    given = {"name": name, "description": description, "embedder": embedder, "chunking": chunking or None}
    request = UpdateKnowledgeBaseRequest(
        knowledge_base_id=knowledge_base_id,
        update_mask=FieldMask(paths=[field for field, value in given.items() if value is not None]),
        name=name,
        description=description,
        embedder=embedder,
        chunking=Chunking(max_tokens=max_tokens or 0, overlap_tokens=overlap_tokens) if chunking else None,
        reindex=reindex,
        etag=etag,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, UPDATE_KNOWLEDGE_BASE, request))


def delete_knowledge_base(
    session: Session, knowledge_base_id: str, *, request_id: str | None = None
) -> Operation[KnowledgeBase]:
    """Cancel its jobs and hide it; it is purged after 30 days."""
    request = DeleteKnowledgeBaseRequest(
        knowledge_base_id=knowledge_base_id, request_id=request_id or session.new_request_id()
    )
    return (yield from call(session, DELETE_KNOWLEDGE_BASE, request)).knowledge_base


def undelete_knowledge_base(
    session: Session, knowledge_base_id: str, *, request_id: str | None = None
) -> Operation[KnowledgeBase]:
    """Take a deletion back."""
    request = UndeleteKnowledgeBaseRequest(
        knowledge_base_id=knowledge_base_id, request_id=request_id or session.new_request_id()
    )
    return (yield from call(session, UNDELETE_KNOWLEDGE_BASE, request)).knowledge_base


def add_knowledge_base_files(
    session: Session,
    knowledge_base_id: str,
    files: Iterable[File | FileToAdd | str],
    *,
    method: str | int = 0,
    allow_partial: bool = False,
    name: str = "",
    request_id: str | None = None,
) -> Operation[AddKnowledgeBaseFilesResponse]:
    """Add uploaded files, 1 to 1,000; the response has the job that ingests them."""
    request = AddKnowledgeBaseFilesRequest(
        knowledge_base_id=knowledge_base_id,
        files=[
            each if isinstance(each, FileToAdd) else FileToAdd(file_id=each if isinstance(each, str) else each.file_id)
            for each in files
        ],
        method=enum_number(Method, method) if method else 0,  # type: ignore[arg-type]
        allow_partial=allow_partial,
        name=name,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, ADD_KNOWLEDGE_BASE_FILES, request))


def remove_knowledge_base_files(
    session: Session, knowledge_base_id: str, file_ids: Iterable[str], *, request_id: str | None = None
) -> Operation[RemoveKnowledgeBaseFilesResponse]:
    """Remove files; the response tells what became of each."""
    request = RemoveKnowledgeBaseFilesRequest(
        knowledge_base_id=knowledge_base_id,
        file_ids=list(file_ids),
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, REMOVE_KNOWLEDGE_BASE_FILES, request))


def list_knowledge_base_files(
    session: Session,
    knowledge_base_id: str,
    *,
    statuses: Iterable[str | int] = (),
    data_source_id: str = "",
    page_size: int = 0,
) -> Feed[KnowledgeBaseFile]:
    """The files of a knowledge base, newest first, of all pages."""
    request = ListKnowledgeBaseFilesRequest(
        knowledge_base_id=knowledge_base_id,
        statuses=enum_numbers(RecordStatus, statuses),
        data_source_id=data_source_id,
        page_size=page_size,
    )
    return pages(session, LIST_KNOWLEDGE_BASE_FILES, request, lambda page: page.files)


def get_file_status(session: Session, knowledge_base_id: str, file_id: str) -> Operation[FileStatus]:
    """Where a file of a knowledge base stands."""
    request = GetFileStatusRequest(knowledge_base_id=knowledge_base_id, file_id=file_id)
    return (yield from call(session, GET_FILE_STATUS, request)).status


def get_file_status_counts(
    session: Session, knowledge_base_id: str, *, data_source_id: str = ""
) -> Operation[GetFileStatusCountsResponse]:
    """How many files have each status."""
    request = GetFileStatusCountsRequest(knowledge_base_id=knowledge_base_id, data_source_id=data_source_id)
    return (yield from call(session, GET_FILE_STATUS_COUNTS, request))


def list_chunks(session: Session, knowledge_base_id: str, file_id: str, *, page_size: int = 0) -> Feed[Chunk]:
    """The chunks of a file in their order, of all pages."""
    request = ListChunksRequest(knowledge_base_id=knowledge_base_id, file_id=file_id, page_size=page_size)
    return pages(session, LIST_CHUNKS, request, lambda page: page.chunks)


def search(
    session: Session,
    knowledge_base_id: str,
    query: str,
    *,
    top_k: int = 10,
    mode: str | int = "HYBRID",
    file_ids: Iterable[str] = (),
    data_source_ids: Iterable[str] = (),
    metadata: Mapping[str, Scalar] | None = None,
    conditions: Iterable[MetadataCondition] = (),
) -> Operation[list[SearchResult]]:
    """The chunks that answer a query best. `metadata` is for files that have all of these values."""
    equal = [
        MetadataCondition(key=key, op=MetadataOp.METADATA_OP_EQ, values=[_value(value)])
        for key, value in (metadata or {}).items()
    ]
    request = SearchRequest(
        knowledge_base_id=knowledge_base_id,
        query=query,
        top_k=top_k,
        mode=enum_number(SearchMode, mode),
        file_ids=list(file_ids),
        data_source_ids=list(data_source_ids),
        conditions=[*equal, *conditions],
    )
    return list((yield from call(session, SEARCH, request)).results)


def _value(value: Scalar) -> Value:
    if isinstance(value, bool):
        return Value(bool_value=value)
    return Value(string_value=value) if isinstance(value, str) else Value(number_value=value)
