"""The judge of all watch tests must itself be able to fail: a sound history, and one fault at a time."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import grpc
import pytest

from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus
from ingest_grpc.v1.job_pb2 import EventKind, Job, JobStatus, RecordChange, RecordStatusCount, TimelineEvent
from ingest_grpc.v1.job_service_pb2 import (
    RecordProgress,
    WatchEnd,
    WatchEndReason,
    WatchHeartbeat,
    WatchJobRequest,
    WatchJobResponse,
    WatchKind,
    WatchProgress,
    WatchRecords,
    WatchSnapshot,
    WatchSynced,
)
from tests.history import Connection, violations

QUEUED, RUNNING = RecordStatus.RECORD_STATUS_QUEUED, RecordStatus.RECORD_STATUS_RUNNING
COMPLETED, UNKNOWN = RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_UNSPECIFIED
MILESTONE, RECORD = EventKind.EVENT_KIND_MILESTONE, EventKind.EVENT_KIND_RECORD

Status: TypeAlias = RecordStatus.ValueType


def record(status: Status, sequence: int) -> FileRecord:
    return FileRecord(record_id="ijf-1", status=status, last_sequence=sequence)


def job(status: Status, sequence: int) -> Job:
    counts = [RecordStatusCount(status=status, count=1), RecordStatusCount(status=UNKNOWN, count=0)]
    return Job(job_id="dj-1", last_sequence=sequence, settled=status == COMPLETED, record_counts=counts)


def snapshot(status: Status, sequence: int, *, newer: FileRecord | None = None) -> list[WatchJobResponse]:
    return [
        WatchJobResponse(sequence=sequence, snapshot=WatchSnapshot(job=job(status, sequence))),
        WatchJobResponse(sequence=sequence, records=WatchRecords(records=[newer or record(status, sequence)])),
        WatchJobResponse(sequence=sequence, synced=WatchSynced()),
    ]


def event(sequence: int, status: Status = UNKNOWN, previous: Status = UNKNOWN) -> WatchJobResponse:
    """A record event, or a milestone if no status is given."""
    told = TimelineEvent(job_id="dj-1", sequence=sequence, kind=MILESTONE if status == UNKNOWN else RECORD)
    told.timestamp.seconds = 1_000 + sequence
    if status != UNKNOWN:
        told.record_change.CopyFrom(RecordChange(record=record(status, sequence), previous_status=previous))
    return WatchJobResponse(sequence=sequence, event=told)


def heartbeat(sequence: int, head: int | None = None) -> WatchJobResponse:
    head = sequence if head is None else head
    return WatchJobResponse(sequence=sequence, heartbeat=WatchHeartbeat(head_sequence=head))


def position(sequence: int, number: int = 1) -> WatchJobResponse:
    moved = [RecordProgress(record_id="ijf-1", queue_position=number)]
    return WatchJobResponse(sequence=sequence, progress=WatchProgress(records=moved))


def end(sequence: int, status: Status = COMPLETED) -> WatchJobResponse:
    reason = WatchEndReason.WATCH_END_REASON_SETTLED
    return WatchJobResponse(sequence=sequence, end=WatchEnd(reason=reason, job=job(status, sequence)))


CREATED, ADDED = event(1), event(2, QUEUED)
CLAIMED, STARTED, DONE = event(3, RUNNING, QUEUED), event(4), event(5, COMPLETED, RUNNING)
WHOLE = [CREATED, ADDED, CLAIMED, STARTED, DONE, end(5)]


def connection(
    messages: Iterable[WatchJobResponse],
    after: int | None = 0,
    code: grpc.StatusCode | None = grpc.StatusCode.OK,
    kinds: Iterable[WatchKind.ValueType] = (),
) -> Connection:
    request = WatchJobRequest(job_id="dj-1", after_sequence=after, kinds=kinds)
    return Connection(request, [message.SerializeToString() for message in messages], code)


LOST = grpc.StatusCode.UNAVAILABLE

SOUND: dict[str, list[list[Connection]]] = {
    "all": [[connection(WHOLE)]],
    "broken and resumed": [
        [connection([CREATED, ADDED], code=LOST), connection([heartbeat(2), CLAIMED, STARTED, DONE, end(5)], after=2)]
    ],
    "a snapshot": [[connection([*snapshot(QUEUED, 2), CLAIMED, STARTED, DONE, end(5)], after=None)]],
    "a snapshot with a newer record": [
        [connection([*snapshot(QUEUED, 2, newer=record(RUNNING, 3)), CLAIMED, STARTED, DONE, end(5)], after=None)]
    ],
    "a snapshot after a loss": [
        [connection([CREATED], code=LOST), connection([*snapshot(COMPLETED, 5), end(5)], after=None)]
    ],
    "milestones only": [
        [connection(WHOLE)],
        [connection([CREATED, heartbeat(3), STARTED, end(5)], kinds=[WatchKind.WATCH_KIND_MILESTONE])],
    ],
    "positions": [
        [
            connection(
                [ADDED, position(2), CLAIMED, heartbeat(4), DONE, end(5)],
                kinds=[WatchKind.WATCH_KIND_RECORD, WatchKind.WATCH_KIND_PROGRESS],
            )
        ]
    ],
    "positions only": [[connection([position(2), position(3)], kinds=[WatchKind.WATCH_KIND_PROGRESS], code=None)]],
    "still open": [[connection([CREATED, heartbeat(1, head=9)], code=None)]],
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_histories__have_no_violations(name: str) -> None:
    assert violations(*SOUND[name]) == []


def changed(message: WatchJobResponse, change: Callable[[WatchJobResponse], None]) -> WatchJobResponse:
    copy = WatchJobResponse.FromString(message.SerializeToString())
    change(copy)
    return copy


def with_message(text: str) -> Callable[[WatchJobResponse], None]:
    def change(message: WatchJobResponse) -> None:
        message.event.message = text

    return change


def at(sequence: int) -> Callable[[WatchJobResponse], None]:
    def change(message: WatchJobResponse) -> None:
        message.sequence = sequence

    return change


def with_status(status: JobStatus.ValueType) -> Callable[[WatchJobResponse], None]:
    def change(message: WatchJobResponse) -> None:
        message.end.job.status = status
        message.end.job.settled = True
        message.end.job.record_counts[0].status = COMPLETED if message.sequence == 8 else RUNNING

    return change


def aged(message: WatchJobResponse) -> None:
    message.event.timestamp.seconds = 1


MILESTONES = [WatchKind.WATCH_KIND_MILESTONE]
FAULTS: dict[str, tuple[list[list[Connection]], str]] = {
    "gap": ([[connection([CREATED, CLAIMED, STARTED, DONE, end(5)])]], "event 3 at 3 is ahead of [2]"),
    "duplicate": ([[connection([CREATED, ADDED, ADDED, CLAIMED, STARTED, DONE, end(5)])]], "already there"),
    "reorder": ([[connection([CREATED, CLAIMED, ADDED, STARTED, DONE, end(5)])]], "already there"),
    "duplicate after resume": (
        [[connection([CREATED, ADDED], code=LOST), connection([ADDED, CLAIMED, STARTED, DONE, end(5)], after=2)]],
        "event 2 came when 2 was already there",
    ),
    "gap after resume": (
        [[connection([CREATED], code=LOST), connection([CLAIMED, STARTED, DONE, end(5)], after=1)]],
        "event 3 at 3 is ahead of [2]",
    ),
    "resumed elsewhere": (
        [[connection([CREATED, ADDED], code=LOST), connection([CLAIMED, STARTED, DONE, end(5)], after=1)]],
        "resumed after 1, not after the 2 it had",
    ),
    "heartbeat ahead of delivery": (
        [[connection([CREATED, heartbeat(3), ADDED, CLAIMED, STARTED, DONE, end(5)])]],
        "heartbeat at 3 is ahead of [2, 3]",
    ),
    "heartbeat ahead of what a filter lets through": (
        [[connection(WHOLE)], [connection([CREATED, heartbeat(5), end(5)], kinds=MILESTONES)]],
        "heartbeat at 5 is ahead of [4]",
    ),
    "heartbeat that goes back": ([[connection([CREATED, ADDED, heartbeat(1), *WHOLE[2:]])]], "goes back from 2"),
    "head that falls": (
        [[connection([CREATED, heartbeat(1, head=5), ADDED, heartbeat(2, head=4), *WHOLE[2:]])]],
        "tells of a head at 4",
    ),
    "older snapshot after reconnect": (
        [[connection([CREATED, ADDED, CLAIMED], code=LOST), connection(snapshot(QUEUED, 2), after=None, code=LOST)]],
        "went back from 3 to a snapshot at 2",
    ),
    "event older than the snapshot": (
        [[connection([*snapshot(RUNNING, 3), CLAIMED, STARTED, DONE, end(5)], after=None)]],
        "event 3 came when 3 was already there",
    ),
    "event that contradicts the snapshot": (
        [[connection([*snapshot(QUEUED, 2, newer=record(COMPLETED, 3)), CLAIMED, *WHOLE[3:]], after=None)]],
        "event 3 differs from the newer record",
    ),
    "snapshot that does not add up": (
        [[connection(snapshot(QUEUED, 2, newer=record(RUNNING, 2)), after=None, code=LOST)]],
        "the snapshot counts",
    ),
    "event inside of the snapshot": (
        [[connection([snapshot(QUEUED, 2)[0], CLAIMED, *snapshot(QUEUED, 2)[1:]], after=None, code=LOST)]],
        "event inside of the snapshot",
    ),
    "no snapshot": ([[connection([CREATED], after=None, code=LOST)]], "began with event"),
    "transition from nowhere": (
        [[connection([CREATED, ADDED, event(3, COMPLETED, RUNNING), event(4), end(4)])]],
        "event 3 does not follow RECORD_STATUS_QUEUED",
    ),
    "missing end": ([[connection(WHOLE[:-1])]], "ended with OK without an end message"),
    "failure after the end": ([[connection(WHOLE, code=LOST)]], "ended with UNAVAILABLE after an end message"),
    "messages after the end": ([[connection([*WHOLE, heartbeat(5)])]], "messages after the end"),
    "end ahead of delivery": ([[connection([*WHOLE[:3], end(5)])]], "end at 5 is ahead of [4, 5]"),
    "end that is not settled": ([[connection([CREATED, ADDED, end(2, QUEUED)])]], "SETTLED is not settled"),
    "end with other counts": (
        [[connection([CREATED, ADDED, CLAIMED, end(3, COMPLETED)])]],
        "the end counts",
    ),
    "two payloads under one sequence": (
        [[connection(WHOLE)], [connection([CREATED, changed(ADDED, with_message("other")), *WHOLE[2:]])]],
        "event 2 has two payloads",
    ),
    "message at another sequence": ([[connection([CREATED, changed(ADDED, at(3))], code=LOST)]], "in a message at 3"),
    "time that runs back": ([[connection([CREATED, changed(ADDED, aged)], code=LOST)]], "older than its predecessor"),
    "kind that was not asked for": ([[connection([CREATED, ADDED], kinds=MILESTONES, code=LOST)]], "not asked for"),
    "position ahead of its record": (
        [[connection([position(0), ADDED], kinds=[*MILESTONES, WatchKind.WATCH_KIND_RECORD], code=LOST)]],
        "before it was added",
    ),
    "position of a running record": (
        [[connection([ADDED, CLAIMED, position(3)], kinds=[WatchKind.WATCH_KIND_RECORD], code=LOST)]],
        "which is RECORD_STATUS_RUNNING",
    ),
}


def job_changed(sequence: int, status: Status, last: int, *, completed: bool = False) -> WatchJobResponse:
    """An event by which the job changes, as the transaction left it that ended at `last`."""
    message = event(sequence)
    shown = message.event.job_change.job
    shown.CopyFrom(job(status, last))
    shown.status = JobStatus.JOB_STATUS_COMPLETED if completed else JobStatus.JOB_STATUS_FILE_PROCESSING
    return message


def run_changed(sequence: int, processed: int) -> WatchJobResponse:
    """An event by which the ingestion job changes; it has one document."""
    message = event(sequence)
    run = message.event.ingestion_job_change.ingestion_job
    run.documents_total, run.documents_processed = 1, processed
    return message


IN_ONE = [CREATED, ADDED, event(3, RUNNING, QUEUED), job_changed(4, RUNNING, 5), event(5)]
"""The last three in one transaction."""

ATOMS: dict[str, tuple[list[list[Connection]], str]] = {
    "transition without the counts of its ingestion job": (
        [[connection([CREATED, ADDED, CLAIMED, event(4, COMPLETED, RUNNING), run_changed(5, 0)], code=LOST)]],
        "event 5 is torn: its ingestion job counts (1, 0, 0, 0)",
    ),
    "transition without the counts of its job": (
        [[connection([CREATED, ADDED, CLAIMED, job_changed(4, QUEUED, 4)], code=LOST)]],
        "event 4 at 4 is torn: it counts",
    ),
    "snapshot with half a transaction": (
        [[connection(IN_ONE, code=LOST)], [connection(snapshot(QUEUED, 3), after=None, code=LOST)]],
        "a snapshot at 3 is torn: it counts",
    ),
    "status without its event": (
        [[connection([*IN_ONE, changed(end(5), with_status(JobStatus.JOB_STATUS_COMPLETED))])]],
        "an end at 5 is torn: it has the status",
    ),
    "head inside of a transaction": (
        [[connection(IN_ONE, code=LOST)], [connection([*IN_ONE[:4], heartbeat(4)], code=LOST)]],
        "the head at 4 is torn out of a transaction",
    ),
}
TRUTH = [message.event for message in WHOLE[:-1]]
INVENTED: dict[str, tuple[list[list[Connection]], str]] = {
    "event that never happened": ([[connection([*WHOLE[:-1], event(6)], code=LOST)]], "event 6 was invented"),
    "event that happened otherwise": (
        [[connection([CREATED, changed(ADDED, with_message("other"))], code=LOST)]],
        "event 2 is not what the ledger holds",
    ),
}
PROMISES = {
    "ordered": ["reorder", "heartbeat that goes back", "time that runs back"],
    "unique": ["duplicate", "duplicate after resume", "two payloads under one sequence"],
    "reliable": ["gap", "gap after resume", "missing end", "event that never happened"],
    "atomic": list(ATOMS),
    "resumable": ["resumed elsewhere", "older snapshot after reconnect", "event older than the snapshot"],
    "bookmarkable": [
        "heartbeat ahead of delivery",
        "heartbeat ahead of what a filter lets through",
        "end ahead of delivery",
    ],
}


@pytest.mark.parametrize("name", ATOMS)
def test_torn_transactions__are_caught(name: str) -> None:
    watchers, expected = ATOMS[name]
    found = violations(*watchers)
    assert any(expected in problem for problem in found), found


def test_whole_transactions__are_not_torn() -> None:
    done = [*IN_ONE, event(6, COMPLETED, RUNNING), run_changed(7, 1), job_changed(8, COMPLETED, 8, completed=True)]
    last = changed(end(8), with_status(JobStatus.JOB_STATUS_COMPLETED))
    assert violations([connection([*done, last])], truth=[each.event for each in done]) == []


@pytest.mark.parametrize("name", INVENTED)
def test_inventions__are_caught(name: str) -> None:
    watchers, expected = INVENTED[name]
    assert violations(*watchers, truth=TRUTH)[:1] == [expected]


def test_promises__each_have_faults_that_break_them() -> None:
    assert all(name in FAULTS | ATOMS | INVENTED for names in PROMISES.values() for name in names)


@pytest.mark.parametrize("name", FAULTS)
def test_faults__are_caught(name: str) -> None:
    watchers, expected = FAULTS[name]
    found = violations(*watchers)
    assert any(expected in problem for problem in found), found
