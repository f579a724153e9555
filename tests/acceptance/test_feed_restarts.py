"""One WatchJobs stream over many jobs while its server is killed three times: nothing is missed, nothing comes twice.

INGEST_TEST_FEED_JOBS sets another number of jobs than that of every run, for example 5000.
"""

import asyncio
import contextlib
import os
from collections import defaultdict
from pathlib import Path

import grpc.aio
import pytest

from ingest_grpc.client import AsyncClient, IngestCallError
from ingest_grpc.client.messages import EventKind, JobStatus, WatchJobsResponse
from tests.acceptance.server import Server
from tests.acceptance.watchers import IMPATIENT

pytestmark = pytest.mark.acceptance

JOBS = int(os.environ.get("INGEST_TEST_FEED_JOBS", "150"))
RESTARTS = 3
AT_ONCE = 16
PATIENCE_SECONDS = 60.0 + JOBS / 10
FEED_KINDS = (EventKind.EVENT_KIND_MILESTONE, EventKind.EVENT_KIND_JOB)
READY = JobStatus.JOB_STATUS_READY_TO_START


class Feed:
    """The one stream of the SDK, and what it brought: how jobs were shown, and the sequences of events per job."""

    def __init__(self, client: AsyncClient) -> None:
        self.statuses: dict[str, JobStatus.ValueType] = {}
        self.shown: dict[str, int] = {}
        self.events: dict[str, list[int]] = defaultdict(list)
        self.reconnects = 0
        self.moved = asyncio.Event()
        self.task = asyncio.create_task(self._follow(client))

    async def _follow(self, client: AsyncClient) -> None:
        stream = client.watch_jobs(patience=None, on_reconnect=self._reconnected)
        async with contextlib.aclosing(stream) as messages:
            async for message in messages:
                self._take(message)
                self.moved.set()

    def _reconnected(self, cause: IngestCallError, delay: float) -> None:
        self.reconnects += 1

    def _take(self, message: WatchJobsResponse) -> None:
        if message.HasField("job"):
            self.shown.setdefault(message.job.job_id, message.job.last_sequence)
            self.statuses[message.job.job_id] = message.job.status
        elif message.HasField("event"):
            event = message.event
            self.events[event.job_id].append(event.sequence)
            if event.HasField("job_change"):
                self.statuses[event.job_id] = event.job_change.job.status

    async def until_all_ready(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(status == READY for status in self.statuses.values()) < count:
                self.moved.clear()
                await self.moved.wait()


async def create(client: AsyncClient, number: int, turns: asyncio.Semaphore) -> str:
    """A job that a worker makes ready."""
    async with turns:
        file = await client.upload(f"text of file {number}\n".encode(), filename=f"{number}.txt")
        return (await client.create_job(f"job {number}", files=[file])).job.job_id


@pytest.mark.slow
@pytest.mark.timeout(60 + JOBS)
async def test_feed__over_three_kills_brings_every_event_once(tmp_path: Path) -> None:
    async with (
        Server(tmp_path, workers=2, log_level="WARNING") as server,
        grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel,
        AsyncClient(server.address, timeout=600.0, channel=channel) as client,
    ):
        before = [await create(client, number, asyncio.Semaphore(1)) for number in range(5)]
        feed = Feed(client)
        turns = asyncio.Semaphore(AT_ONCE)
        creating = [asyncio.create_task(create(client, number, turns)) for number in range(5, JOBS)]
        for restart in range(1, RESTARTS + 1):
            while sum(task.done() for task in creating) < restart * (JOBS - 5) // (RESTARTS + 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await server.kill()
            await server.start()
        job_ids = [*before, *await asyncio.gather(*creating)]
        await feed.until_all_ready(JOBS)
        feed.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feed.task

        assert feed.reconnects >= RESTARTS
        assert set(feed.statuses) == set(job_ids), "every job was shown, and no other"
        for job_id in job_ids:
            seen = feed.events[job_id]
            assert seen == sorted(set(seen)), "in order, none twice"
            wanted = {event.sequence async for event in client.list_events(job_id) if event.kind in FEED_KINDS}
            first = feed.shown[job_id]
            missed = {sequence for sequence in wanted if sequence > first} - set(seen)
            assert not missed, f"{job_id} was shown at {first}, and then came {seen}"
            assert set(seen) <= wanted
        print(f"{JOBS} jobs, {sum(map(len, feed.events.values()))} events, {feed.reconnects} reconnects")  # noqa: T201
