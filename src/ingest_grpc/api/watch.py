"""WatchJob and WatchJobs: write a watch to its stream, and let a watcher go that does not read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub
from ingest_grpc.model import Caller, WatchJobsRequest, WatchRequest
from ingest_grpc.service import watch as service
from ingest_grpc.service import watch_jobs as jobs_service
from ingest_grpc.service.feed import Feed
from ingest_grpc.service.tail import EventTail
from ingest_grpc.service.watch import WatchMessage, WatchService
from ingest_grpc.store.interface import Store
from ingest_grpc.telemetry.instruments import WATCH_STALLED_SECONDS, WATCHERS_LET_GO
from ingest_grpc.wire import watch as wire
from ingest_grpc.wire import watch_jobs as jobs_wire

log = logging.getLogger(__name__)


def event_tail(store: Store, hub: Hub) -> EventTail:
    """A tail of events in the form in which watchers get them."""
    return EventTail(store, hub, wire.event_bytes)


def feed(store: Store, hub: Hub) -> Feed:
    """Feeds of events and jobs in the form in which watchers of many jobs get them."""
    return Feed(store, hub, encode_event=jobs_wire.event_content, encode_job=jobs_wire.job)


class _Stream:
    """One watcher's stream: since when its newest write waits for the watcher to read."""

    __slots__ = ("_clock", "_context", "task", "too_slow", "writing_since")

    def __init__(self, clock: Clock, context: Context) -> None:
        self._clock = clock
        self._context = context
        self.task: asyncio.Task[None] | None = None
        self.too_slow = False
        self.writing_since: float | None = None

    async def write(self, data: bytes) -> None:
        self.writing_since = self._clock.monotonic()
        await self._context.write(data)
        self.writing_since = None

    def let_go(self) -> None:
        """Ends the watch in the middle of a write that the watcher does not read."""
        self.too_slow = True
        if self.task is not None:
            self.task.cancel()


class _Watcher:
    """Encodes the messages of a watch for its stream."""

    __slots__ = ("_clock", "_stream", "write")

    def __init__(self, stream: _Stream, clock: Clock) -> None:
        self._clock = clock
        self._stream = stream
        self.write = stream.write

    async def send(self, message: WatchMessage) -> None:
        for data in self._encoded(message):
            await self._stream.write(data)

    def _encoded(self, message: WatchMessage) -> list[bytes]:
        match message:
            case service.Snapshot():
                return [wire.snapshot(message.job, message.ledger_id, self._clock.now())]
            case service.SnapshotPart():
                parts = wire.records(
                    message.sequence,
                    records=message.records,
                    ingestion_jobs=message.ingestion_jobs,
                    files=message.files,
                    alignment=message.alignment,
                )
                return list(parts)
            case service.Synced():
                return [wire.synced(message.sequence)]
            case service.Moved():
                return [wire.progress(message.sequence, message.records, message.alignment)]
            case service.Heartbeat():
                return [self._heartbeat(message)]
            case service.End():
                return [wire.end(message.sequence, message.reason, message.job)]

    def _heartbeat(self, message: service.Heartbeat) -> bytes:
        return wire.heartbeat(
            message.sequence,
            head_sequence=message.job.last_sequence,
            earliest_sequence=message.job.earliest_sequence,
            status=message.job.status,
            ledger_id=message.ledger_id,
            now=self._clock.now(),
        )


class WatchStreams:
    """All open watches. `tick` is called about once a second: one timer for all of them."""

    def __init__(
        self,
        watches: WatchService,
        job_watches: jobs_service.WatchJobsService,
        clock: Clock,
        *,
        write_timeout_seconds: float,
    ) -> None:
        self._watches = watches
        self._job_watches = job_watches
        self._clock = clock
        self._write_timeout_seconds = write_timeout_seconds
        self._streams: set[_Stream] = set()

    def __len__(self) -> int:
        return len(self._streams)

    def tick(self) -> None:
        """Lets watchers go whose write has waited too long (rule 8)."""
        now = self._clock.monotonic()
        stalled = 0.0
        for stream in self._streams:
            since = stream.writing_since
            if since is not None:
                stalled = max(stalled, now - since)
            if since is not None and not stream.too_slow and now - since > self._write_timeout_seconds:
                WATCHERS_LET_GO.inc()
                stream.let_go()
        WATCH_STALLED_SECONDS.set(stalled)

    async def watch(self, caller: Caller, request: WatchRequest, context: Context) -> None:
        """Streams until the watch ends. Raises what WatchService.watch raises, and WATCHER_TOO_SLOW."""

        def run(stream: _Stream) -> Coroutine[None, None, None]:
            return self._watches.watch(caller, request, _Watcher(stream, self._clock))

        await self._stream(run, context, {"job_id": request.job_id})

    async def watch_jobs(self, caller: Caller, request: WatchJobsRequest, context: Context) -> None:
        """Streams until the watch ends. Raises what WatchJobsService.watch raises, and WATCHER_TOO_SLOW."""

        async def run(stream: _Stream) -> None:
            async with aclosing(self._job_watches.watch(caller, request)) as messages:
                async for message in messages:
                    await stream.write(jobs_wire.with_token(self._content_of_jobs(message.content), message.token))

        await self._stream(run, context, {"team": caller.team_id})

    async def _stream(
        self, run: Callable[[_Stream], Coroutine[None, None, None]], context: Context, watched: Mapping[str, str]
    ) -> None:
        """Runs a watch in a task of its own: what wakes it for every event need not pass all interceptors."""
        stream = _Stream(self._clock, context)
        await context.send_initial_metadata(())
        stream.task = asyncio.create_task(run(stream))
        self._streams.add(stream)
        try:
            await stream.task  # whoever cancels this call cancels the task, and waits for it
        except BaseException:
            # A cancelled write raises an error of the transport, not always CancelledError.
            if not stream.too_slow:
                raise
        finally:
            self._streams.discard(stream)
        if stream.too_slow:
            log.info("let a watcher go that does not read", extra={"fields": watched})
            raise IngestError(Reason.WATCHER_TOO_SLOW, {"seconds": f"{self._write_timeout_seconds:g}"})

    def _content_of_jobs(self, content: jobs_service.Content) -> bytes:
        match content:
            case bytes():
                return content
            case jobs_service.SnapshotBegins(ledger_id):
                return jobs_wire.snapshot(ledger_id, self._clock.now())
            case jobs_service.Synced():
                return jobs_wire.synced()
            case jobs_service.JobRemoved(job_id, sequence, deleted):
                return jobs_wire.job_removed(job_id, sequence, deleted=deleted)
            case jobs_service.Heartbeat(ledger_id):
                return jobs_wire.heartbeat(ledger_id, self._clock.now())
            case jobs_service.End():
                return jobs_wire.end()
