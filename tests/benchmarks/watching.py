"""Watchers on bare sockets, ours and the bare server's alike, and what makes an event on either."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingest_grpc.client.messages import WatchJobRequest, WatchJobResponse, WatchKind, WatchUntil
from ingest_grpc.client.rpcs import WATCH_JOB
from tests.benchmarks.bare import SERVICE
from tests.benchmarks.harness import Contestant
from tests.benchmarks.http2 import Connection
from tests.benchmarks.ours import Events, Ours

_PER_CONNECTION = 100
_SECONDS = 60.0

NextCall = Callable[[], tuple[str, bytes]]
"""Path and message of the call that makes the next event."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When one event was sent, and when its first and its last watcher received it, in seconds."""

    sent: float
    first: float
    last: float


class Crowd:
    """`count` watchers of one thing. Of what they receive only messages for which `is_event` holds count."""

    def __init__(self, count: int, next_call: NextCall, is_event: Callable[[bytes], bool]) -> None:
        self.count = count
        self._next_call = next_call
        self._is_event = is_event
        self._connections: list[Connection] = []
        self._arrived = 0
        self._watching = 0
        self._over = False
        self._first = self._last = 0.0
        self._changed = asyncio.Event()
        self.event = b""

    async def gather(self, server: Contestant, secret: str, path: str, message: bytes) -> None:
        """Opens all watches, and waits until each has been answered."""
        for begun in range(0, self.count, _PER_CONNECTION):
            connection = await Connection.open(server.address, secret)
            self._connections.append(connection)
            for _ in range(min(_PER_CONNECTION, self.count - begun)):
                connection.start(path, message, self._received, self._ended)
            connection.flush()
        self._caller = await Connection.open(server.address, secret)
        self._connections.append(self._caller)
        await self._until(lambda: self._watching == self.count)

    def leave(self) -> None:
        for connection in self._connections:
            connection.close()

    async def fire(self) -> Arrival:
        """Makes one event, and returns once every watcher has received it."""
        self._arrived = 0
        sent = time.perf_counter()
        await self._caller.call(*self._next_call())
        await self._until(lambda: self._arrived == self.count)
        return Arrival(sent, self._first, self._last)

    def _received(self, message: bytes) -> None:
        if not self._is_event(message):
            self._watching += 1
        else:
            self._last = time.perf_counter()
            if not self._arrived:
                self._first, self.event = self._last, message
            self._arrived += 1
        if self.count in (self._arrived, self._watching):
            self._changed.set()

    def _ended(self) -> None:
        self._over = True
        self._changed.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_SECONDS):
            while not condition():
                assert not self._over, "a watch has ended"
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def our_crowd(ours: Ours, count: int) -> AsyncIterator[Crowd]:
    """Watchers of a job's Markdown who have caught up: each got one heartbeat, and no other comes soon."""
    async with ours.client() as client:
        events = await Events.prepare(client)
        head = (await client.get_job(events.job_id, view="BASIC")).job.last_sequence
    request = WatchJobRequest(
        job_id=events.job_id,
        after_sequence=head,
        until=WatchUntil.WATCH_UNTIL_NEVER,
        kinds=[WatchKind.WATCH_KIND_FILES],
        heartbeat_interval_seconds=60,
    )
    crowd = Crowd(count, events.next_call, lambda message: WatchJobResponse.FromString(message).HasField("event"))
    try:
        await crowd.gather(ours.contestant, ours.secret, WATCH_JOB.path, request.SerializeToString())
        yield crowd
    finally:
        crowd.leave()


@asynccontextmanager
async def bare_crowd(bare: Contestant, count: int, method: str, event: bytes) -> AsyncIterator[Crowd]:
    """Watchers of the bare server, which sends them `event` as it is; each got one empty message."""
    crowd = Crowd(count, lambda: (f"/{SERVICE}/{method}", event), bool)
    try:
        await crowd.gather(bare, "", f"/{SERVICE}/watch", b"")
        yield crowd
    finally:
        crowd.leave()
