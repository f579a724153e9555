"""The machine of a watch over all jobs, and what its messages add up to."""

import pytest

from ingest_grpc.client.errors import ProtocolError
from ingest_grpc.client.feed_resume import FeedMachine
from ingest_grpc.client.jobs_state import JobsState
from ingest_grpc.client.messages import (
    IngestionJobChange,
    Job,
    JobChange,
    JobStatus,
    TimelineEvent,
    WatchJobsEnd,
    WatchJobsHeartbeat,
    WatchJobsRemoved,
    WatchJobsRequest,
    WatchJobsResponse,
    WatchJobsSnapshot,
    WatchSynced,
)
from ingest_grpc.client.operations import watching
from ingest_grpc.client.resume import Continue, Fail, Finished, Reconnect, Restart
from ingest_grpc.client.retry import Backoff
from tests.unit.client.world import World, failure, script


def begins(token: str = "s") -> WatchJobsResponse:
    return WatchJobsResponse(resume_token=token, snapshot=WatchJobsSnapshot(ledger_id="ledger-1"))


def job(token: str, name: str = "a", sequence: int = 1, **fields: object) -> WatchJobsResponse:
    shown = Job(job_id=f"dj-{name}", name=name, last_sequence=sequence, **fields)  # type: ignore[arg-type]
    return WatchJobsResponse(resume_token=token, job=shown)


def synced(token: str = "y") -> WatchJobsResponse:
    return WatchJobsResponse(resume_token=token, synced=WatchSynced())


def event(token: str, name: str = "a", sequence: int = 2, change: Job | None = None) -> WatchJobsResponse:
    told = TimelineEvent(
        job_id=f"dj-{name}", sequence=sequence, job_change=None if change is None else JobChange(job=change)
    )
    return WatchJobsResponse(resume_token=token, event=told)


def removed(token: str, name: str = "a") -> WatchJobsResponse:
    return WatchJobsResponse(resume_token=token, job_removed=WatchJobsRemoved(job_id=f"dj-{name}", sequence=9))


def heartbeat(token: str) -> WatchJobsResponse:
    return WatchJobsResponse(resume_token=token, heartbeat=WatchJobsHeartbeat())


def end(token: str) -> WatchJobsResponse:
    return WatchJobsResponse(resume_token=token, end=WatchJobsEnd())


def machine(resume_token: str = "", **fields: object) -> FeedMachine:
    made = FeedMachine(
        WatchJobsRequest(resume_token=resume_token, **fields),  # type: ignore[arg-type]
        backoff=Backoff(initial=1.0, maximum=8.0, jitter=lambda: 0.0),
        patience=600.0,
        clock=lambda: 0.0,
    )
    made.open()
    return made


# ── the machine ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_machine__goes_on_after_every_message() -> None:
    watch = machine(labels={"a": "b"})
    for message in (begins("1"), job("2"), synced("3"), event("4"), removed("5"), heartbeat("6")):
        assert watch.received(message) == Continue()
        assert watch.position == message.resume_token
        action = watch.ended(failure())
        assert isinstance(action, Reconnect)
        assert action.position == message.resume_token
        request = watch.open()
        assert (request.resume_token, dict(request.labels)) == (message.resume_token, {"a": "b"})
    assert watch.received(end("7")) == Finished()


def test_machine__begins_anew_while_nothing_was_heard() -> None:
    watch = machine()
    assert isinstance(watch.ended(failure()), Reconnect)
    assert watch.open().resume_token == ""


@pytest.mark.parametrize("reason", ["FEED_COMPACTED", "LEDGER_RESTORED", "INVALID_RESUME_TOKEN"])
def test_machine__answers_a_lost_position_with_a_fresh_snapshot(reason: str) -> None:
    watch = machine()
    watch.received(begins())
    watch.received(synced())
    cause = failure("OUT_OF_RANGE", reason)
    assert watch.ended(cause) == Restart(cause)
    assert watch.open().resume_token == ""
    assert watch.received(begins()) == Continue()


@pytest.mark.parametrize("reason", ["FEED_COMPACTED", "LEDGER_RESTORED", "INVALID_RESUME_TOKEN"])
def test_machine__tells_who_gave_a_position_that_it_is_lost(reason: str) -> None:
    watch = machine("token")
    watch.received(heartbeat("token"))
    cause = failure("OUT_OF_RANGE", reason)
    assert watch.ended(cause) == Fail(cause)


