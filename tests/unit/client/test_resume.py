import pytest

from ingest_grpc.client.errors import IngestCallError, ProtocolError
from ingest_grpc.client.messages import WatchJobRequest, WatchJobResponse, WatchKind
from ingest_grpc.client.resume import (
    CONNECT_PATIENCE_SECONDS,
    Continue,
    Fail,
    Finished,
    Reconnect,
    Restart,
    ResumeMachine,
)
from ingest_grpc.client.retry import Backoff
from tests.unit.client.messages import end, event, heartbeat, progress, records, snapshot, synced
from tests.unit.client.world import failure

EVENT_KINDS = [
    WatchKind.WATCH_KIND_MILESTONE,
    WatchKind.WATCH_KIND_RECORD,
    WatchKind.WATCH_KIND_JOB,
    WatchKind.WATCH_KIND_FILES,
]


class Watch:
    """A machine with a clock that is turned by hand."""

    def __init__(self, *, patience: float | None = 600.0, after_sequence: int | None = None, **fields: object) -> None:
        self.now = 0.0
        self.machine = ResumeMachine(
            WatchJobRequest(job_id="dj-1", after_sequence=after_sequence, **fields),  # type: ignore[arg-type]
            backoff=Backoff(initial=1.0, maximum=8.0, jitter=lambda: 0.0),
            patience=patience,
            clock=lambda: self.now,
        )
        self.machine.open()

    def hear(self, *messages: WatchJobResponse) -> Continue | Finished:
        return [self.machine.received(message) for message in messages][-1]

    def reconnect(self, error: IngestCallError | None) -> Reconnect:
        action = self.machine.ended(error)
        assert isinstance(action, Reconnect)
        self.machine.open()
        return action


def test_machine__follows_a_snapshot_to_its_end() -> None:
    watch = Watch()
    positions = []
    for message in (snapshot(3), records(3), heartbeat(3), synced(3), event(4), progress(4), heartbeat(4), event(5)):
        assert watch.hear(message) == Continue()
        positions.append(watch.machine.position)
    assert positions == [None, None, None, 3, 4, 4, 4, 5]
    assert watch.hear(end(5)) == Finished()


def test_open__asks_for_what_comes_after_the_last_event_and_names_the_ledger() -> None:
    watch = Watch(kinds=EVENT_KINDS, heartbeat_interval_seconds=7)
    watch.hear(snapshot(3), synced(3), event(4))
    request = watch.machine.open()
    assert (request.after_sequence, request.ledger_id, request.heartbeat_interval_seconds) == (4, "ledger-1", 7)
    assert request.kinds == EVENT_KINDS


def test_open__learns_the_ledger_from_heartbeats_too() -> None:
    watch = Watch(after_sequence=4)
    watch.hear(heartbeat(4, ledger_id="ledger-7"))
    assert watch.machine.open().ledger_id == "ledger-7"


def test_open__starts_a_cut_snapshot_over() -> None:
    watch = Watch()
    watch.hear(snapshot(3), records(3))
    assert watch.reconnect(failure()).position is None
    request = watch.machine.open()
    assert not request.HasField("after_sequence")
    assert not request.ledger_id  # a ledger that was restored meanwhile must not refuse a fresh snapshot
    watch.hear(snapshot(9, ledger_id="ledger-2"), synced(9), event(10))
    assert watch.machine.position == 10


