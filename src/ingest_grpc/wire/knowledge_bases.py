"""Knowledge bases, data sources, their files and what is found as messages."""

from collections.abc import Mapping

from ingest_grpc import model
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.v1 import job_pb2
from ingest_grpc.v1 import knowledge_base_pb2 as pb
from ingest_grpc.wire.enums import DATA_SOURCE_TYPE, METHOD, RECORD_STATUS, STEP
from ingest_grpc.wire.ingestion import loss_steps, record_error
from ingest_grpc.wire.times import set_time

MAX_FILE_IDS = 1_000


def status_counts(counts: Mapping[RecordStatus, int]) -> list[job_pb2.RecordStatusCount]:
    """Every status, in the order of the enum."""
    return [
        job_pb2.RecordStatusCount(status=RECORD_STATUS.numbers[status], count=counts.get(status, 0))
        for status in RecordStatus
    ]


def knowledge_base(value: model.KnowledgeBaseView) -> pb.KnowledgeBase:
    """A KnowledgeBase message."""
    base = value.knowledge_base
    indexing = base.indexing
    message = pb.KnowledgeBase(
        knowledge_base_id=base.knowledge_base_id,
        name=base.name,
        description=base.description,
        embedding=pb.Embedding(embedder=indexing.embedder, identity=indexing.identity, dimension=indexing.dimension),
        chunking=pb.Chunking(max_tokens=indexing.max_tokens, overlap_tokens=indexing.overlap_tokens),
        external_id=base.external_id,
        file_counts=status_counts(value.counts),
        files_total=value.files,
        files_searchable=value.searchable,
        chunks_total=value.chunks,
        data_sources_total=value.data_sources,
        user_id=base.user_id,
        team_id=base.team_id,
        etag=base.etag,
    )
    set_time(message.created_at, base.created_at)
    set_time(message.updated_at, base.updated_at)
    if base.deleted_at is not None:
        set_time(message.deleted_at, base.deleted_at)
    if base.purge_at is not None:
        set_time(message.purge_at, base.purge_at)
    return message


def data_source(value: model.DataSource) -> pb.DataSource:
    """A DataSource message."""
    message = pb.DataSource(
        data_source_id=value.data_source_id,
        knowledge_base_id=value.knowledge_base_id,
        name=value.name,
        type=DATA_SOURCE_TYPE.numbers[value.type],
        url=value.url,
        include_patterns=value.include_patterns,
        exclude_patterns=value.exclude_patterns,
        file_ids=value.file_ids[:MAX_FILE_IDS],
        method=METHOD.numbers[value.method],
        last_sync=None if value.last_sync is None else sync_summary(value.last_sync),
        running_job_id=value.running_job_id,
        external_id=value.external_id,
        files_total=value.files_total,
        user_id=value.user_id,
    )
    if value.sync_interval_seconds is not None:
        message.sync_interval.seconds = value.sync_interval_seconds
    if value.next_sync_at is not None:
        set_time(message.next_sync_at, value.next_sync_at)
    set_time(message.created_at, value.created_at)
    set_time(message.updated_at, value.updated_at)
    return message


def sync_summary(value: model.SyncSummary) -> pb.SyncSummary:
    """A SyncSummary message."""
    message = pb.SyncSummary(
        new=value.new,
        modified=value.modified,
        deleted=value.deleted,
        unchanged=value.unchanged,
        failed=value.failed,
        job_id=value.job_id,
    )
    set_time(message.at, value.at)
    return message


def knowledge_base_file(value: model.DocumentView) -> pb.KnowledgeBaseFile:
    """A KnowledgeBaseFile message."""
    document = value.document
    message = pb.KnowledgeBaseFile(
        file_id=value.file_id,
        filename=value.filename,
        data_source_id=value.data_source_id,
        key=document.key,
        status=RECORD_STATUS.numbers[value.status],
        record_id=value.record_id,
        job_id=value.job_id,
        searchable=document.searchable,
        searchable_file_id=value.searchable_file_id,
        chunks=document.chunks,
        size_bytes=value.size_bytes,
        error=None if value.error is None else record_error(value.error),
    )
    set_time(message.created_at, document.created_at)
    set_time(message.effective_at, value.effective_at)
    if document.deployed_at is not None:
        set_time(message.deployed_at, document.deployed_at)
    return message


def file_status(file_id: str, value: model.DocumentView) -> pb.FileStatus:
    """A FileStatus message, of the file that was asked for."""
    message = pb.FileStatus(
        file_id=file_id,
        status=RECORD_STATUS.numbers[value.status],
        partial=value.status is RecordStatus.COMPLETED and bool(value.losses),
        job_id=value.job_id,
        losses=value.losses,
        loss_steps=loss_steps(value),
        ingestion_job_id=value.ingestion_job_id,
        step=STEP.numbers[value.step],
        chunks=value.document.chunks,
    )
    if value.error is not None:
        error = record_error(value.error)
        message.errors.add(
            job_id=value.job_id or "",
            record_id=value.record_id or "",
            ingestion_job_id=value.ingestion_job_id or "",
            error=error,
        )
    set_time(message.effective_at, value.effective_at)
    if value.document.deployed_at is not None:
        set_time(message.deployed_at, value.document.deployed_at)
    return message


def chunk(value: model.FoundChunk) -> pb.Chunk:
    """A Chunk message."""
    return pb.Chunk(
        chunk_id=value.chunk_id,
        file_id=value.file_id,
        filename=value.filename,
        data_source_id=value.data_source_id,
        key=value.key,
        output_file_id=value.output_file_id,
        ordinal=value.ordinal,
        text=value.text,
        heading_path=value.heading_path,
        start_offset=value.start_offset,
        end_offset=value.end_offset,
        tokens=value.tokens,
    )


def search_result(value: model.SearchResult) -> pb.SearchResult:
    """A SearchResult message."""
    return pb.SearchResult(
        chunk=chunk(value.chunk),
        score=value.score,
        text_score=value.text_score,
        vector_score=value.vector_score,
    )
