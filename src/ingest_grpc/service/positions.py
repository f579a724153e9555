"""What moves between two events: queue positions and the progress of running records.

At most one value per record and second reaches a watcher, and the newest wins. However many watch a job,
its positions are counted once a second.
"""

from dataclasses import dataclass, field

from ingest_grpc.clock import Clock
from ingest_grpc.model import Job, RecordProgress
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import Position, Store

INTERVAL_SECONDS = 1.0
MAX_POSITIONS = 100
"""Queued records of one job whose positions are streamed: the first ones."""


@dataclass(slots=True)
class ProgressCursor:
    """What one watcher has been told."""

    interval_seconds: float = INTERVAL_SECONDS
    version: int = 0
    told_at: float = float("-inf")
    positions: dict[int, int] = field(default_factory=dict)


class ProgressFeed:
    """Tells each watcher what moved since it was last told."""

    def __init__(self, store: Store, board: ProgressBoard, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._counted: dict[int, tuple[float, list[Position]]] = {}

    async def moved(self, job: Job, cursor: ProgressCursor) -> tuple[RecordProgress, ...]:
        """What changed for this watcher; empty when nothing did, or when it was told less than a second ago."""
        now = self._clock.monotonic()
        if now - cursor.told_at < INTERVAL_SECONDS:
            return ()
        version = self._board.version
        running = [
            RecordProgress(entry.record_id, entry.step, entry.progress)
            for entry in self._board.changes(job.row_id, cursor.version)
        ]
        positions = await self._positions(job, now)
        queued = [
            RecordProgress(one.record_id, queue_position=one.position)
            for one in positions
            if cursor.positions.get(one.row_id) != one.position
        ]
        cursor.version = version
        cursor.positions = {one.row_id: one.position for one in positions}
        if running or queued:
            cursor.told_at = now
        return (*running, *queued)

    async def _positions(self, job: Job, now: float) -> list[Position]:
        if not job.tally.queued:
            return []
        counted = self._counted.get(job.row_id)
        if counted is None or now - counted[0] >= INTERVAL_SECONDS:
            positions = await self._store.read(lambda rows: rows.positions(job.row_id, MAX_POSITIONS))
            counted = self._counted[job.row_id] = (now, positions)
        return counted[1]

    def forget(self, job_row: int) -> None:
        """Nobody watches the job any more."""
        self._counted.pop(job_row, None)