def test_machine__goes_on_with_half_a_snapshot() -> None:
    watch = machine()
    for message in (begins("1"), job("2")):
        watch.received(message)
    watch.ended(failure())
    assert watch.open().resume_token == "2"
    for message in (job("3", "b"), synced("4"), event("5")):
        assert watch.received(message) == Continue()


@pytest.mark.parametrize(
    ("before", "message", "violation"),
    [
        ([], event("1"), "event before the snapshot was complete"),
        ([begins()], event("1"), "event before the snapshot was complete"),
        ([begins()], removed("1"), "job_removed before the snapshot was complete"),
        ([begins()], end("1"), "end before the snapshot was complete"),
        ([begins(), synced()], begins("2"), "a snapshot nobody asked for"),
        ([begins(), synced()], event(""), "without a resume token"),
    ],
)
def test_machine__notices_a_broken_promise(
    before: list[WatchJobsResponse], message: WatchJobsResponse, violation: str
) -> None:
    watch = machine()
    for each in before:
        watch.received(each)
    with pytest.raises(ProtocolError, match=violation):
        watch.received(message)


# ── the feed ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_watch_jobs__asks_as_it_is_told_and_resumes_by_itself() -> None:
    world = World(WatchJobs=script([begins("1"), synced("2"), job("2", "b"), failure()], [event("3", "b"), end("4")]))
    feed = watching.watch_jobs(
        world.session, job_types=["PRINCIPLE_FILES"], labels={"a": "b"}, until="HEAD", heartbeat_seconds=9
    )
    assert [message.resume_token for message in world.iterate(feed)] == ["1", "2", "2", "3", "4"]
    first, second = world.requests
    assert (list(first.job_types), first.until, first.heartbeat_interval_seconds) == ([1], 1, 9)
    assert (first.resume_token, second.resume_token) == ("", "2")
    assert all(call.cancelled for call in world.calls)


# ── the state ──────────────────────────────────────────────────────────────────────────────────────────────────────


def folded(*messages: WatchJobsResponse) -> JobsState:
    state = JobsState()
    for message in messages:
        state.apply(message)
    return state


def test_state__is_the_snapshot_and_what_happened_since() -> None:
    state = folded(begins(), job("1"), job("2", "b"))
    incomplete = state.synced
    for message in (synced("3"), job("4", "c"), event("5", "c", 1), removed("6")):
        state.apply(message)
    assert (incomplete, state.synced) == (False, True)
    assert state.jobs.keys() == {"dj-b", "dj-c"}
    assert state.resume_token == "6"


def test_state__an_event_keeps_the_texts_that_it_leaves_out() -> None:
    known = job("1", sequence=3, description="text", system_prompt="prompt", instructions="do", labels={"k": "v"})
    slim = Job(job_id="dj-a", name="a", status=JobStatus.JOB_STATUS_CANCELLED, last_sequence=5)
    state = folded(begins(), known, synced(), event("2", sequence=5, change=slim))
    expected = Job()
    expected.CopyFrom(known.job)
    expected.status, expected.last_sequence = JobStatus.JOB_STATUS_CANCELLED, 5
    assert state.jobs == {"dj-a": expected}


def test_state__an_event_that_the_job_already_shows_changes_nothing() -> None:
    state = folded(begins(), job("1", sequence=5), synced(), event("2", sequence=4, change=Job(job_id="dj-a")))
    assert state.jobs["dj-a"].name == "a"
    assert state.jobs["dj-a"].last_sequence == 5


def test_state__an_event_of_another_kind_moves_the_sequence_alone() -> None:
    state = folded(begins(), job("1"), synced())
    told = TimelineEvent(job_id="dj-a", sequence=2, ingestion_job_change=IngestionJobChange())
    state.apply(WatchJobsResponse(resume_token="2", event=told))
    assert state.jobs["dj-a"] == Job(job_id="dj-a", name="a", last_sequence=2)


def test_state__an_event_of_an_unknown_job_is_ignored() -> None:
    assert folded(begins(), synced(), event("1"), removed("2", "b")).jobs == {}


def test_state__a_fresh_snapshot_forgets_what_it_does_not_bring() -> None:
    state = folded(begins(), job("1"), job("2", "b"), synced())
    state.apply(begins())
    state.apply(job("4", "b", 7))
    assert state.jobs.keys() == {"dj-a", "dj-b"}, "until it is complete the old ones may still be there"
    state.apply(synced())
    assert {name: each.last_sequence for name, each in state.jobs.items()} == {"dj-b": 7}
