from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.client.errors import IngestCallError, ProtocolError
from ingest_grpc.client.messages import WatchEndReason, WatchJobRequest, WatchJobResponse, WatchKind, WatchUntil
from ingest_grpc.client.operations import watching
from ingest_grpc.client.resume import CONNECT_PATIENCE_SECONDS
from tests.unit.client.messages import end, event, heartbeat, milestone, record, records, snapshot, synced
from tests.unit.client.world import World, failure, script

CUTS: list[IngestCallError | None] = [
    failure("UNAVAILABLE"),
    failure("UNAVAILABLE", "STREAM_ROTATED", retry_after=0.0),
    failure("UNAVAILABLE", "SERVER_DRAINING", retry_after=1.0),
    failure("ABORTED", "WATCHER_TOO_SLOW"),
    failure("INTERNAL"),
    failure("CANCELLED"),
    None,
]


@dataclass
class Server:
    """Serves one job's log by the rules of WatchJob; its streams are cut after the given numbers of messages.

    `head` events are committed when the watch begins, and two more with every stream, up to `total`.
    """

    total: int
    head: int
    cuts: list[tuple[int, IngestCallError | None]] = field(default_factory=list)
    streams: int = 0

    def watch(self, request: WatchJobRequest) -> Iterator[object]:
        stream = self._messages(request)
        if self.streams >= len(self.cuts):
            yield from stream
            return
        after, error = self.cuts[self.streams]
        self.streams += 1
        self.head = min(self.head + 2, self.total)
        for _ in range(after):
            message = next(stream, None)
            if message is None:
                return
            yield message
        if error is not None:
            yield error

    def _messages(self, request: WatchJobRequest) -> Iterator[WatchJobResponse]:
        cursor = request.after_sequence
        if not request.HasField("after_sequence"):
            cursor = self.head
            yield from (snapshot(cursor), records(cursor), records(cursor), synced(cursor))
        yield heartbeat(cursor)
        for sequence in range(cursor + 1, self.total + 1):
            yield event(sequence)
            if sequence % 3 == 0:
                yield heartbeat(sequence)
        yield end(self.total)


faults = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(CUTS)), max_size=12)


def events(messages: list[WatchJobResponse]) -> list[int]:
    return [message.event.sequence for message in messages if message.HasField("event")]


@given(st.integers(0, 20), faults)
def test_watch__from_the_beginning_brings_every_event_once(
    total: int, cuts: list[tuple[int, IngestCallError | None]]
) -> None:
    world = World(WatchJob=Server(total, head=total, cuts=cuts).watch)
    messages = list(world.iterate(watching.watch(world.session, "dj-1", after_sequence=0, patience=None)))
    assert events(messages) == list(range(1, total + 1))
    assert messages[-1].HasField("end")
    assert all(call.cancelled for call in world.calls)


@given(st.integers(0, 20), st.integers(0, 20), faults)
def test_watch__with_snapshots_brings_every_later_event_once(
    head: int, later: int, cuts: list[tuple[int, IngestCallError | None]]
) -> None:
    world = World(WatchJob=Server(head + later, head, cuts=cuts).watch)
    messages = list(world.iterate(watching.watch(world.session, "dj-1", patience=None)))
    complete = [message for message in messages if message.HasField("synced")]
    assert len(complete) == 1
    assert events(messages) == list(range(complete[0].sequence + 1, head + later + 1))


def test_watch__resumes_with_the_last_sequence_and_says_so() -> None:
    lost = failure()
    world = World(WatchJob=script([snapshot(3), synced(3), event(4), lost], [event(5), end(5)]))
    seen: list[tuple[IngestCallError, float]] = []
    feed = watching.watch(world.session, "dj-1", on_reconnect=lambda error, delay: seen.append((error, delay)))
    assert events(list(world.iterate(feed))) == [4, 5]
    assert world.requests[1].after_sequence == 4
    assert seen == [(lost, 1.0)]
    assert world.slept == [1.0]


def test_watch__starts_over_when_the_position_is_lost() -> None:
    compacted = failure("OUT_OF_RANGE", "SEQUENCE_COMPACTED")
    world = World(
        WatchJob=script([snapshot(3), synced(3), failure()], [compacted], [snapshot(9), synced(9), event(10), end(10)])
    )
    messages = list(world.iterate(watching.watch(world.session, "dj-1")))
    assert [message.sequence for message in messages if message.HasField("snapshot")] == [3, 9]
    assert events(messages) == [10]


