"""How a watch over all jobs survives its streams. No I/O.

Every message carries a token that says where to go on, within a snapshot too; so nothing is sent twice but a job that
was on its way, and nothing is missed.
"""

from collections.abc import Callable

from ingest_grpc.client.errors import ProtocolError
from ingest_grpc.client.messages import WatchJobsRequest, WatchJobsResponse
from ingest_grpc.client.resume import StreamMachine
from ingest_grpc.client.retry import Backoff
from ingest_grpc.errors import Reason

_POSITION_LOST = frozenset({Reason.FEED_COMPACTED, Reason.LEDGER_RESTORED, Reason.INVALID_RESUME_TOKEN})


class FeedCursor:
    """The token of the last message, and the check that snapshots and events come in their order."""

    def __init__(self, resume_token: str) -> None:
        self.position: str | None = resume_token or None
        self._in_snapshot = False

    def stream_opened(self, request: WatchJobsRequest) -> None:
        """A new stream begins, and goes on with half a snapshot of the one before."""
        request.resume_token = self.position or ""

    def forget(self) -> None:
        """Start over: the next stream brings a snapshot, perhaps of another ledger."""
        self.position = None
        self._in_snapshot = False

    def advance(self, message: WatchJobsResponse) -> bool:
        """Take one message in; returns whether the position moved. Raises ProtocolError on a broken promise."""
        before = self.position
        match message.WhichOneof("message"):
            case "snapshot":
                if before is not None and not self._in_snapshot:
                    raise ProtocolError("the stream sent a snapshot nobody asked for")
                self._in_snapshot = True
            case "synced":
                self._in_snapshot = False
            case "event" | "job_removed" | "end" as kind:
                if self._in_snapshot or before is None:
                    raise ProtocolError(f"the stream sent {kind} before the snapshot was complete")
            case _:  # a job belongs in both places, and so may a kind of message that is newer than this client
                pass
        if not message.resume_token:
            raise ProtocolError("the stream sent a message without a resume token")
        self.position = message.resume_token
        return self.position != before


class FeedMachine(StreamMachine[WatchJobsRequest, WatchJobsResponse]):
    """A watch over all jobs. Without a resume_token the caller wants snapshots."""

    def __init__(
        self, request: WatchJobsRequest, *, backoff: Backoff, patience: float | None, clock: Callable[[], float]
    ) -> None:
        super().__init__(
            request,
            FeedCursor(request.resume_token),
            wants_snapshots=not request.resume_token,
            lost=_POSITION_LOST,
            backoff=backoff,
            patience=patience,
            clock=clock,
        )
