"""Rule 7 of WatchJob: how a watch ends, and what its client learns from it."""

import asyncio

import grpc
import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.v1.job_pb2 import JobStatus
from ingest_grpc.v1.job_service_pb2 import CancelJobRequest, CreateJobRequest, GetJobRequest, WatchEndReason
from tests.history import events_of
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.watching import HEAD, NEVER, SETTLED, TERMINAL, Watchers, kind, sequences
from tests.reaching import reaches

OK = grpc.StatusCode.OK
END_SETTLED = WatchEndReason.WATCH_END_REASON_SETTLED


async def test_end__settled_is_judged_at_the_head_alone(server: Server, watchers: Watchers) -> None:
    """The log holds an older settled moment; only the newest counts."""
    job = await server.finished_job("a.pdf")
    await server.add(job, "b.pdf")
    watch = watchers.watch(job, 0, until=SETTLED)
    await watch.through(lambda message: message.event.record_change.record.filename == "b.pdf")
    await server.quiet()
    [claim] = await server.claim()
    await server.fail(claim)
    end = (await watch.rest())[-1].end
    assert (end.reason, end.job.status) == (END_SETTLED, JobStatus.JOB_STATUS_NEEDS_REVIEW)
    assert watch.connection.code is OK


async def test_end__settled_waits_for_the_first_file(server: Server, watchers: Watchers) -> None:
    job = (await server.jobs.CreateJob(CreateJobRequest(name="empty", job_type=GROUNDED))).job
    watch = watchers.watch(job)
    await watch.through(lambda message: kind(message) == "synced")
    await server.quiet()
    await server.add(job, "notes.md")
    assert kind((await watch.rest())[-1]) == "end"


async def test_end__terminal(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    watch = watchers.watch(job, until=TERMINAL)
    await watch.through(lambda message: kind(message) == "synced")
    await server.quiet()  # settled is not terminal
    await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
    end = (await watch.rest())[-1].end
    assert end.reason == WatchEndReason.WATCH_END_REASON_TERMINAL
    assert end.job.status == JobStatus.JOB_STATUS_CANCELLED


@pytest.mark.parametrize("after", [None, 0, 3])
async def test_end__head(server: Server, watchers: Watchers, after: int | None) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, after, until=HEAD)
    [*_, end] = await watch.rest()
    assert end.end.reason == WatchEndReason.WATCH_END_REASON_HEAD
    assert end.sequence == job.last_sequence
    assert watch.connection.code is OK


async def test_end__head_holds_what_was_committed_before_the_call(server: Server, watchers: Watchers) -> None:
    """Another watcher's events are in memory, up to the moment before the newest commit: that is not the head."""
    job = await server.job("a.pdf")
    keeper = watchers.watch(job, 0, until=NEVER)
    await keeper.take(job.last_sequence)
    await server.quiet()
    read, released = server.app.store.read, asyncio.Event()

    async def held(unit: object) -> object:
        """Nobody can read the newest events before they are released."""
        if "EventTail" in repr(unit):
            await released.wait()
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = held  # type: ignore[assignment, method-assign]
    server.app.tail.follow = lambda steps: None  # type: ignore[method-assign]  # nor did the commit bring them along
    await server.add(job, "b.pdf")
    head = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.last_sequence
    watch = watchers.watch(job, 0, until=HEAD)
    assert sequences(await watch.take(job.last_sequence)) == list(range(1, job.last_sequence + 1))
    released.set()
    assert (await watch.rest())[-1].sequence == head > job.last_sequence


async def test_end__never_comes_by_itself(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    watch = watchers.watch(job, until=NEVER)
    await watch.through(lambda message: kind(message) == "synced")
    await server.quiet()
    await server.pass_time(15)
    assert kind((await watch.take(1))[0]) == "heartbeat"
    watch.leave()


@reaches(Reason.STREAM_ROTATED, "JobService/WatchJob", "a stream of 20 to 25 minutes")
async def test_rotation__sends_the_watcher_back_at_once(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, until=NEVER, heartbeat_interval_seconds=60)
    await watch.through(lambda message: kind(message) == "synced")
    await server.pass_time(server.settings.watch_rotate_seconds * 1.25)
    [beat] = await watch.rest()
    assert kind(beat) == "heartbeat"
    assert watch.connection.code is grpc.StatusCode.UNAVAILABLE
    assert (watch.reason, watch.retry_seconds) == ("STREAM_ROTATED", 0.0)
    again = watchers.watch(job, beat.sequence, resumes=watch)
    assert kind((await again.take(1))[0]) == "heartbeat"


async def test_rotation__comes_in_20_to_25_minutes(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watches = [watchers.watch(job, until=NEVER, heartbeat_interval_seconds=60) for _ in range(10)]
    for watch in watches:
        await watch.through(lambda message: kind(message) == "synced")
    await server.pass_time(1_199)
    await server.quiet()
    assert len(server.app.hub) == 10
    for _ in range(31):  # up to 25 minutes, and a little more
        await server.pass_time(10)
    ended = [await watch.rest() for watch in watches]
    assert {watch.reason for watch in watches} == {"STREAM_ROTATED"}
    assert len({len(messages) for messages in ended}) > 1, "they do not all come back together"


@reaches(Reason.SERVER_DRAINING, "JobService/WatchJob", "a server that shuts down")
async def test_drain__tells_every_watcher(server: Server, watchers: Watchers) -> None:
    job, other = await server.job("a.pdf"), await server.job("b.pdf")
    watches = [watchers.watch(each, until=NEVER) for each in (job, other) for _ in range(5)]
    for watch in watches:
        await watch.through(lambda message: kind(message) == "synced")
    server.app.hub.drain()
    for watch in watches:
        assert await watch.rest() == []
        assert watch.connection.code is grpc.StatusCode.UNAVAILABLE
        assert (watch.reason, watch.retry_seconds) == ("SERVER_DRAINING", 1.0)
    await until(lambda: not len(server.app.hub))


async def test_stop__tells_watchers_before_it_cuts_them(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, until=NEVER)
    await watch.through(lambda message: kind(message) == "synced")
    await server.app.stop(grace_seconds=5.0)
    assert await watch.rest() == []
    assert watch.reason == "SERVER_DRAINING"
    assert events_of([watch.connection]) == []