def test_watch__raises_what_is_final() -> None:
    missing = failure("NOT_FOUND", "JOB_NOT_FOUND")
    world = World(WatchJob=script([missing]))
    with pytest.raises(IngestCallError) as raised:
        list(world.iterate(watching.watch(world.session, "dj-1")))
    assert raised.value is missing


def test_watch__ends_the_stream_when_it_breaks_its_promise() -> None:
    world = World(WatchJob=script([snapshot(3), synced(3), event(5)]))
    with pytest.raises(ProtocolError):
        list(world.iterate(watching.watch(world.session, "dj-1")))
    assert world.calls[0].cancelled


def test_watch__ends_the_stream_when_it_is_abandoned() -> None:
    world = World(WatchJob=script([snapshot(3), synced(3), event(4)]))
    messages = world.iterate(watching.watch(world.session, "dj-1"))
    next(messages)
    assert not world.calls[0].cancelled
    messages.close()
    assert world.calls[0].cancelled


def test_watch__takes_names_of_enums() -> None:
    world = World(WatchJob=script([heartbeat(7), end(7)]))
    feed = watching.watch(world.session, "dj-1", after_sequence=7, until="HEAD", kinds=["RECORD", "PROGRESS"])
    list(world.iterate(feed))
    assert world.requests[0] == WatchJobRequest(
        job_id="dj-1",
        after_sequence=7,
        until=WatchUntil.WATCH_UNTIL_HEAD,
        kinds=[WatchKind.WATCH_KIND_RECORD, WatchKind.WATCH_KIND_PROGRESS],
    )


def test_watch__refuses_an_unknown_name_and_tells_the_choices() -> None:
    with pytest.raises(ValueError, match="'DONE' is none of SETTLED, TERMINAL, HEAD, NEVER"):
        watching.watch(World().session, "dj-1", until="DONE")


def test_wait__watches_little_and_asks_for_the_whole_at_the_end() -> None:
    queued, failed = [record("ijf-1", status, sequence) for status, sequence in (("QUEUED", 2), ("FAILED", 4))]
    ended = end(5, WatchEndReason.WATCH_END_REASON_TERMINAL)
    world = World(
        WatchJob=script(
            [snapshot(3), records(3, [queued]), failure()],
            [snapshot(3), records(3, [queued]), synced(3), milestone(5), ended],
            [snapshot(6), records(6, [failed]), synced(6), end(6, WatchEndReason.WATCH_END_REASON_HEAD)],
        )
    )
    state = world.run(watching.wait(world.session, "dj-1", until="TERMINAL"))
    assert (state.records["ijf-1"], state.sequence) == (failed, 6)
    assert (state.end, state.job) == (ended.end, ended.end.job)
    assert state.milestones == [milestone(5).event]

    waiting, _, whole = world.requests
    assert (waiting.until, list(waiting.kinds)) == (WatchUntil.WATCH_UNTIL_TERMINAL, [WatchKind.WATCH_KIND_MILESTONE])
    assert (whole.until, list(whole.kinds)) == (WatchUntil.WATCH_UNTIL_HEAD, [])


def test_wait__asks_for_nothing_more_where_nothing_happened() -> None:
    done = record("ijf-1", "COMPLETED", 2)
    world = World(WatchJob=script([snapshot(3), records(3, [done]), synced(3), end(3)]))
    state = world.run(watching.wait(world.session, "dj-1"))
    assert (state.records["ijf-1"], state.end) == (done, end(3).end)
    assert len(world.requests) == 1


def test_wait__has_patience_with_a_server_that_goes_away_at_the_end() -> None:
    """It has answered: it is not taken for a wrong address, which is given up sooner."""
    away = [[failure()]] * 20
    whole = [snapshot(4), synced(4), end(4)]
    world = World(WatchJob=script([snapshot(3), synced(3), end(4)], *away, whole))
    assert world.run(watching.wait(world.session, "dj-1")).sequence == 4
    assert sum(world.slept) > 2 * CONNECT_PATIENCE_SECONDS


def test_job_view__stops_at_the_head() -> None:
    world = World(WatchJob=script([snapshot(3), records(3, [record("ijf-1", "QUEUED", 2)]), synced(3), end(3)]))
    assert list(world.run(watching.job_view(world.session, "dj-1")).records) == ["ijf-1"]
    assert world.requests[0].until == WatchUntil.WATCH_UNTIL_HEAD


def test_wait__passes_failures_on() -> None:
    missing = failure("NOT_FOUND", "JOB_NOT_FOUND")
    world = World(WatchJob=script([missing]))
    with pytest.raises(IngestCallError) as raised:
        world.run(watching.wait(world.session, "dj-1"))
    assert raised.value is missing
