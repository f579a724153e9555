"""What KnowledgeBaseService answers to what is wrong with a call."""

from collections.abc import Callable
from functools import partial
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Value

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import job_service_pb2 as jobs
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import JobType
from ingest_grpc.v1.knowledge_base_pb2 import Chunking, DataSourceType, MetadataCondition, MetadataOp
from tests.integration.errors.row import Row, new

FILES, OBJECTS = DataSourceType.DATA_SOURCE_TYPE_FILES, DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE
SERVICE = "KnowledgeBaseService/"


def row(rpc: str, condition: str, reason: Reason, requests: Callable[[Any], Any], *rest: Any) -> Row:
    return Row(f"{SERVICE}{rpc}", condition, reason, requests, *rest)


def _file_to_add(**_: Any) -> list[jobs.FileToAdd]:
    return [jobs.FileToAdd(file_id=new("file"))]


_OF_ONE_KNOWLEDGE_BASE: dict[str, Callable[..., Any]] = {
    "GetKnowledgeBase": pb.GetKnowledgeBaseRequest,
    "UpdateKnowledgeBase": partial(pb.UpdateKnowledgeBaseRequest, name="x"),
    "DeleteKnowledgeBase": pb.DeleteKnowledgeBaseRequest,
    "UndeleteKnowledgeBase": pb.UndeleteKnowledgeBaseRequest,
    "ListDataSources": pb.ListDataSourcesRequest,
    "AddDataSource": partial(pb.AddDataSourceRequest, type=FILES, file_ids=[new("file")]),
    "AddKnowledgeBaseFiles": partial(pb.AddKnowledgeBaseFilesRequest, files=_file_to_add()),
    "ListKnowledgeBaseFiles": pb.ListKnowledgeBaseFilesRequest,
    "RemoveKnowledgeBaseFiles": partial(pb.RemoveKnowledgeBaseFilesRequest, file_ids=[new("file")]),
    "GetFileStatus": partial(pb.GetFileStatusRequest, file_id=new("file")),
    "GetFileStatusCounts": pb.GetFileStatusCountsRequest,
    "ListChunks": partial(pb.ListChunksRequest, file_id=new("file")),
    "Search": partial(pb.SearchRequest, query="x"),
}

_OF_ONE_DATA_SOURCE: dict[str, Callable[..., Any]] = {
    "GetDataSource": pb.GetDataSourceRequest,
    "UpdateDataSource": partial(pb.UpdateDataSourceRequest, update_mask=FieldMask(paths=["name"]), name="x"),
    "RemoveDataSource": pb.RemoveDataSourceRequest,
    "SyncDataSource": pb.SyncDataSourceRequest,
    "CancelSync": pb.CancelSyncRequest,
}


def _of_ids(rpc: str, request: Callable[..., Any], field: str, prefix: str, reason: Reason) -> list[Row]:
    return [
        row(rpc, f"no {field}", Reason.INVALID_ID, lambda w: request(), [field]),
        row(rpc, f"a malformed {field}", Reason.INVALID_ID, lambda w: request(**{field: "kb-1"}), [field]),
        row(rpc, f"an unknown {field}", reason, lambda w: request(**{field: new(prefix)}), (), {field: ""}),
    ]


_ROWS_OF_IDS = [
    *(
        each
        for rpc, request in _OF_ONE_KNOWLEDGE_BASE.items()
        for each in _of_ids(rpc, request, "knowledge_base_id", "kb", Reason.KNOWLEDGE_BASE_NOT_FOUND)
    ),
    *(
        each
        for rpc, request in _OF_ONE_DATA_SOURCE.items()
        for each in _of_ids(rpc, request, "data_source_id", "ds", Reason.DATA_SOURCE_NOT_FOUND)
    ),
]


def create(**changes: Any) -> pb.CreateKnowledgeBaseRequest:
    return pb.CreateKnowledgeBaseRequest(**{"name": "x", **changes})


def add_source(**changes: Any) -> pb.AddDataSourceRequest:
    return pb.AddDataSourceRequest(**{"knowledge_base_id": new("kb"), "type": OBJECTS, "url": "s3://a/b", **changes})


def search(**changes: Any) -> pb.SearchRequest:
    return pb.SearchRequest(**{"knowledge_base_id": new("kb"), "query": "x", **changes})


def update(**changes: Any) -> pb.UpdateDataSourceRequest:
    return pb.UpdateDataSourceRequest(data_source_id=new("ds"), **changes)


_WRONG_CONDITION = MetadataCondition(key="", op=MetadataOp.METADATA_OP_EQ, values=[Value(null_value=0)])  # type: ignore[arg-type]

