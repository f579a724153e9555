"""Row to model and back: the only place that knows how the domain lies in columns."""

import json
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter

from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Step, Tally, WaitReason
from ingest_grpc.model import (
    FEED_KINDS,
    Change,
    DocumentMetadata,
    Engine,
    EventKind,
    EventType,
    File,
    FileKind,
    FileRecord,
    ImportSource,
    IngestionJob,
    Job,
    JobFile,
    Method,
    NewFile,
    TimelineEvent,
    Upload,
)
from ingest_grpc.store.interface import FeedEvent, RecordRow
from ingest_grpc.store.sqlite.columns import (
    error_columns,
    error_of,
    members,
    members_or_none,
    texts_column,
    texts_of,
    word_column,
)
from ingest_grpc.store.sqlite.statements import Row

_JOB_TYPE, _JOB_STATUS, _METHOD = members(JobType), members(JobStatus), members(Method)
_INGESTION_JOB_STATUS, _RECORD_STATUS = members(IngestionJobStatus), members(RecordStatus)
_ALIGNMENT_STATUS, _STEP = members_or_none(RecordStatus), members_or_none(Step)
_FILE_KIND = members(FileKind)
_WAIT_REASON = members_or_none(WaitReason)

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
_TALLY = ("queued", "running", "completed", "failed", "cancelled", "unresolved")


def tally_of(row: Row) -> Tally:
    return Tally(*map(row.__getitem__, _TALLY))


def tally_columns(tally: Tally) -> dict[str, int]:
    return {
        "queued": tally.queued,
        "running": tally.running,
        "completed": tally.completed,
        "failed": tally.failed,
        "cancelled": tally.cancelled,
        "unresolved": tally.unresolved,
    }


