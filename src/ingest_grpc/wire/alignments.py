"""Alignments as messages."""

from collections.abc import Mapping

from ingest_grpc import model
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.v1 import alignment_pb2, job_service_pb2
from ingest_grpc.wire.enums import ALIGNMENT_ENGINE, ALIGNMENT_STEP, RECORD_STATUS, WAIT_REASON
from ingest_grpc.wire.ingestion import record_error
from ingest_grpc.wire.times import set_time

_TIMES = ("eta", "next_attempt_at", "started_at", "completed_at", "failed_at", "cancelled_at", "retired_at")

_STATUS_MESSAGES: Mapping[RecordStatus, str] = {
    RecordStatus.QUEUED: "It waits for a worker.",
    RecordStatus.RUNNING: "The dataset is being made.",
    RecordStatus.COMPLETED: "The dataset has {examples} line(s) of {sections} section(s).",
    RecordStatus.FAILED: "It failed: {error}",
    RecordStatus.CANCELLED: "It was cancelled.",
}


def alignment_job(value: model.AlignmentJob) -> alignment_pb2.AlignmentJob:
    """An AlignmentJob message; what the alignment does not have stays unset."""
    totals = value.totals
    message = alignment_pb2.AlignmentJob(
        alignment_job_id=value.alignment_job_id,
        job_id=value.job_id,
        engine=ALIGNMENT_ENGINE.numbers[value.engine],
        engine_version=value.engine_version,
        status=RECORD_STATUS.numbers[value.status],
        current_step=ALIGNMENT_STEP.numbers[value.current_step],
        progress=value.progress,
        step_progress=value.step_progress,
        status_message=status_message(value),
        error=record_error(value.error) if value.error else None,
        output_file_ids=value.output_file_ids,
        attempt=value.attempt,
        failures=value.failures,
        orphaned_count=value.orphaned_count,
        wait_reason=WAIT_REASON.numbers[value.wait_reason],
        worker_id=value.worker_id,
        queue_position=value.queue_position,
        user_id=value.user_id,
        sections=totals.sections,
        examples=totals.examples,
        prompt_tokens=totals.prompt_tokens,
        completion_tokens=totals.completion_tokens,
        sections_lost=totals.sections_lost,
        losses=totals.losses,
        last_sequence=value.last_sequence,
    )
    set_time(message.created_at, value.created_at)
    for name in _TIMES:
        if (microseconds := getattr(value, name)) is not None:
            set_time(getattr(message, name), microseconds)
    return message


def status_message(value: model.AlignmentJob) -> str:
    """The status in a sentence."""
    if value.status is RecordStatus.QUEUED and value.error is not None:
        return f"It will be tried again: {value.error.message}"
    return _STATUS_MESSAGES[value.status].format(
        examples=value.totals.examples,
        sections=value.totals.sections,
        error=value.error.message if value.error else "",
    )


def alignment_progress(value: model.AlignmentProgress) -> job_service_pb2.AlignmentProgress:
    """An AlignmentProgress message."""
    message = job_service_pb2.AlignmentProgress(
        alignment_job_id=value.alignment_job_id,
        current_step=ALIGNMENT_STEP.numbers[value.current_step],
        progress=value.progress,
        step_progress=value.step_progress,
        queue_position=value.queue_position,
    )
    if value.eta is not None:
        set_time(message.eta, value.eta)
    return message
