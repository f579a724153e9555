"""WatchJob and WatchJobs: write a watch to its stream, and let a watcher go that does not read."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.hub import Hub
from ingest_grpc.model import Caller, WatchJobsRequest, WatchRequest
from ingest_grpc.service import watch as service
from ingest_grpc.service import watch_jobs as jobs_service
from ingest_grpc.service.feed import Feed
from ingest_grpc.service.tail import EncodedEvent, EventTail
from ingest_grpc.service.watch import WatchMessage, WatchService
from ingest_grpc.store.interface import Store
from ingest_grpc.telemetry.instruments import WATCH_STALLED_SECONDS, WATCHERS_LET_GO
from ingest_grpc.wire import watch as wire
from ingest_grpc.wire import watch_jobs as jobs_wire

log = logging.getLogger(__name__)

M = TypeVar("M")


def event_tail(store: Store, hub: Hub) -> EventTail:
    """A tail of events in the form in which watchers get them."""
    return EventTail(store, hub, wire.event_bytes)


def feed(store: Store, hub: Hub) -> Feed:
    """Feeds of events and jobs in the form in which watchers of many jobs get them."""
    return Feed(store, hub, encode_event=jobs_wire.event_content, encode_job=jobs_wire.job)


class _Stream:
    """One watcher's stream: since when its newest write waits for the watcher to read."""

    __slots__ = ("task", "too_slow", "writing_since")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        self.too_slow = False
        self.writing_since: float | None = None


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
                stream.too_slow = True
                WATCHERS_LET_GO.inc()
                stream.task.cancel()
        WATCH_STALLED_SECONDS.set(stalled)

    async def watch(self, caller: Caller, request: WatchRequest, context: Context) -> None:
        """Streams until the watch ends. Raises what WatchService.watch raises, and WATCHER_TOO_SLOW."""
        watch = self._watches.watch(caller, request)
        await self._write(watch, self._encoded, context, {"job_id": request.job_id})

    async def watch_jobs(self, caller: Caller, request: WatchJobsRequest, context: Context) -> None:
        """Streams until the watch ends. Raises what WatchJobsService.watch raises, and WATCHER_TOO_SLOW."""
        watch = self._job_watches.watch(caller, request)
        await self._write(watch, self._encoded_of_jobs, context, {"team": caller.team_id})

    async def _write(
        self,
        watch: AsyncGenerator[M, None],
        encoded: Callable[[M], Sequence[bytes]],
        context: Context,
        watched: Mapping[str, str],
    ) -> None:
        task = asyncio.current_task()
        assert task is not None, "a handler runs in a task"
        stream = _Stream(task)
        self._streams.add(stream)
        try:
            await context.send_initial_metadata(())
            async with aclosing(watch) as messages:
                async for message in messages:
                    for data in encoded(message):
                        stream.writing_since = self._clock.monotonic()
                        await context.write(data)
                        stream.writing_since = None
        except BaseException:
            # A cancelled write raises an error of the transport, not always CancelledError.
            if not stream.too_slow:
                raise
        finally:
            self._streams.discard(stream)
        if stream.too_slow:
            task.uncancel()
            log.info("let a watcher go that does not read", extra={"fields": watched})
            raise IngestError(Reason.WATCHER_TOO_SLOW, {"seconds": f"{self._write_timeout_seconds:g}"})

    def _encoded(self, message: WatchMessage) -> "list[bytes]":
        match message:
            case EncodedEvent():
                return [message.data]
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

    def _encoded_of_jobs(self, message: jobs_service.Message) -> list[bytes]:
        return [jobs_wire.with_token(self._content_of_jobs(message.content), message.token)]

    def _content_of_jobs(self, content: jobs_service.Content) -> bytes:
        match content:
            case bytes():
                return content
            case jobs_service.SnapshotBegins(ledger_id):
                return jobs_wire.snapshot(ledger_id, self._clock.now())
            case jobs_service.Synced():
                return jobs_wire.synced()
            case jobs_service.JobRemoved(job, sequence):
                return jobs_wire.job_removed(job, sequence)
            case jobs_service.Heartbeat(ledger_id):
                return jobs_wire.heartbeat(ledger_id, self._clock.now())
            case jobs_service.End():
                return jobs_wire.end()
