"""Jobs as a watch would bring them, for tests of what is shown."""

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.client.messages import (
    File,
    FileRecord,
    Job,
    RecordChange,
    RecordError,
    RecordProgress,
    RecordStatus,
    Step,
    TimelineEvent,
    UnitProgress,
    WatchJobResponse,
    WatchProgress,
    WatchRecords,
    WatchSnapshot,
)
from ingest_grpc.client.state import JobState

START = 1_700_000_000


def at(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(round((START + seconds) * 1_000_000))
    return stamp


def queued(name: str, *, attempt: int = 0, retry: str = "") -> FileRecord:
    record = FileRecord(
        record_id=f"ijf-{name}",
        file_id=f"file-{name}",
        output_file_id=f"md-file-{name}",
        filename=name,
        status=RecordStatus.RECORD_STATUS_QUEUED,
        attempt=attempt,
        created_at=at(0),
    )
    if retry:
        record.error.message = retry
    return record


def running(name: str, *, attempt: int = 1) -> FileRecord:
    record = queued(name, attempt=attempt)
    record.status = RecordStatus.RECORD_STATUS_RUNNING
    record.processing_at.CopyFrom(at(1))
    return record


def completed(name: str, *, pages: int | None = None, size: int = 1_400, seconds: float = 0.8) -> FileRecord:
    record = running(name)
    record.status = RecordStatus.RECORD_STATUS_COMPLETED
    record.completed_at.CopyFrom(at(1 + seconds))
    record.bytes_out = size
    if pages is not None:
        record.pages = pages
    return record


def failed(
    name: str, message: str = "The file appears to be empty.", fix: str = "Upload a file with content."
) -> FileRecord:
    record = running(name)
    record.status = RecordStatus.RECORD_STATUS_FAILED
    record.failed_at.CopyFrom(at(1.2))
    record.error.CopyFrom(RecordError(message=message, suggested_fix=fix))
    return record


def snapshot(*records: FileRecord) -> list[WatchJobResponse]:
    """The messages of a watch that begins with these records."""
    job = Job(job_id="dj-1", name="reports")
    return [
        WatchJobResponse(snapshot=WatchSnapshot(job=job)),
        WatchJobResponse(records=WatchRecords(records=records)),
    ]


def changed(record: FileRecord, sequence: int) -> WatchJobResponse:
    """The message that brings a record's change."""
    copy = FileRecord.FromString(record.SerializeToString())
    copy.last_sequence = sequence
    event = TimelineEvent(sequence=sequence, timestamp=at(2), record_change=RecordChange(record=copy))
    return WatchJobResponse(sequence=sequence, event=event)


def progress(name: str, *, position: int | None = None, done: int = 0, total: int = 0) -> WatchJobResponse:
    """The message that brings a record's progress."""
    each = RecordProgress(record_id=f"ijf-{name}", queue_position=position)
    if position is None:
        each.step = Step.STEP_PARSE
        each.progress.CopyFrom(UnitProgress(units_done=done, units_total=total, unit="pages"))
    return WatchJobResponse(progress=WatchProgress(records=[each]))


def state_of(*messages: WatchJobResponse) -> JobState:
    """The state after these messages."""
    state = JobState()
    for message in messages:
        state.apply(message)
    return state


def stored(name: str, size: int = 10) -> File:
    """An uploaded file."""
    return File(file_id=f"file-{name}", filename=name, size_bytes=size)
