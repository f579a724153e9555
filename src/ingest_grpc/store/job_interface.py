"""The part of store.interface that finds the jobs of lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.model import JobFilter


@dataclass(frozen=True, slots=True)
class JobHead:
    """A job's place in a list, and its version: nothing that callers see of it changes without one of the last two."""

    row_id: int
    created_at: int
    last_sequence: int
    updated_at: int


JobCursor = tuple[str | int, int]
"""Where a list of jobs goes on: the value it is ordered by, and the row."""

FoundJob = tuple[JobHead, JobCursor]
"""A job of a list, and where the list goes on behind it."""


class JobSearchRows(Protocol):
    """Lists of jobs without the jobs: some hundred of them may take more memory than a server has."""

    async def jobs_newest(
        self, team: str, statuses: Sequence[JobStatus], before: int | None, limit: int
    ) -> list[JobHead]: ...
    async def jobs_where(
        self, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
    ) -> tuple[list[FoundJob], JobCursor | None]:
        """Jobs that pass the filter, in its order, after a cursor.

        The cost is bounded: after so many rows that did not pass the page ends early, perhaps empty. The
        cursor is where to go on, None at the end.
        """
        ...

    async def count_jobs_where(self, team: str, wanted: JobFilter, limit: int) -> int:
        """How many jobs pass the filter, at most `limit`, among as many rows as a page may look at."""
        ...