_ROWS_OF_FIELDS = [
    row("CreateKnowledgeBase", "no name", Reason.INVALID_FIELD, lambda w: create(name=" "), ["name"]),
    row(
        "CreateKnowledgeBase",
        "chunks that are too small, and more overlap than half of one",
        Reason.INVALID_FIELD,
        lambda w: create(chunking=Chunking(max_tokens=63, overlap_tokens=32)),
        ["chunking.max_tokens", "chunking.overlap_tokens"],
    ),
    row(
        "CreateKnowledgeBase",
        "an embedder that this server does not have",
        Reason.EMBEDDER_UNAVAILABLE,
        lambda w: create(embedder="oracle"),
        ["embedder"],
        {"embedder": "oracle"},
    ),
    row("ListKnowledgeBases", "a negative page size", Reason.INVALID_FIELD,
        lambda w: pb.ListKnowledgeBasesRequest(page_size=-1), ["page_size"]),
    row("ListKnowledgeBases", "a page token of another list", Reason.INVALID_PAGE_TOKEN,
        lambda w: pb.ListKnowledgeBasesRequest(page_token=w.their_page_token)),
    row("AddDataSource", "no type", Reason.INVALID_FIELD, lambda w: add_source(type=0), ["type"]),
    row("AddDataSource", "files without files", Reason.INVALID_FIELD,
        lambda w: add_source(type=FILES, include_patterns=["*.md"]), ["file_ids", "url", "include_patterns"]),
    row("AddDataSource", "an object store without a URL, every second", Reason.INVALID_FIELD,
        lambda w: add_source(url="", sync_interval=Duration(seconds=1)), ["url", "sync_interval"]),
    row("AddDataSource", "a URL that no setting allows", Reason.IMPORT_NOT_ALLOWED,
        lambda w: add_source(knowledge_base_id=w.knowledge.busy_id), (), {"url": ""}),
    row("AddDataSource", "an unknown knowledge base, before its URL is looked at", Reason.KNOWLEDGE_BASE_NOT_FOUND,
        lambda w: add_source(), (), {"knowledge_base_id": ""}),
    row("AddDataSource", "patterns that are too long together", Reason.INVALID_FIELD,
        lambda w: add_source(exclude_patterns=["x" * 1_024] * 10), ["exclude_patterns"]),
    row("UpdateKnowledgeBase", "the etag of an older state", Reason.ETAG_MISMATCH,
        lambda w: pb.UpdateKnowledgeBaseRequest(knowledge_base_id=w.knowledge.busy_id, name="y", etag="old"),
        (), {"expected_etag": "old", "actual_etag": ""}),
    row("UpdateDataSource", "no mask", Reason.INVALID_FIELD, lambda w: update(), ["update_mask"]),
    row("UpdateDataSource", "what cannot be changed, and a name that is cleared", Reason.INVALID_FIELD,
        lambda w: update(update_mask=FieldMask(paths=["url", "name"])), ["update_mask.paths[0]", "name"]),
    row("AddKnowledgeBaseFiles", "no files", Reason.INVALID_FIELD,
        lambda w: pb.AddKnowledgeBaseFilesRequest(knowledge_base_id=new("kb")), ["files"]),
    row("RemoveKnowledgeBaseFiles", "no files", Reason.INVALID_FIELD,
        lambda w: pb.RemoveKnowledgeBaseFilesRequest(knowledge_base_id=new("kb")), ["file_ids"]),
    row("Search", "no query, too many results and a condition without a key", Reason.INVALID_FIELD,
        lambda w: search(query=" ", top_k=101, conditions=[_WRONG_CONDITION]),
        ["top_k", "conditions[0].key", "conditions[0].values[0]", "query"]),
    Row("JobService/CreateJob", "a type that KnowledgeBaseService makes", Reason.INVALID_FIELD,
        lambda w: jobs.CreateJobRequest(name="x", job_type=JobType.JOB_TYPE_KNOWLEDGE_BASE), ["job_type"]),
    Row("JobService/CreateJob", "a knowledge base for a type that uses none", Reason.INVALID_FIELD,
        lambda w: jobs.CreateJobRequest(
            name="x", job_type=JobType.JOB_TYPE_PRINCIPLE_FILES, knowledge_base_id=new("kb")
        ), ["knowledge_base_id"]),
    Row("JobService/CreateJob", "an unknown knowledge base", Reason.KNOWLEDGE_BASE_NOT_FOUND,
        lambda w: jobs.CreateJobRequest(
            name="x", job_type=JobType.JOB_TYPE_CONTEXT_GROUNDED_VECTOR_DB, knowledge_base_id=new("kb")
        ), (), {"knowledge_base_id": ""}),
    Row("JobService/UpdateJob", "a knowledge base for a job that uses none", Reason.INVALID_FIELD,
        lambda w: jobs.UpdateJobRequest(job_id=w.job_id, knowledge_base_id=new("kb")), ["knowledge_base_id"]),
]  # fmt: skip

ROWS = [*_ROWS_OF_IDS, *_ROWS_OF_FIELDS]
