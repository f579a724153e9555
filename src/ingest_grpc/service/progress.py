"""What running records are doing right now: in memory only, newest wins, gone with the server.

Progress is never an event: losing it loses nothing, and a watcher sees at most one value a second.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ingest_grpc.clock import MICROSECONDS, Clock, SystemClock
from ingest_grpc.lifecycle import RecordStatus, Step
from ingest_grpc.model import AlignmentJob, AlignmentProgress, FileRecord, UnitProgress
from ingest_grpc.telemetry.instruments import STEP_SECONDS

PACE_RECORDS = 500
PACE_MIN_RECORDS = 3
PACE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class RunningProgress:
    """Where one running record is, and since when its step runs, by the wall clock and by the monotonic one. `version`
    rises with every change on the board."""

    row_id: int
    record_id: str
    attempt: int
    step: Step
    progress: UnitProgress | None
    version: int
    step_started_at: int
    step_began: float


class Pace:
    """How fast records end, over the last few minutes: what an estimate is made of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended: deque[float] = deque(maxlen=PACE_RECORDS)

    def note(self) -> None:
        """A record ended."""
        self._ended.append(self._clock.monotonic())

    def estimated_start_at(self, position: int) -> int | None:
        """When a record at this queue position will probably be claimed; None where too few ended lately to tell."""
        now = self._clock.monotonic()
        ended = [moment for moment in self._ended if now - moment <= PACE_SECONDS]
        if len(ended) < PACE_MIN_RECORDS or now <= ended[0]:
            return None
        seconds = position * (now - ended[0]) / len(ended)
        return self._clock.now() + round(seconds * MICROSECONDS)


@dataclass(frozen=True, slots=True)
class RunningAlignment:
    """Where one running alignment is."""

    row_id: int
    attempt: int
    progress: AlignmentProgress


class AlignmentBoard:
    """The newest progress of every running alignment, by job: a job has at most one."""

    def __init__(self) -> None:
        self._jobs: dict[int, RunningAlignment] = {}

    def report(self, job_row: int, alignment: AlignmentJob, progress: AlignmentProgress) -> None:
        known = self._jobs.get(job_row)
        if known is not None and known.row_id == alignment.row_id and known.attempt > alignment.attempt:
            return  # an old attempt that does not know yet that it lost its alignment
        self._jobs[job_row] = RunningAlignment(alignment.row_id, alignment.attempt, progress)

    def forget(self, job_row: int, alignment: AlignmentJob) -> None:
        """The attempt ended, one way or the other; a newer one stays."""
        known = self._jobs.get(job_row)
        if known is not None and (known.row_id, known.attempt) == (alignment.row_id, alignment.attempt):
            del self._jobs[job_row]

    def of(self, job_row: int, alignment: AlignmentJob) -> AlignmentProgress | None:
        """What is known of this very attempt, None unless it runs."""
        known = self._jobs.get(job_row)
        current = known is not None and (known.row_id, known.attempt) == (alignment.row_id, alignment.attempt)
        return known.progress if known and current and alignment.status is RecordStatus.RUNNING else None


class ProgressBoard:
    """The newest progress of every running record, by job, and the pace of all."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.pace = Pace(self._clock)
        self._version = 0
        self._jobs: dict[int, dict[int, RunningProgress]] = {}
        self._records: dict[int, RunningProgress] = {}
        self.alignments = AlignmentBoard()

    def report(self, job_row: int, record: FileRecord, step: Step, progress: UnitProgress | None = None) -> None:
        known = self._records.get(record.row_id)
        if known is not None and known.attempt > record.attempt:
            return  # an old attempt that does not know yet that it lost its record
        self._version += 1
        if known is not None and (known.attempt, known.step) == (record.attempt, step):
            since = known.step_started_at, known.step_began
        else:
            self._step_ended(known)
            since = self._clock.now(), self._clock.monotonic()
        entry = RunningProgress(record.row_id, record.record_id, record.attempt, step, progress, self._version, *since)
        self._jobs.setdefault(job_row, {})[record.row_id] = entry
        self._records[record.row_id] = entry

    def forget(self, job_row: int, record: FileRecord) -> None:
        """The attempt ended, one way or the other; what a later one shows stays."""
        known = self._records.get(record.row_id)
        if known is None or known.attempt != record.attempt:
            return
        del self._records[record.row_id]
        self._step_ended(known)
        records = self._jobs.get(job_row)
        if records is not None:
            records.pop(record.row_id, None)
            if not records:
                del self._jobs[job_row]

    def _step_ended(self, known: RunningProgress | None) -> None:
        if known is not None:
            STEP_SECONDS.labels(known.step).observe(self._clock.monotonic() - known.step_began)

    def entries(self, job_row: int) -> Iterable[RunningProgress]:
        """What is known of a job's running records; a moment too early or too late for what is committed."""
        return self._jobs.get(job_row, {}).values()

    def overlay(self, record: FileRecord) -> FileRecord:
        """A running record with its step and progress."""
        entry = self._records.get(record.row_id)
        if entry is None or record.status is not RecordStatus.RUNNING or entry.attempt != record.attempt:
            return record
        return record.model_copy(update={"step": entry.step, "progress": entry.progress})
