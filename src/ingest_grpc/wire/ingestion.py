"""Ingestion jobs and their records as messages."""

from ingest_grpc import model
from ingest_grpc.lifecycle import Step
from ingest_grpc.v1 import ingestion_pb2
from ingest_grpc.wire.enums import ERROR_REASON, INGESTION_JOB_STATUS, METHOD, RECORD_STATUS, STEP, WAIT_REASON
from ingest_grpc.wire.times import set_time

_RECORD_TIMES = (
    "next_attempt_at",
    "output_expired_at",
    "deleted_at",
    "processing_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
)


def record_error(value: model.RecordError) -> ingestion_pb2.RecordError:
    """A RecordError message."""
    return ingestion_pb2.RecordError(
        reason=ERROR_REASON.numbers[value.reason],
        message=value.message,
        suggested_fix=value.suggested_fix,
        step=STEP.numbers[value.step],
        retryable=value.retryable,
        detail=value.detail,
    )


def engine(value: model.Engine) -> ingestion_pb2.Engine:
    """An Engine message."""
    return ingestion_pb2.Engine(name=value.name, version=value.version)


def unit_progress(value: model.UnitProgress) -> ingestion_pb2.UnitProgress:
    """A UnitProgress message."""
    return ingestion_pb2.UnitProgress(units_done=value.units_done, units_total=value.units_total, unit=value.unit)


def document_metadata(value: model.DocumentMetadata) -> ingestion_pb2.DocumentMetadata:
    """A DocumentMetadata message."""
    return ingestion_pb2.DocumentMetadata(title=value.title, author=value.author, language=value.language)


def loss_steps(value: model.FileRecord | model.DocumentView) -> list[ingestion_pb2.Step.ValueType]:
    """The step of each loss, in their order."""
    chunks = value.chunk_losses
    return [STEP.numbers[Step.PARSE]] * (len(value.losses) - chunks) + [STEP.numbers[Step.EMBED]] * chunks


def record(value: model.FileRecord) -> ingestion_pb2.FileRecord:
    """A FileRecord message; what the record does not have stays unset."""
    message = ingestion_pb2.FileRecord(
        record_id=value.record_id,
        ingestion_job_id=value.ingestion_job_id,
        job_id=value.job_id,
        file_id=value.file_id,
        output_file_id=value.output_file_id,
        user_id=value.user_id,
        team_id=value.team_id,
        filename=value.filename,
        output_filename=value.output_filename,
        method=METHOD.numbers[value.method],
        engine=engine(value.engine) if value.engine else None,
        status=RECORD_STATUS.numbers[value.status],
        step=STEP.numbers[value.step],
        queue_position=value.queue_position,
        error=record_error(value.error) if value.error else None,
        warnings=value.warnings,
        losses=value.losses,
        loss_steps=loss_steps(value),
        attempt=value.attempt,
        failures=value.failures,
        orphaned_count=value.orphaned_count,
        wait_reason=WAIT_REASON.numbers[value.wait_reason],
        worker_id=value.worker_id,
        superseded_by=value.superseded_by,
        reused_from=value.reused_from,
        parent_record_id=value.parent_record_id,
        member_count=value.member_count,
        image_file_ids=value.image_file_ids,
        deleted=value.deleted,
        progress=unit_progress(value.progress) if value.progress else None,
        pages=value.pages,
        document_metadata=document_metadata(value.document_metadata) if value.document_metadata else None,
        bytes_out=value.bytes_out,
        chunks_created=value.chunks_created,
        engine_job_id=value.engine_job_id,
        last_sequence=value.last_sequence,
    )
    if value.metadata:
        message.metadata.update(dict(value.metadata))
    set_time(message.estimated_start_at, value.estimated_start_at)
    set_time(message.created_at, value.created_at)
    for name in _RECORD_TIMES:
        if (microseconds := getattr(value, name)) is not None:
            set_time(getattr(message, name), microseconds)
    return message


def ingestion_job(value: model.IngestionJob) -> ingestion_pb2.IngestionJob:
    """An IngestionJob message without its records: what a reply may hold of them is counted in bytes elsewhere."""
    message = ingestion_pb2.IngestionJob(
        ingestion_job_id=value.ingestion_job_id,
        job_id=value.job_id,
        status=INGESTION_JOB_STATUS.numbers[value.status],
        file_ids=value.file_ids,
        output_file_ids=value.output_file_ids,
        documents_total=value.tally.total,
        documents_processed=value.tally.completed,
        documents_failed=value.tally.failed,
        documents_cancelled=value.tally.cancelled,
        pages=value.pages,
        bytes_in=value.bytes_in,
        chunks_created=value.chunks_created,
        knowledge_base_id=value.knowledge_base_id,
        data_source_id=value.data_source_id,
        error=record_error(value.error) if value.error else None,
        last_sequence=value.last_sequence,
    )
    set_time(message.created_at, value.created_at)
    if value.started_at is not None:
        set_time(message.started_at, value.started_at)
    if value.completed_at is not None:
        set_time(message.completed_at, value.completed_at)
    return message