BROKEN: dict[str, tuple[list[WatchJobResponse], str]] = {
    "gap after the snapshot": ([snapshot(3), synced(3), event(5)], "gap"),
    "gap between events": ([snapshot(3), synced(3), event(4), event(6)], "gap"),
    "event twice": ([snapshot(3), synced(3), event(4), event(4)], "again"),
    "event of the past": ([snapshot(3), synced(3), event(2)], "again"),
    "event inside the snapshot": ([snapshot(3), event(4)], "before the snapshot was complete"),
    "heartbeat ahead of events": ([snapshot(3), synced(3), heartbeat(5)], "no event came after 3"),
    "progress behind events": ([snapshot(3), synced(3), event(4), progress(3)], "went back"),
    "end ahead of events": ([snapshot(3), synced(3), end(5)], "no event came after 3"),
    "end inside the snapshot": ([snapshot(3), end(3)], "before the snapshot was complete"),
    "second snapshot": ([snapshot(3), synced(3), snapshot(4)], "nobody asked for"),
    "snapshot within a snapshot": ([snapshot(3), snapshot(4)], "nobody asked for"),
    "records without snapshot": ([records(3)], "outside of a snapshot"),
    "synced without snapshot": ([synced(3)], "without a snapshot"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_received__refuses_a_broken_promise(case: str) -> None:
    messages, words = BROKEN[case]
    watch = Watch()
    if messages[:-1]:
        watch.hear(*messages[:-1])
    with pytest.raises(ProtocolError, match=words):
        watch.hear(messages[-1])


def test_received__refuses_a_duplicate_after_resuming() -> None:
    watch = Watch()
    watch.hear(snapshot(3), synced(3), event(4))
    watch.reconnect(failure())
    with pytest.raises(ProtocolError, match="event 4 came again after 4"):
        watch.hear(event(4))


def test_received__refuses_a_snapshot_when_resuming() -> None:
    with pytest.raises(ProtocolError, match="nobody asked for"):
        Watch(after_sequence=0).hear(snapshot(3))


def test_received__lets_sequences_jump_over_hidden_kinds() -> None:
    watch = Watch(after_sequence=0, kinds=[WatchKind.WATCH_KIND_MILESTONE])
    watch.hear(event(3), heartbeat(7))
    assert watch.machine.position == 7
    with pytest.raises(ProtocolError, match="again"):
        watch.hear(event(6))


def test_received__event_may_cover_hidden_ones_behind_it() -> None:
    watch = Watch(after_sequence=0, kinds=[WatchKind.WATCH_KIND_MILESTONE])
    message = event(3)
    message.sequence = 5
    watch.hear(message)
    assert watch.machine.position == 5


def test_received__all_event_kinds_by_name_hide_nothing() -> None:
    watch = Watch(after_sequence=0, kinds=[*EVENT_KINDS, WatchKind.WATCH_KIND_PROGRESS])
    with pytest.raises(ProtocolError, match="gap"):
        watch.hear(event(2))


def test_received__passes_over_messages_of_a_newer_server() -> None:
    watch = Watch(after_sequence=4)
    assert watch.hear(WatchJobResponse(sequence=6)) == Continue()
    assert watch.machine.position == 6


@pytest.mark.parametrize("code", ["UNAVAILABLE", "ABORTED", "INTERNAL", "UNKNOWN", "CANCELLED"])
def test_ended__resumes_after_passing_failures(code: str) -> None:
    watch = Watch()
    watch.hear(snapshot(3), synced(3), event(4))
    error = failure(code)
    assert watch.machine.ended(error) == Reconnect(4, 1.0, error)


@pytest.mark.parametrize(
    "code",
    ["NOT_FOUND", "UNAUTHENTICATED", "INVALID_ARGUMENT", "PERMISSION_DENIED", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED"],
)
def test_ended__fails_for_good(code: str) -> None:
    watch = Watch()
    watch.hear(snapshot(3), synced(3))
    error = failure(code)
    assert watch.machine.ended(error) == Fail(error)


def test_ended__resumes_a_refusal_that_says_when() -> None:
    watch = Watch(after_sequence=3)
    error = failure("RESOURCE_EXHAUSTED", "SERVER_BUSY", retry_after=4.0)
    assert watch.machine.ended(error) == Reconnect(3, 4.0, error)


def test_ended__ok_without_end_is_a_lost_stream() -> None:
    watch = Watch(after_sequence=3)
    assert "without saying why" in str(watch.reconnect(None).cause)


def test_ended__backs_off_until_there_is_progress() -> None:
    watch = Watch(after_sequence=0)
    assert [watch.reconnect(failure()).delay for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 8.0]
    watch.hear(event(1))
    assert watch.reconnect(failure()).delay == 1.0


def test_ended__the_first_heartbeat_of_a_stream_is_no_progress() -> None:
    watch = Watch(after_sequence=0)
    delays = []
    for _ in range(3):
        watch.hear(heartbeat(0))
        delays.append(watch.reconnect(failure("INTERNAL")).delay)
    assert delays == [1.0, 2.0, 4.0]
    watch.hear(heartbeat(0), heartbeat(0))
    assert watch.reconnect(failure()).delay == 1.0


def test_ended__rotation_resumes_at_once_and_costs_no_back_off() -> None:
    watch = Watch(after_sequence=0)
    watch.reconnect(failure())
    for _ in range(3):
        watch.hear(heartbeat(0))
        assert watch.reconnect(failure(reason="STREAM_ROTATED", retry_after=0.0)).delay == 0.0


def test_ended__rotation_before_any_message_backs_off() -> None:
    watch = Watch(after_sequence=0)
    delays = [watch.reconnect(failure(reason="STREAM_ROTATED", retry_after=0.0)).delay for _ in range(2)]
    assert delays == [1.0, 2.0]


@pytest.mark.parametrize("reason", ["SEQUENCE_COMPACTED", "SEQUENCE_IN_FUTURE", "LEDGER_RESTORED"])
def test_ended__a_lost_position_restarts_for_those_who_take_snapshots(reason: str) -> None:
    watch = Watch()
    watch.hear(snapshot(3), synced(3), event(4))
    error = failure("OUT_OF_RANGE", reason)
    assert watch.machine.ended(error) == Restart(error)
    request = watch.machine.open()
    assert not request.HasField("after_sequence")
    assert not request.ledger_id
    watch.hear(snapshot(2, ledger_id="ledger-2"), synced(2), event(3))
    assert watch.machine.position == 3
    assert watch.machine.open().ledger_id == "ledger-2"


@pytest.mark.parametrize("reason", ["SEQUENCE_COMPACTED", "SEQUENCE_IN_FUTURE", "LEDGER_RESTORED"])
def test_ended__a_lost_position_fails_for_those_who_gave_one(reason: str) -> None:
    watch = Watch(after_sequence=3)
    error = failure("OUT_OF_RANGE", reason)
    assert watch.machine.ended(error) == Fail(error)


def test_ended__gives_up_when_patience_runs_out() -> None:
    watch = Watch(after_sequence=0, patience=100.0)
    watch.hear(heartbeat(0))
    watch.reconnect(failure())
    watch.now += 96.0
    assert watch.reconnect(failure()).delay == 2.0
    watch.now += 2.0
    error = failure()
    assert watch.machine.ended(error) == Fail(error)  # 98 seconds have passed, and 4 more would be too many


def test_ended__a_slow_caller_is_no_failing_server() -> None:
    watch = Watch(after_sequence=0, patience=100.0)
    watch.hear(event(1))
    watch.now += 1_000.0
    assert watch.reconnect(failure("ABORTED", "WATCHER_TOO_SLOW")).position == 1


def test_ended__gives_up_soon_on_a_server_that_never_answered() -> None:
    watch = Watch(patience=600.0)
    watch.now = CONNECT_PATIENCE_SECONDS
    assert isinstance(watch.machine.ended(failure()), Fail)


def test_ended__never_gives_up_without_a_limit() -> None:
    watch = Watch(patience=None)
    watch.now = 1e9
    assert isinstance(watch.machine.ended(failure()), Reconnect)


@pytest.mark.parametrize(("asked", "stall"), [(0, 45.0), (5, 15.0), (60, 180.0)])
def test_stall_seconds__three_heartbeats(asked: int, stall: float) -> None:
    assert Watch(heartbeat_interval_seconds=asked).machine.stall_seconds == stall
