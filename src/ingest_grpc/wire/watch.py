"""The messages of a watch, each as the bytes of a complete WatchJobResponse.

`sequence` is always the one up to which everything wanted was sent. Bytes, because one event goes to many watchers
and is encoded for all of them once.
"""

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message

from ingest_grpc import model
from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.v1 import job_service_pb2
from ingest_grpc.v1.job_service_pb2 import WatchJobResponse
from ingest_grpc.wire.alignments import alignment_job, alignment_progress
from ingest_grpc.wire.enums import JOB_STATUS, STEP, WATCH_END_REASON
from ingest_grpc.wire.events import event
from ingest_grpc.wire.ingestion import ingestion_job, record, unit_progress
from ingest_grpc.wire.jobs import basic_job, job_file
from ingest_grpc.wire.times import set_time

MAX_RECORDS_BYTES = 1024 * 1024
"""Most bytes of one WatchRecords message."""

_OVERHEAD = 8
"""Bytes that a repeated message takes beside its own, at most: one for the tag, the rest for the length."""


def event_bytes(value: model.TimelineEvent) -> bytes:
    """One event; its sequence is the message's."""
    # A milestone's metadata is a map, whose order otherwise differs from process to process: an event has the
    # same bytes before and after a restart.
    return WatchJobResponse(sequence=value.sequence, event=event(value)).SerializeToString(deterministic=True)


def snapshot(job: model.Job, ledger_id: str, now: int) -> bytes:
    """The job as it stands at its last sequence. `now` is the server's time in microseconds."""
    message = job_service_pb2.WatchSnapshot(job=basic_job(job), ledger_id=ledger_id)
    set_time(message.server_time, now)
    return WatchJobResponse(sequence=job.last_sequence, snapshot=message).SerializeToString()


def records(
    sequence: int,
    *,
    records: Sequence[model.FileRecord] = (),
    ingestion_jobs: Sequence[model.IngestionJob] = (),
    files: Sequence[model.JobFile] = (),
    alignment: model.AlignmentJob | None = None,
) -> Iterator[bytes]:
    """A part of a snapshot, in as many messages of at most 1 MiB as it needs, made one by one."""
    part = WatchJobResponse(sequence=sequence)
    if alignment is not None:
        part.records.alignment_job.CopyFrom(alignment_job(alignment))
        yield part.SerializeToString()
        part = WatchJobResponse(sequence=sequence)
    size = 0
    for field, message in _snapshot_parts(records, ingestion_jobs, files):
        message_size = message.ByteSize() + _OVERHEAD
        if size and size + message_size > MAX_RECORDS_BYTES - 2 * _OVERHEAD:
            yield part.SerializeToString()
            part, size = WatchJobResponse(sequence=sequence), 0
        getattr(part.records, field).append(message)
        size += message_size
    if size:
        yield part.SerializeToString()


def _snapshot_parts(
    records: Sequence[model.FileRecord], ingestion_jobs: Sequence[model.IngestionJob], files: Sequence[model.JobFile]
) -> Iterator[tuple[str, Message]]:
    for value in ingestion_jobs:
        yield "ingestion_jobs", ingestion_job(value)
    for entry in records:
        yield "records", record(entry)
    for line in files:
        yield "files", job_file(line)


def synced(sequence: int) -> bytes:
    """The end of the snapshot."""
    return WatchJobResponse(sequence=sequence, synced=job_service_pb2.WatchSynced()).SerializeToString()


def progress(
    sequence: int, moved: Sequence[model.RecordProgress], alignment: model.AlignmentProgress | None = None
) -> bytes:
    """Where records and the alignment are now."""
    message = job_service_pb2.WatchProgress(
        records=map(_record_progress, moved), alignment=alignment_progress(alignment) if alignment else None
    )
    return WatchJobResponse(sequence=sequence, progress=message).SerializeToString()


def _record_progress(value: model.RecordProgress) -> job_service_pb2.RecordProgress:
    message = job_service_pb2.RecordProgress(
        record_id=value.record_id,
        step=STEP.numbers[value.step],
        progress=unit_progress(value.progress) if value.progress else None,
        queue_position=value.queue_position,
    )
    set_time(message.estimated_start_at, value.estimated_start_at)
    set_time(message.step_started_at, value.step_started_at)
    return message


def heartbeat(
    sequence: int, *, head_sequence: int, earliest_sequence: int, status: JobStatus, ledger_id: str, now: int
) -> bytes:
    """A sign of life. `status` is the job's at the head, `now` the server's time in microseconds."""
    message = job_service_pb2.WatchHeartbeat(
        head_sequence=head_sequence,
        earliest_sequence=earliest_sequence,
        status=JOB_STATUS.numbers[status],
        ledger_id=ledger_id,
    )
    set_time(message.server_time, now)
    return WatchJobResponse(sequence=sequence, heartbeat=message).SerializeToString()


def end(sequence: int, reason: model.WatchEndReason, job: model.Job) -> bytes:
    """The last message of a watch that ends with OK."""
    message = job_service_pb2.WatchEnd(reason=WATCH_END_REASON.numbers[reason], job=basic_job(job))
    return WatchJobResponse(sequence=sequence, end=message).SerializeToString()
