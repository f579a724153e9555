"""What running records are doing right now: in memory only, newest wins, gone with the server.

Progress is never an event: losing it loses nothing, and a watcher sees at most one value a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ingest_grpc.lifecycle import RecordStatus, Step
from ingest_grpc.model import FileRecord, UnitProgress


@dataclass(frozen=True, slots=True)
class RunningProgress:
    """Where one running record is. `version` rises with every change on the board."""

    row_id: int
    record_id: str
    attempt: int
    step: Step
    progress: UnitProgress | None
    version: int


class ProgressBoard:
    """The newest progress of every running record, by job."""

    def __init__(self) -> None:
        self._version = 0
        self._jobs: dict[int, dict[int, RunningProgress]] = {}
        self._records: dict[int, RunningProgress] = {}

    def report(self, job_row: int, record: FileRecord, step: Step, progress: UnitProgress | None = None) -> None:
        known = self._records.get(record.row_id)
        if known is not None and known.attempt > record.attempt:
            return  # an old attempt that does not know yet that it lost its record
        self._version += 1
        entry = RunningProgress(record.row_id, record.record_id, record.attempt, step, progress, self._version)
        self._jobs.setdefault(job_row, {})[record.row_id] = entry
        self._records[record.row_id] = entry

    def forget(self, job_row: int, record: FileRecord) -> None:
        """The attempt ended, one way or the other; what a later one shows stays."""
        known = self._records.get(record.row_id)
        if known is None or known.attempt != record.attempt:
            return
        del self._records[record.row_id]
        records = self._jobs.get(job_row)
        if records is not None:
            records.pop(record.row_id, None)
            if not records:
                del self._jobs[job_row]

    def entries(self, job_row: int) -> Iterable[RunningProgress]:
        """What is known of a job's running records; a moment too early or too late for what is committed."""
        return self._jobs.get(job_row, {}).values()

    def overlay(self, record: FileRecord) -> FileRecord:
        """A running record with its step and progress."""
        entry = self._records.get(record.row_id)
        if entry is None or record.status is not RecordStatus.RUNNING or entry.attempt != record.attempt:
            return record
        return record.model_copy(update={"step": entry.step, "progress": entry.progress})
