"""Judges what the watchers of a job received, over any number of connections, without asking the server.

It knows the promises of WatchJob and nothing of how they are kept. They are the six of etcd's watch: *ordered* and
*unique* (every event once, by rising sequence), *reliable* (no gap), *atomic* (what is shown at a sequence adds up to
the events up to it, tests/history_log.py), *resumable* (a later connection goes on where the earlier one ended, never
further back), *bookmarkable* (nothing is told ahead of what was delivered). And a few of its own: a snapshot that fits
the events after it; an OK only after the end; the same bytes for everyone, and those that the ledger holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import grpc

from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus
from ingest_grpc.v1.job_pb2 import EventKind, Job, JobStatus, TimelineEvent
from ingest_grpc.v1.job_service_pb2 import WatchEndReason, WatchJobRequest, WatchJobResponse, WatchKind
from tests.history_log import Log

TERMINAL = {JobStatus.JOB_STATUS_COMPLETED, JobStatus.JOB_STATUS_FAILED, JobStatus.JOB_STATUS_CANCELLED}
UNCOMMITTED = ("queue_position", "progress", "next_attempt_at", "wait_reason")
"""Fields of a record that change without an event."""


@dataclass
class Connection:
    """One WatchJob call as its client saw it: the messages as bytes; no code = it is open, or the client left."""

    request: WatchJobRequest
    received: list[bytes] = field(default_factory=list)
    code: grpc.StatusCode | None = None

    @property
    def messages(self) -> list[WatchJobResponse]:
        return [WatchJobResponse.FromString(data) for data in self.received]


def violations(*watchers: Sequence[Connection], truth: Sequence[TimelineEvent] | None = None) -> list[str]:
    """What is wrong with what these watchers of one job received; each is its connections in their order.

    `truth` is the whole log as the ledger holds it, if it is known.
    """
    problems: list[str] = []
    log: dict[int, bytes] = {}
    shown: list[WatchJobResponse] = []
    for data in (data for watcher in watchers for connection in watcher for data in connection.received):
        message = WatchJobResponse.FromString(data)
        if message.HasField("event") and log.setdefault(message.event.sequence, data) != data:
            problems.append(f"event {message.event.sequence} has two payloads")
        if message.WhichOneof("message") in ("snapshot", "heartbeat", "end"):
            shown.append(message)
    events = [WatchJobResponse.FromString(data).event for data in log.values()]
    kinds = {event.sequence: _watch_kind(event.kind) for event in events}
    whole = Log(events)
    problems += whole.torn(shown)
    if truth is not None:
        problems += whole.invented({event.sequence: event for event in truth})
    for number, connections in enumerate(watchers):
        watcher = _Watcher(kinds)
        for connection in connections:
            watcher.replay(connection)
        problems += [f"watcher {number}: {problem}" for problem in watcher.problems]
    return problems


class _Watcher:
    """One client: where it stands, and the records as the messages so far make them."""

    def __init__(self, log: Mapping[int, WatchKind.ValueType]) -> None:
        self.problems: list[str] = []
        self._log = log
        self._cursor = -1
        self._records: dict[str, FileRecord] = {}
        self._knows_all_records = False
        self._snapshot: Job | None = None
        self._in_snapshot = False
        self._timestamp = (0, 0)
        self._head = 0
        self._request = WatchJobRequest()
        self._handlers: Mapping[str, Callable[[WatchJobResponse], None]] = {
            "snapshot": self._on_snapshot,
            "records": self._on_records,
            "synced": self._on_synced,
            "event": self._on_event,
            "progress": self._on_progress,
            "heartbeat": self._on_heartbeat,
            "end": self._on_end,
        }

    def replay(self, connection: Connection) -> None:
        self._request = connection.request
        self._in_snapshot = False
        resumes = connection.request.HasField("after_sequence")
        if resumes:
            if self._cursor >= 0 and connection.request.after_sequence != self._cursor:
                self._wrong(f"resumed after {connection.request.after_sequence}, not after the {self._cursor} it had")
            self._knows_all_records = self._knows_all_records or connection.request.after_sequence == 0
            self._cursor = connection.request.after_sequence
        kinds = [message.WhichOneof("message") for message in connection.messages]
        if kinds and (kinds[0] == "snapshot") == resumes:
            self._wrong(f"began with {kinds[0]}")
        for kind, message in zip(kinds, connection.messages, strict=True):
            if self._in_snapshot and kind not in ("records", "synced"):
                self._wrong(f"{kind} inside of the snapshot")
            self._handlers[str(kind)](message)
        if "end" in kinds[:-1]:
            self._wrong("messages after the end")
        ended = bool(kinds) and kinds[-1] == "end"
        if connection.code is not None and ended != (connection.code is grpc.StatusCode.OK):
            self._wrong(f"ended with {connection.code.name} {'after' if ended else 'without'} an end message")

    # ── the snapshot ───────────────────────────────────────────────────────────────────────────────────

    def _on_snapshot(self, message: WatchJobResponse) -> None:
        job = message.snapshot.job
        if message.sequence < self._cursor:
            self._wrong(f"went back from {self._cursor} to a snapshot at {message.sequence}")
        if job.last_sequence != message.sequence:
            self._wrong(f"a snapshot at {message.sequence} of a job at {job.last_sequence}")
        self._snapshot, self._in_snapshot, self._records = job, True, {}
        self._cursor = message.sequence

    def _on_records(self, message: WatchJobResponse) -> None:
        if not self._in_snapshot or message.sequence != self._cursor:
            self._wrong(f"records at {message.sequence} do not belong to the snapshot at {self._cursor}")
        for record in message.records.records:
            if record.record_id in self._records:
                self._wrong(f"{record.record_id} is twice in the snapshot")
            self._records[record.record_id] = record

    def _on_synced(self, message: WatchJobResponse) -> None:
        if not self._in_snapshot or message.sequence != self._cursor:
            self._wrong(f"synced at {message.sequence} does not belong to the snapshot at {self._cursor}")
        self._in_snapshot, self._knows_all_records = False, True
        # Records that are newer than the snapshot do not add up to its counts: their events are still to come.
        if self._snapshot and all(record.last_sequence <= self._cursor for record in self._records.values()):
            self._compare_counts("the snapshot", self._snapshot)

    # ── what follows it ────────────────────────────────────────────────────────────────────────────────

    def _on_event(self, message: WatchJobResponse) -> None:
        event = message.event
        if message.sequence != event.sequence:
            self._wrong(f"event {event.sequence} in a message at {message.sequence}")
        if not self._is_wanted(event.kind):
            self._wrong(f"event {event.sequence} was not asked for")
        if event.sequence <= self._cursor:
            self._wrong(f"event {event.sequence} came when {self._cursor} was already there")
            return
        self._move_to(event.sequence, f"event {event.sequence}", but=event.sequence)
        stamp = (event.timestamp.seconds, event.timestamp.nanos)
        if stamp < self._timestamp:
            self._wrong(f"event {event.sequence} is older than its predecessor")
        self._timestamp = stamp
        if event.HasField("record_change"):
            self._apply(event)

    def _on_progress(self, message: WatchJobResponse) -> None:
        self._move_to(message.sequence, "progress")
        moved = [record.record_id for record in message.progress.records]
        if len(set(moved)) != len(moved):
            self._wrong("a record moved twice in one message")
        for progress in message.progress.records:
            record = self._records.get(progress.record_id)
            queued = progress.HasField("queue_position")
            expected = RecordStatus.RECORD_STATUS_QUEUED if queued else RecordStatus.RECORD_STATUS_RUNNING
            if not self._is_wanted(EventKind.EVENT_KIND_RECORD):
                continue
            if record is None and self._knows_all_records:
                self._wrong(f"progress of {progress.record_id} before it was added")
            if record is not None and record.status != expected:
                status = RecordStatus.Name(record.status)
                self._wrong(f"progress at {message.sequence} of {progress.record_id}, which is {status}")

    def _on_heartbeat(self, message: WatchJobResponse) -> None:
        self._move_to(message.sequence, "heartbeat")
        head = message.heartbeat.head_sequence
        if head < message.sequence or head < self._head:
            self._wrong(f"a heartbeat at {message.sequence} tells of a head at {head}, after one at {self._head}")
        self._head = head

    def _on_end(self, message: WatchJobResponse) -> None:
        self._move_to(message.sequence, "end")
        end = message.end
        if end.job.last_sequence != message.sequence:
            self._wrong(f"the end at {message.sequence} holds the job at {end.job.last_sequence}")
        if end.reason == WatchEndReason.WATCH_END_REASON_SETTLED and not end.job.settled:
            self._wrong("SETTLED is not settled")
        if end.reason == WatchEndReason.WATCH_END_REASON_TERMINAL and end.job.status not in TERMINAL:
            self._wrong("TERMINAL is not terminal")
        if self._knows_all_records and self._is_wanted(EventKind.EVENT_KIND_RECORD):
            self._compare_counts("the end", end.job)

    # ── bookkeeping ────────────────────────────────────────────────────────────────────────────────────

    def _move_to(self, sequence: int, what: str, but: int | None = None) -> None:
        """Everything wanted up to `sequence`, `but` for the event that comes just now, must have been delivered."""
        if sequence < self._cursor:
            self._wrong(f"{what} at {sequence} goes back from {self._cursor}")
            return
        missing = [number for number in range(self._cursor + 1, sequence + 1) if number != but and self._misses(number)]
        if missing:
            self._wrong(f"{what} at {sequence} is ahead of {missing[:5]}")
        self._cursor = sequence

    def _misses(self, sequence: int) -> bool:
        """Whether this event should have come: what kind it has is known only if any watcher saw it."""
        kinds = self._request.kinds
        return not kinds or (sequence in self._log and self._log[sequence] in kinds)

    def _is_wanted(self, kind: EventKind.ValueType) -> bool:
        return not self._request.kinds or _watch_kind(kind) in self._request.kinds

    def _apply(self, event: TimelineEvent) -> None:
        record, known = event.record_change.record, self._records.get(event.record_change.record.record_id)
        if record.last_sequence != event.sequence:
            self._wrong(f"event {event.sequence} holds {record.record_id} at {record.last_sequence}")
        if known is not None and event.sequence == known.last_sequence and _committed(record) != _committed(known):
            self._wrong(f"event {event.sequence} differs from the newer record that the snapshot had")
        if known is not None and event.sequence <= known.last_sequence:
            return
        if known is not None and known.status != event.record_change.previous_status:
            self._wrong(f"event {event.sequence} does not follow {RecordStatus.Name(known.status)}")
        self._records[record.record_id] = record

    def _compare_counts(self, what: str, job: Job) -> None:
        counted = Counter(record.status for record in self._records.values() if not record.deleted)
        told = {each.status: each.count for each in job.record_counts if each.count}
        if dict(counted) != told:
            self._wrong(f"{what} counts {told}, the records are {dict(counted)}")

    def _wrong(self, problem: str) -> None:
        self.problems.append(problem)


def _watch_kind(kind: EventKind.ValueType) -> WatchKind.ValueType:
    """The kinds of events have the same numbers among the kinds that a watcher can ask for."""
    return WatchKind.ValueType(kind)


def _committed(record: FileRecord) -> FileRecord:
    copy = FileRecord()
    copy.CopyFrom(record)
    for name in UNCOMMITTED:
        copy.ClearField(name)  # type: ignore[arg-type]  # the names above are those of fields
    return copy


def events_of(connections: Iterable[Connection]) -> list[int]:
    """The sequences of all events that came, in the order they came."""
    return [
        message.event.sequence
        for connection in connections
        for message in connection.messages
        if message.HasField("event")
    ]
