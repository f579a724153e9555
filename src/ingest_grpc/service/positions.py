"""What moves between two events: queue positions and the progress of running records.

At most one value per record and second reaches a watcher, and the newest wins. However many watch a job,
its queue is looked at once a second.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ingest_grpc.clock import Clock
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import AlignmentJob, AlignmentProgress, Job, RecordProgress
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import Position, Rows, Store

INTERVAL_SECONDS = 1.0
MAX_POSITIONS = 100
"""Queued records of one job whose positions are streamed: the first ones."""

MAX_RUNNING = 1_000


@dataclass(slots=True)
class ProgressCursor:
    """What one watcher has been told: positions, and versions on the board, by row."""

    told_at: float = float("-inf")
    positions: Mapping[int, int] = field(default_factory=dict)
    versions: Mapping[int, int] = field(default_factory=dict)
    alignment: AlignmentProgress | None = None

    @property
    def due(self) -> float:
        """When the watcher may be told again."""
        return self.told_at + INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved for one watcher."""

    records: tuple[RecordProgress, ...] = ()
    alignment: AlignmentProgress | None = None

    def __bool__(self) -> bool:
        return bool(self.records) or self.alignment is not None


NOTHING_MOVED = Movement()


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where the records of a job stand at one sequence: the attempts of running ones by row, and positions.

    `alignment` is the current one, `alignment_position` its place in the queue while it has one.
    """

    sequence: int
    running: Mapping[int, int]
    positions: Sequence[Position]
    alignment: AlignmentJob | None
    alignment_position: int | None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a job's queue, shared by all who watch the job."""

    began: float
    task: asyncio.Task[_Standing]


class ProgressFeed:
    """Tells each watcher what moved since it was last told."""

    def __init__(self, store: Store, board: ProgressBoard, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._looks: dict[int, _Look] = {}

    async def moved(self, job: Job, cursor: ProgressCursor) -> Movement:
        """What changed for a watcher that has every event up to `job.last_sequence`.

        Empty when nothing did, when it was told less than a second ago, or when there are newer events.
        """
        now = self._clock.monotonic()
        if now < cursor.due or not job.facts.in_flight:
            return NOTHING_MOVED
        standing = await self._standing(job.row_id, now)
        # Only what belongs to the very events that the watcher has: a record claimed since would move before
        # its event came, and one that ended would move after it.
        if standing.sequence != job.last_sequence:
            return NOTHING_MOVED
        running = [
            entry for entry in self._board.entries(job.row_id) if standing.running.get(entry.row_id) == entry.attempt
        ]
        records = (
            *(
                RecordProgress(entry.record_id, entry.step, entry.progress, step_started_at=entry.step_started_at)
                for entry in running
                if cursor.versions.get(entry.row_id) != entry.version
            ),
            *(
                RecordProgress(
                    one.record_id,
                    queue_position=one.position,
                    estimated_start_at=self._board.pace.estimated_start_at(one.position),
                )
                for one in standing.positions
                if cursor.positions.get(one.row_id) != one.position
            ),
        )
        cursor.versions = {entry.row_id: entry.version for entry in running}
        cursor.positions = {one.row_id: one.position for one in standing.positions}
        alignment = self._alignment(job.row_id, standing)
        told = Movement(records, alignment if alignment != cursor.alignment else None)
        cursor.alignment = alignment
        if told:
            cursor.told_at = now
        return told

    def _alignment(self, job_row: int, standing: _Standing) -> AlignmentProgress | None:
        """Where the job's alignment is: on the board while it runs, else in the queue."""
        if standing.alignment is None:
            return None
        if standing.alignment_position is not None:
            name = standing.alignment.alignment_job_id
            return AlignmentProgress(name, queue_position=standing.alignment_position)
        return self._board.alignments.of(job_row, standing.alignment)

    async def _standing(self, job_row: int, now: float) -> _Standing:
        look = self._looks.get(job_row)
        if look is None or now - look.began >= INTERVAL_SECONDS:
            task = asyncio.create_task(self._store.read(partial(_standing_of, job_row=job_row)))
            look = self._looks[job_row] = _Look(now, task)
            task.add_done_callback(partial(self._looked, job_row))
        return await asyncio.shield(look.task)

    def _looked(self, job_row: int, task: "asyncio.Task[_Standing]") -> None:
        """A look that failed is not kept: the next watcher looks again."""
        look = self._looks.get(job_row)
        if not task.cancelled() and task.exception() is not None and look is not None and look.task is task:
            del self._looks[job_row]

    def forget(self, job_row: int) -> None:
        """Nobody watches the job any more."""
        self._looks.pop(job_row, None)


async def _standing_of(rows: Rows, job_row: int) -> _Standing:
    job = await rows.job_by_row(job_row)
    running = await rows.records(job_row=job_row, statuses=(RecordStatus.RUNNING,), limit=MAX_RUNNING)
    positions = await rows.positions(job_row, MAX_POSITIONS) if job.tally.queued else ()
    attempts = {row.record.row_id: row.record.attempt for row in running}
    aligned = await rows.current_alignment(job_row)
    if aligned is None:
        return _Standing(job.last_sequence, attempts, positions, None, None)
    position = await rows.alignment_position(aligned)
    return _Standing(job.last_sequence, attempts, positions, aligned.alignment, position)
