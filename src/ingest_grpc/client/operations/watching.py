"""Watching a job, or many: one feed over any number of streams."""

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from ingest_grpc.client.effects import Effect, Emit, Feed, Open, Operation, Receive, Sleep, do, drain
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.feed_resume import FeedMachine
from ingest_grpc.client.messages import (
    JobType,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
    WatchJobsUntil,
    WatchKind,
    WatchUntil,
)
from ingest_grpc.client.operations.common import enum_number, enum_numbers
from ingest_grpc.client.resume import (
    Fail,
    Finished,
    Reconnect,
    Request,
    Response,
    Restart,
    ResumeMachine,
    StreamMachine,
)
from ingest_grpc.client.retry import Session
from ingest_grpc.client.rpcs import WATCH_JOB, WATCH_JOBS, Rpc
from ingest_grpc.client.state import JobState

OnReconnect = Callable[[IngestCallError, float], None]
DEFAULT_PATIENCE_SECONDS = 600.0

_FEWEST = WatchKind.WATCH_KIND_MILESTONE
"""The kind of events that a job has the fewest of."""


def watch(
    session: Session,
    job_id: str,
    *,
    after_sequence: int | None = None,
    until: str | int = "SETTLED",
    kinds: Iterable[str | int] = (),
    heartbeat_seconds: int = 0,
    ledger_id: str = "",
    patience: float | None = DEFAULT_PATIENCE_SECONDS,
    on_reconnect: OnReconnect | None = None,
) -> Feed[WatchJobResponse]:
    """Every message of a job until it ends: each event once, in order, over disconnects and restarts.

    Without `after_sequence` a snapshot comes first (`snapshot`, `records` …, `synced`), and again whenever it
    was cut or the position was lost: a `snapshot` message always starts over, as JobState does. With it, only
    later events come (0 = all of them), and a lost position raises SEQUENCE_COMPACTED, SEQUENCE_IN_FUTURE or
    LEDGER_RESTORED. `kinds` (MILESTONE, RECORD, JOB, FILES, PROGRESS) are all but PROGRESS by default.
    `until` is SETTLED, TERMINAL, HEAD or NEVER. A lost stream is resumed by itself; `on_reconnect` is then
    called with the cause and the delay in seconds. After `patience` seconds without a sign of life the cause
    is raised (None = never; a server that never answered is given up after 15 s).

    The last message is `end`. Raises IngestCallError, and ProtocolError if the server breaks its promise.
    """
    request = WatchJobRequest(
        job_id=job_id,
        after_sequence=after_sequence,
        until=enum_number(WatchUntil, until),
        kinds=enum_numbers(WatchKind, kinds),
        heartbeat_interval_seconds=heartbeat_seconds,
        ledger_id=ledger_id,
    )
    return _follow(WATCH_JOB, _machine(session, request, patience), on_reconnect)


def watch_jobs(
    session: Session,
    *,
    job_types: Iterable[str | int] = (),
    labels: Mapping[str, str] | None = None,
    external_id: str = "",
    resume_token: str = "",
    until: str | int = "NEVER",
    heartbeat_seconds: int = 0,
    patience: float | None = DEFAULT_PATIENCE_SECONDS,
    on_reconnect: OnReconnect | None = None,
) -> Feed[WatchJobsResponse]:
    """All jobs that pass the filter, and then what happens to them, over disconnects and restarts.

    First comes a snapshot (`snapshot`, a `job` each, `synced`), then every milestone and event of the jobs
    themselves, `job` where one came to pass the filter or was updated, and `job_removed` where one was deleted or
    passes it no longer. A job may come twice and may be newer than the events behind it; JobsState folds it all.

    With the `resume_token` of an earlier watch only what is new comes, and a lost position raises FEED_COMPACTED,
    LEDGER_RESTORED or INVALID_RESUME_TOKEN; without one a fresh snapshot then follows. `until` is HEAD or NEVER.
    A lost stream is resumed by itself, see `watch`. Raises IngestCallError, and ProtocolError if the server breaks
    its promise.
    """
    request = WatchJobsRequest(
        job_types=enum_numbers(JobType, job_types),
        labels=labels,
        external_id=external_id,
        resume_token=resume_token,
        until=enum_number(WatchJobsUntil, until),
        heartbeat_interval_seconds=heartbeat_seconds,
    )
    machine = FeedMachine(request, backoff=session.backoff(), patience=patience, clock=session.clock)
    return _follow(WATCH_JOBS, machine, on_reconnect)


def job_view(session: Session, job_id: str) -> Operation[JobState]:
    """Everything known of a job now, however large it is: unlike `get_job`, never cut."""
    state = JobState()
    yield from drain(watch(session, job_id, until="HEAD", patience=session.timeout), state.apply)
    return state


def wait(
    session: Session, job_id: str, *, until: str | int = "SETTLED", patience: float | None = DEFAULT_PATIENCE_SECONDS
) -> Operation[JobState]:
    """Wait until a job is SETTLED or TERMINAL; returns all that is known of it then.

    `job` and `end` are what ended the wait. The rest may be a moment newer: it is asked for at the end, if anything
    happened since the beginning, because the events of a job of a thousand files are many thousand.
    """
    request = WatchJobRequest(job_id=job_id, until=enum_number(WatchUntil, until), kinds=[_FEWEST])
    state = JobState()
    yield from drain(_follow(WATCH_JOB, _machine(session, request, patience), None), state.apply)
    end = state.end
    assert end is not None, "a watch ends with it"
    if state.sequence == state.snapshot_sequence:
        return state
    milestones, state = state.milestones, JobState()
    request = WatchJobRequest(job_id=job_id, until=WatchUntil.WATCH_UNTIL_HEAD)
    yield from drain(_follow(WATCH_JOB, _machine(session, request, patience, answered=True), None), state.apply)
    state.milestones, state.end, state.job = milestones, end, end.job
    return state


def _machine(
    session: Session, request: WatchJobRequest, patience: float | None, *, answered: bool = False
) -> ResumeMachine:
    return ResumeMachine(request, backoff=session.backoff(), patience=patience, clock=session.clock, answered=answered)


def _follow(
    rpc: Rpc[Request, Response], machine: StreamMachine[Request, Response], on_reconnect: OnReconnect | None
) -> Feed[Response]:
    while True:
        action = yield from _one_stream(rpc, machine)
        if action is None:
            return
        if isinstance(action, Fail):
            raise action.error
        if on_reconnect is not None:
            on_reconnect(action.cause, action.delay)
        yield Sleep(action.delay)


def _one_stream(
    rpc: Rpc[Request, Response], machine: StreamMachine[Request, Response]
) -> Generator[Effect[Any] | Emit[Response], Any, Reconnect | Restart | Fail | None]:
    """Emit what one stream brings; returns what to do after it, None once the watch is over."""
    stream = yield from do(Open(rpc, machine.open()))
    try:
        while True:
            try:
                message = yield from do(Receive(stream, machine.stall_seconds))
            except IngestCallError as error:
                return machine.ended(error)
            if message is None:
                return machine.ended(None)
            action = machine.received(message)
            yield Emit(message)
            if isinstance(action, Finished):
                return None
    finally:
        # gRPC never collects a call that is merely dropped, and the server would go on sending (grpc issue 43462).
        stream.cancel()