def job_of(row: Row) -> Job:
    return Job.trusted(
        row_id=row["id"],
        job_id=row["job_id"],
        name=row["name"],
        description=row["description"],
        job_type=_JOB_TYPE[row["job_type"]],
        status=_JOB_STATUS[row["status"]],
        tally=tally_of(row),
        markdown_files=row["markdown_files"],
        cancelled=bool(row["cancel_requested"]),
        ever_active=bool(row["ever_active"]),
        alignment_job_id=row["alignment_job_id"],
        alignment_status=_ALIGNMENT_STATUS[row["alignment_status"]],
        system_prompt=row["system_prompt"],
        system_prompt_updated_at=row["system_prompt_updated_at"],
        instructions=row["instructions"],
        instructions_updated_at=row["instructions_updated_at"],
        method=_METHOD[row["method"]],
        user_id=row["user_id"],
        team_id=row["team"],
        last_sequence=row["last_sequence"],
        earliest_sequence=row["earliest_sequence"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        external_id=row["external_id"],
        labels={} if row["labels"] == "{}" else json.loads(row["labels"]),
        origin_job_id=row["origin_job_id"],
        knowledge_base_id=row["knowledge_base_id"],
        data_source_id=row["data_source_id"],
        chunks_created=row["chunks_created"],
        priority=row["priority"],
        files_sequence=row["files_sequence"],
        deleted_at=row["deleted_at"],
        purge_at=row["purge_at"],
        purged_at=row["purged_at"],
        expired_outputs=row["expired_outputs"],
        archives=row["archives"],
    )


def changeable_job_columns(job: Job) -> dict[str, Any]:
    """The columns of a job that a transaction may change."""
    return {
        "name": job.name,
        "description": job.description,
        "system_prompt": job.system_prompt,
        "system_prompt_updated_at": job.system_prompt_updated_at,
        "instructions": job.instructions,
        "instructions_updated_at": job.instructions_updated_at,
        "labels": json.dumps(dict(job.labels)) if job.labels else "{}",
        "knowledge_base_id": job.knowledge_base_id,
        "deleted_at": job.deleted_at,
        "purge_at": job.purge_at,
        "status": str(job.status),
        "ever_active": int(job.ever_active),
        "alignment_job_id": job.alignment_job_id,
        "alignment_status": word_column(job.alignment_status),
        **job_count_columns(job),
        "settled": int(job.settled),
    }


def job_count_columns(job: Job) -> dict[str, Any]:
    """Those that nearly every transaction changes."""
    return {
        **tally_columns(job.tally),
        "markdown_files": job.markdown_files,
        "expired_outputs": job.expired_outputs,
        "archives": job.archives,
        "chunks_created": job.chunks_created,
        "cancel_requested": int(job.cancelled),
        "last_sequence": job.last_sequence,
        "files_sequence": job.files_sequence,
        "updated_at": job.updated_at,
    }


def job_columns(job: Job) -> dict[str, Any]:
    return {
        **changeable_job_columns(job),
        "job_id": job.job_id,
        "team": job.team_id,
        "user_id": job.user_id,
        "job_type": job.job_type,
        "method": job.method,
        "external_id": job.external_id,
        "origin_job_id": job.origin_job_id,
        "data_source_id": job.data_source_id,
        "priority": job.priority,
        "earliest_sequence": job.earliest_sequence,
        "created_at": job.created_at,
    }


def ingestion_job_of(row: Row) -> IngestionJob:
    return IngestionJob.trusted(
        row_id=row["id"],
        ingestion_job_id=row["ingestion_job_id"],
        job_id=row["job_id"],
        status=_INGESTION_JOB_STATUS[row["status"]],
        tally=tally_of(row),
        pages=row["pages"],
        bytes_in=row["bytes_in"],
        chunks_created=row["chunks_created"],
        knowledge_base_id=row["knowledge_base_id"],
        data_source_id=row["data_source_id"],
        error=error_of(row),
        created_at=row["created_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        last_sequence=row["last_sequence"],
    )


def ingestion_job_columns(job: IngestionJob) -> dict[str, Any]:
    """The columns of an ingestion job that a transaction's roll-up may change."""
    return {
        "status": str(job.status),
        **tally_columns(job.tally),
        "pages": job.pages,
        "bytes_in": job.bytes_in,
        "chunks_created": job.chunks_created,
        **error_columns(job.error),
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "last_sequence": job.last_sequence,
    }


def _metadata_of(column: str | None) -> DocumentMetadata | None:
    return None if column is None else DocumentMetadata.model_validate_json(column)


_SAME_IN_RECORDS = (
    *("record_id", "ingestion_job_id", "job_id", "file_id", "output_file_id", "user_id", "filename", "output_filename"),
    *("attempt", "failures", "orphaned_count", "next_attempt_at", "worker_id", "superseded_by", "output_expired_at"),
    *("reused_from", "parent_record_id", "member_count", "deleted_at", "created_at", "processing_at", "completed_at"),
    *("failed_at", "cancelled_at", "pages", "bytes_out", "chunks_created", "engine_job_id", "last_sequence"),
    "chunk_losses",
)
"""Columns that are fields of a record as they are."""

_same_in_records = itemgetter(*_SAME_IN_RECORDS)


def record_of(row: Row) -> FileRecord:
    engine = row["engine_name"]
    return FileRecord.trusted(
        **dict(zip(_SAME_IN_RECORDS, _same_in_records(row), strict=True)),
        row_id=row["id"],
        team_id=row["team"],
        method=_METHOD[row["method"]],
        engine=None if engine is None else Engine.trusted(name=engine, version=row["engine_version"]),
        status=_RECORD_STATUS[row["status"]],
        step=_STEP[row["step"]],
        error=error_of(row),
        warnings=texts_of(row["warnings"]),
        losses=texts_of(row["losses"]),
        wait_reason=_WAIT_REASON[row["wait_reason"]],
        image_file_ids=texts_of(row["image_file_ids"]),
        document_metadata=_metadata_of(row["document_metadata"]),
        metadata=json.loads(row["metadata"]) if row["metadata"] else {},
    )


def record_row_of(row: Row) -> RecordRow:
    return RecordRow(
        record=record_of(row),
        job_row=row["job"],
        ingestion_row=row["ingestion_job"],
        file_row=row["file"],
        source=row["source"],
        source_type=row["source_type"],
        bytes_in=row["bytes_in"],
        priority=row["priority"],
        fair_tag=row["fair_tag"],
        claimable=bool(row["claimable"]),
        replaces_row=row["replaces"],
        root_record_id=row["root_record_id"],
        archive_depth=row["archive_depth"],
        document_row=row["document"],
    )


def record_columns(record: FileRecord) -> dict[str, Any]:
    """The columns of a record that a transition may change."""
    engine, metadata = record.engine, record.document_metadata
    return {
        "status": str(record.status),
        "step": word_column(record.step),
        "engine_name": engine and engine.name,
        "engine_version": engine and engine.version,
        **error_columns(record.error),
        "warnings": texts_column(record.warnings),
        "losses": texts_column(record.losses),
        "chunk_losses": record.chunk_losses,
        "document_metadata": metadata and metadata.model_dump_json(exclude_none=True),
        "attempt": record.attempt,
        "failures": record.failures,
        "orphaned_count": record.orphaned_count,
        "next_attempt_at": record.next_attempt_at,
        "wait_reason": word_column(record.wait_reason),
        "worker_id": record.worker_id,
        "deleted_at": record.deleted_at,
        "processing_at": record.processing_at,
        "completed_at": record.completed_at,
        "failed_at": record.failed_at,
        "cancelled_at": record.cancelled_at,
        "pages": record.pages,
        "member_count": record.member_count,
        "image_file_ids": texts_column(record.image_file_ids),
        "bytes_out": record.bytes_out,
        "chunks_created": record.chunks_created,
        "engine_job_id": record.engine_job_id,
        "reused_from": record.reused_from,
        "last_sequence": record.last_sequence,
    }


def markdown_file_of(row: Row) -> JobFile:
    """A Markdown entry of a job's file list; viable at once, so its status is COMPLETED."""
    return JobFile(
        file_id=row["file_id"],
        name=row["filename"],
        content_type=row["content_type"],
        created_at=row["added_at"],
        status=RecordStatus.COMPLETED,
    )


def file_of(row: Row) -> File:
    return File.trusted(
        row_id=row["id"],
        blob_key=row["blob_key"] or "",
        file_id=row["file_id"],
        kind=_FILE_KIND[row["kind"]],
        filename=row["filename"],
        path=row["path"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        markdown=bool(row["markdown"]),
        user_id=row["user_id"],
        team_id=row["team"],
        created_at=row["created_at"],
        deleted_at=row["deleted_at"],
        external_id=row["external_id"],
        metadata={} if row["metadata"] == "{}" else json.loads(row["metadata"]),
        expires_at=row["expires_at"],
        import_source=_import_source_of(row),
        image_of=row["image_of"],
    )


def _import_source_of(row: Row) -> ImportSource | None:
    if row["import_url"] is None:
        return None
    return ImportSource(url=row["import_url"], etag=row["import_etag"], fetched_at=row["fetched_at"])


def upload_of(row: Row) -> Upload:
    """The blob and the row of its file come later: see service.uploads."""
    new = NewFile.model_validate({name: row[name] for name in NewFile.model_fields})
    return Upload(
        row_id=row["id"],
        upload_id=row["upload_id"],
        new=new,
        committed_bytes=row["committed_bytes"],
        file_id=row["file_id"],
        user_id=row["user_id"],
        team_id=row["team"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )


def file_columns(file: File, blob: int) -> dict[str, Any]:
    return {
        "file_id": file.file_id,
        "team": file.team_id,
        "user_id": file.user_id,
        "kind": str(file.kind),
        "filename": file.filename,
        "path": file.path,
        "content_type": file.content_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "markdown": int(file.markdown),
        "blob": blob,
        "created_at": file.created_at,
        "external_id": file.external_id,
        "import_url": file.import_source and file.import_source.url,
        "import_etag": file.import_source and file.import_source.etag,
        "image_of": file.image_of,
    }


def event_of(row: Row) -> TimelineEvent:
    return TimelineEvent(
        job_id=row["job_id"],
        sequence=row["sequence"],
        timestamp=row["timestamp"],
        type=EventType(row["type"]),
        message=row["message"],
        actor=row["actor"],
        trigger=row["trigger"],
        change=_CHANGE.validate_json(row["change"]),
    )


def feed_event_of(row: Row) -> FeedEvent:
    return FeedEvent(row_id=row["id"], job_row=row["job"], event=event_of(row))


def event_columns(event: TimelineEvent, job_row: int, team: str) -> dict[str, Any]:
    kind = event.kind
    return {
        "job": job_row,
        "sequence": event.sequence,
        "team": team,
        "timestamp": event.timestamp,
        "type": str(event.type),
        "milestone": int(kind is EventKind.MILESTONE),
        "in_feed": int(kind in FEED_KINDS),
        "message": event.message,
        "actor": event.actor,
        "trigger": word_column(event.trigger),
        "change": event.change.__pydantic_serializer__.to_json(event.change, exclude_defaults=True).decode(),
    }
