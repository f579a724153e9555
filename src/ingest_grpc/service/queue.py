"""The fair queue as a number: a record's place is its `fair_tag` within its priority.

Start-time fair queueing: each team's records are STEP apart, beginning at the greatest tag claimed so far
(the virtual time) or behind the team's own last queued record. So a team that arrives late is served next
to one that queued thousands before, and the claim order is the order of an index.
"""

from dataclasses import dataclass

from ingest_grpc.store.interface import Tx

STEP = 1 << 20
"""Distance of two records of a team of weight 1."""


@dataclass(slots=True)
class QueueTail:
    """Where a team's next records of one priority stand in the queue."""

    last: int

    @classmethod
    async def of(cls, tx: Tx, team: str, priority: int) -> "QueueTail":
        own = await tx.greatest_queued_tag(team, priority)
        return cls(max(await tx.virtual_time(priority), own or 0))

    def next(self) -> int:
        """The tag of the team's next record."""
        self.last += STEP
        return self.last


async def exceeds_queue(tx: Tx, team: str, queued: int, max_queued: int | None) -> bool:
    """Whether a team has too many files in the queue; `queued` is how many this transaction put there.

    To be asked once they are there: before that it is not known which files need no work.
    """
    if max_queued is None or not queued:
        return False
    return await tx.count_queued(team, max_queued + 1) > max_queued
