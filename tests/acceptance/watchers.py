"""Clients that watch one job through whatever happens to its server, and remember all that they received."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence

import grpc

from ingest_grpc.client import AsyncClient, IngestCallError
from ingest_grpc.client.errors import call_error
from ingest_grpc.client.messages import (
    EventType,
    TimelineEvent,
    WatchJobRequest,
    WatchJobResponse,
    WatchKind,
    WatchUntil,
)
from ingest_grpc.client.rpcs import WATCH_JOB
from tests.history import Connection

RETRY_SECONDS = 0.05
IMPATIENT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own: together they would share its hundred streams
)
"""Options of channels that are back within moments: a server that lives half a second must meet its callers."""


class Watcher(ABC):
    """Watches until it is stopped; `sequences` are those of the events that came, in the order they came.

    `from_beginning` says that it asked for every event there ever was.
    """

    def __init__(self, *, from_beginning: bool) -> None:
        self.from_beginning = from_beginning
        self.sequences: list[int] = []
        self.position = -1
        self.reconnects = 0
        self.moved = asyncio.Event()
        self.failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def last_wanted(self, events: Sequence[TimelineEvent]) -> int:
        """The sequence of the last of these events that will come."""
        return events[-1].sequence

    async def ended(self, seconds: float) -> None:
        """Wait until the server has ended the watch."""
        assert self._task is not None
        async with asyncio.timeout(seconds):
            await self._task

    async def reached(self, sequence: int, seconds: float) -> None:
        """Wait until everything up to `sequence` was received. TimeoutError if it is not, or what the watch raised."""
        async with asyncio.timeout(seconds):
            while self.position < sequence and self.failure is None:
                self.moved.clear()
                await self.moved.wait()
        if self.failure is not None:
            raise self.failure

    def _took(self, message: WatchJobResponse) -> None:
        if message.HasField("event"):
            self.sequences.append(message.event.sequence)
        # Half a snapshot is no position: what it left out would never come again.
        if message.WhichOneof("message") not in ("snapshot", "records"):
            self.position = max(self.position, message.sequence)
        self.moved.set()

    async def _run(self) -> None:
        try:
            await self._watch()
        except Exception as failure:  # noqa: BLE001 - told by `reached`
            self.failure = failure
            self.moved.set()

    @abstractmethod
    async def _watch(self) -> None: ...


class SdkWatcher(Watcher):
    """The SDK's own watch, which resumes by itself and raises where the server breaks its promise."""

    def __init__(self, client: AsyncClient, job_id: str, after_sequence: int | None = None) -> None:
        super().__init__(from_beginning=after_sequence == 0)
        self._client = client
        self._job_id = job_id
        self._after_sequence = after_sequence

    async def _watch(self) -> None:
        stream = self._client.watch(
            self._job_id,
            after_sequence=self._after_sequence,
            until="NEVER",
            patience=None,
            on_reconnect=self._reconnected,
        )
        async with contextlib.aclosing(stream) as messages:
            async for message in messages:
                self._took(message)

    def _reconnected(self, cause: IngestCallError, delay: float) -> None:
        self.reconnects += 1


class RawWatcher(Watcher):
    """A plain stub that comes back with the last sequence it saw, and keeps each connection's bytes.

    With `leaves_after` it also leaves by itself after so many messages, and comes back.
    """

    def __init__(
        self,
        address: str,
        job_id: str,
        *,
        after_sequence: int | None = None,
        kinds: Sequence[WatchKind.ValueType] = (),
        until: WatchUntil.ValueType = WatchUntil.WATCH_UNTIL_NEVER,
        leaves_after: int | None = None,
    ) -> None:
        super().__init__(from_beginning=after_sequence == 0 and not kinds)
        self.connections: list[Connection] = []
        self._events: list[TimelineEvent] = []
        self.endings: list[IngestCallError] = []
        self.job_id = job_id
        self._address = address
        self._leaves_after = leaves_after
        self._request = WatchJobRequest(job_id=job_id, after_sequence=after_sequence, kinds=kinds, until=until)

    async def _watch(self) -> None:
        async with grpc.aio.insecure_channel(self._address, options=IMPATIENT) as channel:
            while not await self._once(channel):
                self.reconnects += bool(self.connections[-1].received)
                await asyncio.sleep(RETRY_SECONDS)

    async def _once(self, channel: grpc.aio.Channel) -> bool:
        """One connection; True if the server ended the watch with OK."""
        connection = Connection(WatchJobRequest())
        connection.request.CopyFrom(self._request)
        self.connections.append(connection)
        call = channel.unary_stream(WATCH_JOB.path, WATCH_JOB.encode, _as_bytes)(connection.request)
        try:
            async for data in call:
                self._keep(connection, data)
                if len(connection.received) == self._leaves_after:
                    return False
            connection.code = await call.code()
        except grpc.aio.AioRpcError as error:
            connection.code = error.code()
            self.endings.append(call_error(error.code(), error.details(), error.trailing_metadata()))
            self.moved.set()
        finally:
            call.cancel()
        return connection.code is grpc.StatusCode.OK

    def last_wanted(self, events: Sequence[TimelineEvent]) -> int:
        # A hidden event moves the position too, but perhaps only with the next heartbeat.
        kinds = {int(kind) for kind in self._request.kinds}
        return max(event.sequence for event in events if not kinds or event.kind in kinds)

    @property
    def standing(self) -> str:
        """What its last connections were like, for the message of a failure."""
        last = [f"{len(each.received)} messages, {each.code and each.code.name}" for each in self.connections[-3:]]
        return f"{len(self.connections)} connections, the last: {last}; last ending {self.endings[-1:]}"

    async def saw(self, type_: EventType.ValueType, count: int, seconds: float) -> None:
        """Wait until `count` events of this type came."""
        async with asyncio.timeout(seconds):
            while sum(event.type == type_ for event in self._events) < count:
                self.moved.clear()
                await self.moved.wait()

    def _keep(self, connection: Connection, data: bytes) -> None:
        connection.received.append(data)
        message = WatchJobResponse.FromString(data)
        if message.HasField("event"):
            self._events.append(message.event)
        self._took(message)
        if self.position >= 0:
            self._request.after_sequence = self.position


def _as_bytes(data: bytes) -> bytes:
    return data
