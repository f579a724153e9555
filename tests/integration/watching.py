"""Watchers without the SDK: they keep the bytes of every message, to be judged at the end of the test."""

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ingest_grpc.v1.job_pb2 import Job
from ingest_grpc.v1.job_service_pb2 import WatchJobRequest, WatchJobResponse, WatchKind, WatchUntil
from tests.history import Connection, violations
from tests.integration.serving import Server

WATCH_JOB = "/ingest_grpc.v1.JobService/WatchJob"

HEAD, NEVER = WatchUntil.WATCH_UNTIL_HEAD, WatchUntil.WATCH_UNTIL_NEVER
SETTLED, TERMINAL = WatchUntil.WATCH_UNTIL_SETTLED, WatchUntil.WATCH_UNTIL_TERMINAL
MILESTONES, RECORDS = WatchKind.WATCH_KIND_MILESTONE, WatchKind.WATCH_KIND_RECORD
FILES, PROGRESS = WatchKind.WATCH_KIND_FILES, WatchKind.WATCH_KIND_PROGRESS


class Watch:
    """One WatchJob call. What it received is in `connection`, how it ended in `error`."""

    def __init__(self, channel: grpc.aio.Channel, request: WatchJobRequest) -> None:
        self.connection = Connection(request)
        self.error: grpc.aio.AioRpcError | None = None
        open_stream: Any = channel.unary_stream(WATCH_JOB, request_serializer=WatchJobRequest.SerializeToString)
        self.call: grpc.aio.UnaryStreamCall[WatchJobRequest, bytes] = open_stream(request)

    async def next(self) -> WatchJobResponse | None:
        """The next message; None once the stream has ended."""
        try:
            data = await self.call.read()
        except grpc.aio.AioRpcError as error:
            self.error, self.connection.code = error, error.code()
            return None
        if isinstance(data, bytes):
            self.connection.received.append(data)
            return WatchJobResponse.FromString(data)
        self.connection.code = await self.call.code()
        return None

    async def take(self, count: int) -> list[WatchJobResponse]:
        """The next messages, exactly so many."""
        taken = [await self.next() for _ in range(count)]
        return [message for message in taken if message is not None]

    async def through(self, condition: Callable[[WatchJobResponse], object]) -> list[WatchJobResponse]:
        """The next messages, up to the first that meets the condition."""
        taken: list[WatchJobResponse] = []
        while (message := await self.next()) is not None:
            taken.append(message)
            if condition(message):
                return taken
        raise AssertionError(f"the stream ended with {self.connection.code}: {[kind(each) for each in taken]}")

    async def rest(self) -> list[WatchJobResponse]:
        """All messages to the end of the stream."""
        taken: list[WatchJobResponse] = []
        while (message := await self.next()) is not None:
            taken.append(message)
        return taken

    def leave(self) -> None:
        self.call.cancel()

    @property
    def reason(self) -> str:
        return str(self.info.reason)

    @property
    def info(self) -> ErrorInfo:
        return detail(self.error, ErrorInfo)

    @property
    def retry_seconds(self) -> float:
        return float(detail(self.error, RetryInfo).retry_delay.ToTimedelta().total_seconds())


class Watchers:
    """All watches of a test, by job. `judge` holds them against the promises of WatchJob."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._histories: dict[str, list[list[Connection]]] = {}

    def watch(
        self,
        job: Job | str,
        after: int | None = None,
        *,
        resumes: Watch | None = None,
        channel: grpc.aio.Channel | None = None,
        **fields: Any,
    ) -> Watch:
        """Opens a watch; one that `resumes` another goes on as the same watcher."""
        job_id = job if isinstance(job, str) else job.job_id
        request = WatchJobRequest(job_id=job_id, after_sequence=after, **fields)
        watch = Watch(channel or self._server.channel, request)
        histories = self._histories.setdefault(job_id, [])
        own = [history for history in histories if resumes and resumes.connection in history]
        if own:
            own[0].append(watch.connection)
        else:
            histories.append([watch.connection])
        return watch

    def judge(self) -> None:
        """Fails if any watcher of the test was told something wrong."""
        for histories in self._histories.values():
            found = violations(*histories)
            assert not found, found


def detail(error: grpc.aio.AioRpcError | None, kind_of_detail: Any) -> Any:
    """The one detail of a kind in a failed call's status."""
    assert error is not None, "the call did not fail"
    trailers = dict(error.trailing_metadata() or ())
    status = Status.FromString(trailers["grpc-status-details-bin"])
    [packed] = [each for each in status.details if each.Is(kind_of_detail.DESCRIPTOR)]
    unpacked = kind_of_detail()
    packed.Unpack(unpacked)
    return unpacked


def kind(message: WatchJobResponse) -> str:
    """The name of what a message is."""
    return str(message.WhichOneof("message"))


def kinds(messages: list[WatchJobResponse]) -> list[str]:
    """The names of what they are, repetitions counted once."""
    names = [kind(message) for message in messages]
    return [name for before, name in zip(["", *names], names, strict=False) if name != before]


def sequences(messages: list[WatchJobResponse]) -> list[int]:
    """The sequences of the events among them."""
    return [message.event.sequence for message in messages if message.HasField("event")]
