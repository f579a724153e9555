"""Whose fault it was that an attempt ended, and whether another follows: one decision for records and alignments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ingest_grpc.errors import CATALOGUE, Reason


class Attempted(Protocol):
    """What is tried again and again: a record or an alignment."""

    @property
    def failures(self) -> int:
        """Attempts that ended by its own fault."""
        ...

    @property
    def orphaned_count(self) -> int:
        """Attempts that ended through no fault of its own."""
        ...


def outages_or_failures(tried: Attempted, reason: Reason) -> int:
    """How often it ended in the same way before; the back-off doubles with each."""
    return tried.orphaned_count if CATALOGUE[reason].outage else tried.failures


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often something is tried before it is FAILED.

    `max_failures` attempts may end by its own fault; and `max_orphaned` through none of its own: with its worker,
    or with an outage of the service. The second is a bound against trying for ever, so it is a large one.
    """

    max_failures: int
    max_orphaned: int

    def counts_after(self, tried: Attempted, reason: Reason) -> Mapping[str, Any]:
        """Both counters after an attempt that ended with `reason`, as changes of the row."""
        outage = int(CATALOGUE[reason].outage)
        return {"failures": tried.failures + 1 - outage, "orphaned_count": tried.orphaned_count + outage}

    def leave_another(self, counts: Mapping[str, Any]) -> bool:
        """Whether another attempt follows."""
        return bool(counts["failures"] < self.max_failures and counts["orphaned_count"] <= self.max_orphaned)
