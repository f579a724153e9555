"""The events of one job under change: numbered as they happen, written when the change is complete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import EVENT_TYPES, Change, EventType, Job, TimelineEvent
from ingest_grpc.store.interface import Tx


@dataclass(frozen=True, slots=True)
class Pending:
    """An event whose number is assigned and whose content may depend on how the transaction ends."""

    sequence: int
    type: EventType
    trigger: Trigger | None
    change: Callable[[], Change]
    words: dict[str, Any]


class Journal:
    """A job, what it has become so far, and the events that say so. What a ledger of jobs is built on."""

    def __init__(self, tx: Tx, job: Job, now: int, actor: str) -> None:
        # Time stands still rather than running back when the clock does: an event is never before its predecessor.
        self.now = max(now, job.updated_at)
        self.job = job.model_copy()  # a draft of our own, see _set
        self.tx = tx
        self.actor = actor
        self._pending: list[Pending] = []

    def _set(self, **changes: Any) -> None:
        """Changes the draft in place: it leaves the ledger only once nothing changes any more."""
        self.job.__dict__.update(changes)

    def _next_sequence(self) -> int:
        sequence = self.job.last_sequence + 1
        self._set(last_sequence=sequence)
        return sequence

    def _append(
        self, type_: EventType, change: Callable[[], Change], trigger: Trigger | None = None, **words: Any
    ) -> int:
        sequence = self._next_sequence()
        self._pending.append(Pending(sequence, type_, trigger, change, words))
        return sequence

    def _event(self, pending: Pending) -> TimelineEvent:
        return TimelineEvent.trusted(
            job_id=self.job.job_id,
            sequence=pending.sequence,
            timestamp=self.now,
            type=pending.type,
            message=EVENT_TYPES[pending.type].message.format_map(pending.words),
            actor=self.actor,
            trigger=pending.trigger,
            change=pending.change(),
        )


def words_of(status: str) -> str:
    """A status as a sentence has it."""
    return status.lower().replace("_", " ")
