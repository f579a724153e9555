"""Tells operators what was committed: a count of each transition, and a line per event with its job and sequence."""

import logging
from functools import cache

from prometheus_client import Counter

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import EVENT_TYPES, EventKind, EventType, TimelineEvent
from ingest_grpc.store.interface import Commit
from ingest_grpc.telemetry.instruments import TRANSITIONS, begin_at_zero

log = logging.getLogger(__name__)

begin_at_zero(TRANSITIONS, ("record", "alignment"), Trigger)


def announce(commit: Commit) -> None:
    """To be called once per COMMIT. Events of single files are lines at DEBUG, those of jobs at INFO."""
    for call, events in commit.told:
        for event in events:
            if event.trigger is not None:
                _count_of(event.type, event.trigger).inc()
            level = logging.DEBUG if EVENT_TYPES[event.type].kind is EventKind.RECORD else logging.INFO
            if log.isEnabledFor(level):
                log.log(level, event.message, extra={"fields": {**call, **_facts(event)}})


@cache
def _count_of(type_: EventType, trigger: Trigger) -> Counter:
    """Looked up once: that takes longer than to count."""
    return TRANSITIONS.labels(type_.partition("_")[0].lower(), trigger)


def _facts(event: TimelineEvent) -> dict[str, object]:
    facts: dict[str, object] = {"job_id": event.job_id, "sequence": event.sequence, "event": event.type}
    record = getattr(event.change, "record", None)
    return facts if record is None else {**facts, "record_id": record.record_id}
