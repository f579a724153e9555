"""Short ways to write the messages of a watch."""

from collections.abc import Iterable

from ingest_grpc.client.messages import (
    FileRecord,
    Job,
    MilestoneDetail,
    RecordChange,
    RecordStatus,
    TimelineEvent,
    WatchEnd,
    WatchEndReason,
    WatchHeartbeat,
    WatchJobResponse,
    WatchProgress,
    WatchRecords,
    WatchSnapshot,
    WatchSynced,
)

LEDGER = "ledger-1"
_UNSPECIFIED = WatchEndReason.WATCH_END_REASON_UNSPECIFIED


def snapshot(sequence: int, ledger_id: str = LEDGER) -> WatchJobResponse:
    job = Job(job_id="dj-1", last_sequence=sequence)
    return WatchJobResponse(sequence=sequence, snapshot=WatchSnapshot(job=job, ledger_id=ledger_id))


def records(sequence: int, items: Iterable[FileRecord] = ()) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, records=WatchRecords(records=items))


def synced(sequence: int) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, synced=WatchSynced())


def event(sequence: int, record: FileRecord | None = None) -> WatchJobResponse:
    change = None if record is None else RecordChange(record=record)
    return WatchJobResponse(sequence=sequence, event=TimelineEvent(sequence=sequence, record_change=change))


def milestone(sequence: int) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, event=TimelineEvent(sequence=sequence, milestone=MilestoneDetail()))


def heartbeat(sequence: int, ledger_id: str = LEDGER) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, heartbeat=WatchHeartbeat(head_sequence=sequence, ledger_id=ledger_id))


def progress(sequence: int) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, progress=WatchProgress())


def end(sequence: int, reason: WatchEndReason.ValueType = _UNSPECIFIED) -> WatchJobResponse:
    job = Job(job_id="dj-1", last_sequence=sequence)
    return WatchJobResponse(sequence=sequence, end=WatchEnd(job=job, reason=reason))


def record(record_id: str, status: str, sequence: int, *, deleted: bool = False) -> FileRecord:
    return FileRecord(
        record_id=record_id,
        status=RecordStatus.Value(f"RECORD_STATUS_{status}"),
        last_sequence=sequence,
        deleted=deleted,
    )
