"""The events of one job under change: numbered as they happen, written when the change is complete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import EVENT_TYPES, Change, EventType, Job, TimelineEvent
from ingest_grpc.store.interface import Tx


@dataclass(slots=True)
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
        self._pending: list[Pending | TimelineEvent] = []

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

    def _happened(
        self, sequence: int, type_: EventType, trigger: Trigger | None, change: Change, words: dict[str, Any]
    ) -> TimelineEvent:
        return TimelineEvent.trusted(
            job_id=self.job.job_id,
            sequence=sequence,
            timestamp=self.now,
            type=type_,
            message=EVENT_TYPES[type_].message.format_map(words),
            actor=self.actor,
            trigger=trigger,
            change=change,
        )

    def _events(self) -> list[TimelineEvent]:
        """All that happened, now that nothing changes any more. To be called once."""
        events = [
            one
            if isinstance(one, TimelineEvent)
            else self._happened(one.sequence, one.type, one.trigger, one.change(), one.words)
            for one in self._pending
        ]
        # They refer to this ledger, and it to them: what is in no cycle is freed at once.
        self._pending.clear()
        return events


def words_of(status: str) -> str:
    """A status as a sentence has it."""
    return status.lower().replace("_", " ")
