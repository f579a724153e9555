"""How a watch survives its streams: what was seen so far, and what to do when a stream ends. No I/O.

The server promises every event of a job once, in order and without gaps, over any number of streams. A cursor
knows where the watch is and verifies the promise on every message. A machine asks each new stream to go on from
there, and decides which endings are resumed, restarted with a fresh snapshot, or final.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import grpc

from ingest_grpc.client.errors import IngestCallError, ProtocolError
from ingest_grpc.client.messages import (
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
    WatchKind,
)
from ingest_grpc.client.retry import Backoff
from ingest_grpc.errors import Reason

DEFAULT_HEARTBEAT_SECONDS = 15
STALL_HEARTBEATS = 3
CONNECT_PATIENCE_SECONDS = 15.0
"""Longest to keep trying before anything was ever heard: a wrong address should not look like an outage."""

_RESUMABLE = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,  # by the server or a proxy: the shells never report the caller's own as a status
    }
)
_POSITION_LOST = frozenset({Reason.SEQUENCE_COMPACTED, Reason.SEQUENCE_IN_FUTURE, Reason.LEDGER_RESTORED})
_EVENT_KINDS = frozenset(
    {
        WatchKind.WATCH_KIND_MILESTONE,
        WatchKind.WATCH_KIND_RECORD,
        WatchKind.WATCH_KIND_JOB,
        WatchKind.WATCH_KIND_FILES,
    }
)


Request = TypeVar("Request", WatchJobRequest, WatchJobsRequest)
Response = TypeVar("Response", WatchJobResponse, WatchJobsResponse)
Request_contra = TypeVar("Request_contra", WatchJobRequest, WatchJobsRequest, contravariant=True)
Response_contra = TypeVar("Response_contra", WatchJobResponse, WatchJobsResponse, contravariant=True)


@dataclass(frozen=True, slots=True)
class Continue:
    """Hand the message on and read the next one."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Hand the message on; the watch is over."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Open a new stream after `delay` seconds. `position` None: the snapshot was cut and starts over."""

    position: int | str | None
    delay: float
    cause: IngestCallError


@dataclass(frozen=True, slots=True)
class Restart:
    """Open a new stream with a fresh snapshot: the position means nothing to the server any more."""

    cause: IngestCallError
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Fail:
    """Give up with this error."""

    error: IngestCallError


class Cursor(Protocol[Request_contra, Response_contra]):
    """Where a watch is. `position` None: it has to begin with a snapshot."""

    @property
    def position(self) -> int | str | None: ...

    def stream_opened(self, request: Request_contra) -> None:
        """A new stream begins: `request` is what was asked first, and is completed to go on from the position."""
        ...

    def forget(self) -> None:
        """Start over: the next stream brings a snapshot, perhaps of another ledger."""
        ...

    def advance(self, message: Response_contra) -> bool:
        """Take one message in; returns whether the position moved. Raises ProtocolError on a broken promise."""
        ...


class WatchCursor:
    """The position of one watch, and the check that every message keeps the server's promise.

    `position` is the sequence up to which everything wanted was received; None while a snapshot is still
    incomplete. With some kinds hidden, sequences may jump; otherwise each event must be the next one.
    """

    def __init__(self, after_sequence: int | None, *, hides_events: bool = False, ledger_id: str = "") -> None:
        self.position = after_sequence
        self.ledger_id = ledger_id
        self._hides_events = hides_events
        self._in_snapshot = False

    def stream_opened(self, request: WatchJobRequest) -> None:
        """A new stream begins; half a snapshot of the one before is void."""
        self._in_snapshot = False
        if self.position is not None:
            request.after_sequence = self.position
            request.ledger_id = self.ledger_id

    def forget(self) -> None:
        """Start over: the next stream brings a snapshot, perhaps of another ledger."""
        self.position = None
        self.ledger_id = ""

    def advance(self, message: WatchJobResponse) -> bool:
        """Take one message in; returns whether the position moved. Raises ProtocolError on a broken promise."""
        before = self.position
        match message.WhichOneof("message"):
            case "snapshot":
                self._begin_snapshot(message)
            case "records":
                self._require(self._in_snapshot, "records outside of a snapshot")
            case "synced":
                self._require(self._in_snapshot, "synced without a snapshot")
                self._in_snapshot = False
                self.position = message.sequence
            case "event":
                self._take_event(message)
            case "heartbeat":
                self.ledger_id = message.heartbeat.ledger_id or self.ledger_id
                self._reach(message.sequence)
            case "progress":
                self._reach(message.sequence)
            case "end":
                self._require(self.position is not None, "end before the snapshot was complete")
                self._reach(message.sequence)
            case _:  # A kind of message that is newer than this client: what it covers cannot be verified.
                self.position = None if self.position is None else max(self.position, message.sequence)
        return self.position != before

    def _begin_snapshot(self, message: WatchJobResponse) -> None:
        self._require(self.position is None and not self._in_snapshot, "a snapshot nobody asked for")
        self._in_snapshot = True
        self.ledger_id = message.snapshot.ledger_id

    def _take_event(self, message: WatchJobResponse) -> None:
        sequence = message.event.sequence
        if self.position is None:
            raise ProtocolError(f"event {sequence} came before the snapshot was complete")
        if sequence <= self.position:
            raise ProtocolError(f"event {sequence} came again after {self.position}")
        if sequence != self.position + 1 and not self._hides_events:
            raise ProtocolError(f"event {sequence} came after {self.position}: there is a gap")
        self.position = sequence
        self._reach(message.sequence)

    def _reach(self, sequence: int) -> None:
        if self.position is None:
            return
        if sequence < self.position:
            raise ProtocolError(f"the stream went back from {self.position} to {sequence}")
        if sequence > self.position and not self._hides_events:
            raise ProtocolError(f"the stream is at {sequence} but no event came after {self.position}")
        self.position = sequence

    @staticmethod
    def _require(condition: bool, violation: str) -> None:
        if not condition:
            raise ProtocolError(f"the stream sent {violation}")


class StreamMachine(Generic[Request, Response]):
    """One watch over any number of streams: fed with messages and endings, it answers what to do next.

    `request` is what the caller asked for. A caller who began with a snapshot `wants_snapshots`: a lost position
    (an error with a reason of `lost`) is answered with a fresh one, else with the error. `patience` is for how many
    seconds streams may fail without bringing any message; None = for ever. `clock` gives monotonic seconds. `answered`
    says that the server is known to be the right one, although it has not answered this watch yet.
    """

    def __init__(
        self,
        request: Request,
        cursor: Cursor[Request, Response],
        *,
        wants_snapshots: bool,
        lost: frozenset[Reason],
        backoff: Backoff,
        patience: float | None,
        clock: Callable[[], float],
        answered: bool = False,
    ) -> None:
        self._request: Request = request
        self._cursor: Cursor[Request, Response] = cursor
        self._wants_snapshots = wants_snapshots
        self._lost = lost
        self._backoff = backoff
        self._patience = patience
        self._clock = clock
        # Not when something was last heard: a caller may take its time between two messages.
        self._failing_since: float | None = clock()
        self._ever_heard = answered
        self._heard_on_stream = False

    @property
    def stall_seconds(self) -> float:
        """Silence after which a stream counts as lost."""
        return STALL_HEARTBEATS * (self._request.heartbeat_interval_seconds or DEFAULT_HEARTBEAT_SECONDS)

    @property
    def position(self) -> int | str | None:
        """Up to where everything wanted was received; None before a first snapshot can be resumed."""
        return self._cursor.position

    def open(self) -> Request:
        """The request for the next stream."""
        self._heard_on_stream = False
        request = type(self._request)()
        request.CopyFrom(self._request)
        self._cursor.stream_opened(request)
        return request

    def received(self, message: Response) -> Continue | Finished:
        """What to do after a message. Raises ProtocolError where it breaks the server's promise."""
        moved = self._cursor.advance(message)
        # The first heartbeat of a stream is no progress: a server that fails right after it would be
        # asked again at full speed for ever.
        if moved or (self._heard_on_stream and message.HasField("heartbeat")):
            self._backoff.reset()
        self._heard_on_stream = self._ever_heard = True
        self._failing_since = None
        return Finished() if message.HasField("end") else Continue()

    def ended(self, error: IngestCallError | None) -> Reconnect | Restart | Fail:
        """What to do after a stream ended, with an error or (None) with OK but without its `end` message."""
        cause = error or IngestCallError(grpc.StatusCode.UNAVAILABLE, "The stream ended without saying why.")
        if cause.reason in self._lost:
            return self._start_over(cause)
        if not _is_resumable(cause):
            return Fail(cause)
        if cause.reason == Reason.STREAM_ROTATED and self._heard_on_stream:
            delay = cause.retry_after or 0.0
        else:
            delay = self._backoff.delay(cause.retry_after)
        if self._runs_out_of_patience(delay):
            return Fail(cause)
        return Reconnect(self._cursor.position, delay, cause)

    def _start_over(self, cause: IngestCallError) -> Restart | Fail:
        if not self._wants_snapshots or self._cursor.position is None:
            return Fail(cause)
        self._cursor.forget()
        return Restart(cause)

    def _runs_out_of_patience(self, delay: float) -> bool:
        if self._failing_since is None:
            self._failing_since = self._clock()
        if self._patience is None:
            return False
        patience = self._patience if self._ever_heard else min(self._patience, CONNECT_PATIENCE_SECONDS)
        return self._clock() + delay - self._failing_since > patience


class ResumeMachine(StreamMachine[WatchJobRequest, WatchJobResponse]):
    """A watch of one job. Without after_sequence the caller wants snapshots."""

    def __init__(
        self,
        request: WatchJobRequest,
        *,
        backoff: Backoff,
        patience: float | None,
        clock: Callable[[], float],
        answered: bool = False,
    ) -> None:
        wants_snapshots = not request.HasField("after_sequence")
        cursor = WatchCursor(
            None if wants_snapshots else request.after_sequence,
            hides_events=bool(request.kinds) and not _EVENT_KINDS.issubset(request.kinds),
            ledger_id=request.ledger_id,
        )
        super().__init__(
            request,
            cursor,
            wants_snapshots=wants_snapshots,
            lost=_POSITION_LOST,
            backoff=backoff,
            patience=patience,
            clock=clock,
            answered=answered,
        )


def _is_resumable(error: IngestCallError) -> bool:
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error.retry_after is not None
    return error.code in _RESUMABLE
