"""Tells operators what was committed: a count of each transition, and a line per event with its job and sequence."""

import logging

from ingest_grpc.model import EVENT_TYPES, EventKind, TimelineEvent
from ingest_grpc.store.interface import Commit
from ingest_grpc.telemetry.instruments import TRANSITIONS

log = logging.getLogger(__name__)


def announce(commit: Commit) -> None:
    """To be called once per COMMIT. Events of single files are lines at DEBUG, those of jobs at INFO."""
    for call, events in commit.told:
        for event in events:
            if event.trigger is not None:
                TRANSITIONS.labels(event.type.partition("_")[0].lower(), event.trigger).inc()
            level = logging.DEBUG if EVENT_TYPES[event.type].kind is EventKind.RECORD else logging.INFO
            if log.isEnabledFor(level):
                log.log(level, event.message, extra={"fields": {**call, **_facts(event)}})


def _facts(event: TimelineEvent) -> dict[str, object]:
    facts: dict[str, object] = {"job_id": event.job_id, "sequence": event.sequence, "event": event.type}
    record = getattr(event.change, "record", None)
    return facts if record is None else {**facts, "record_id": record.record_id}
