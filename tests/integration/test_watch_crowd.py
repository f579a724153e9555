"""Many watchers, slow ones and those that go away: what each costs the others, and that nothing of them stays."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.watch import _Stream, _Watcher
from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import IngestionJobStatus
from ingest_grpc.model import EventType, Milestone, TimelineEvent, WatchRequest, WatchUntil
from ingest_grpc.service.keys import LOCAL
from ingest_grpc.store.interface import Tx
from ingest_grpc.v1.job_pb2 import Job
from ingest_grpc.v1.job_service_pb2 import WatchJobResponse
from tests.faults import cancelled_at
from tests.integration.serving import Server, until
from tests.integration.watching import HEAD, NEVER, PROGRESS, RECORDS, Watchers, kind, sequences
from tests.reaching import reaches

WATCHERS = 200
MEBIBYTE = 2**20


async def all_gone(server: Server) -> None:
    """No trace of any watch is left in the parts that know of watches."""
    app, sources = server.app, server.app.streams._watches._sources
    await until(lambda: not len(app.hub) and not len(app.streams) and not sources.tail._reads)
    assert app.hub._generations == {}
    assert sources.tail._tails == {}
    assert sources.feed._looks == {}


def concerns_a_record(message: WatchJobResponse) -> bool:
    return message.event.HasField("record_change")


async def test_crowd__costs_no_read_and_all_get_the_same_bytes(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf", "b.pdf", "c.pdf")
    channels = [server.new_channel() for _ in range(3)]  # a connection holds a hundred streams
    watches = [watchers.watch(job, 0, channel=channels[number % 3]) for number in range(WATCHERS)]
    await asyncio.gather(*(watch.take(job.last_sequence) for watch in watches))
    await server.quiet()

    reads, read = 0, server.app.store.read

    async def counting(unit: object) -> object:
        nonlocal reads
        reads += 1
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = counting  # type: ignore[assignment, method-assign]
    claims = await server.claim(3)
    for claim in claims:
        await asyncio.gather(*(watch.through(concerns_a_record) for watch in watches))
        await server.quiet()
        await server.succeed(claim)
    ended = await asyncio.gather(*(watch.rest() for watch in watches))
    assert reads == 0
    assert {kind(messages[-1]) for messages in ended} == {"end"}
    assert len({tuple(watch.connection.received) for watch in watches}) == 1
    await all_gone(server)


# ── slow ones ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that lets a watcher go after 0.2 seconds without reading."""
    async with Server(tmp_path / "data", real_time=True, watch_write_timeout_seconds=0.2) as server:
        yield server


async def with_long_log(server: Server, events: int, size_bytes: int) -> Job:
    """A job whose log has so many more events of this size."""
    job = await server.job("a.pdf")

    async def unit(tx: Tx) -> None:
        row = await tx.job("local", job.job_id)
        assert row is not None
        numbers = range(row.last_sequence + 1, row.last_sequence + 1 + events)
        change = Milestone(ingestion_job_id="ij", status=IngestionJobStatus.RUNNING, record_count=1)
        log = [
            TimelineEvent(
                job_id=job.job_id,
                sequence=number,
                timestamp=row.updated_at,
                type=EventType.FILE_PROCESSING_STARTED,
                message="x" * size_bytes,
                actor="test",
                change=change,
            )
            for number in numbers
        ]
        await tx.insert_events(row.row_id, row.team_id, log)
        await tx.update_job(row.model_copy(update={"last_sequence": numbers[-1]}))

    await server.app.store.write(unit)
    job.last_sequence += events
    return job


def small_window(server: Server) -> grpc.aio.Channel:
    """A connection that takes 64 KiB and then nothing until somebody reads."""
    return server.new_channel(http2__bdp_probe=0, http2__lookahead_bytes=65_536)


@reaches(Reason.WATCHER_TOO_SLOW, "JobService/WatchJob", "a watcher that does not read for 30 seconds")
async def test_slow__watcher_is_let_go_and_nobody_else_notices(impatient: Server) -> None:
    server, watchers = impatient, Watchers(impatient)
    job = await with_long_log(server, events=4_000, size_bytes=4_000)
    slow = watchers.watch(job, 0, until=NEVER, channel=small_window(server))
    await slow.take(1)
    quick = watchers.watch(job, 0, until=NEVER, channel=server.new_channel())
    everything = await quick.take(job.last_sequence)
    assert sequences(everything) == list(range(1, job.last_sequence + 1))

    def is_let_go() -> bool:
        server.app.streams.tick()
        return len(server.app.hub) == 1

    await until(is_let_go)
    await server.claim()  # the other one is still there
    assert len(await quick.take(3)) == 3

    left = await slow.rest()
    assert slow.connection.code is grpc.StatusCode.ABORTED
    assert slow.reason == "WATCHER_TOO_SLOW"
    assert slow.info.metadata["seconds"] == "0.2"
    assert sum(map(len, slow.connection.received)) < MEBIBYTE, "what waits for a slow watcher is bounded"
    # It lost its stream and nothing else.
    again = watchers.watch(job, left[-1].sequence, until=HEAD, resumes=slow)
    assert sequences(await again.rest())[-1] == job.last_sequence + 3
    quick.leave()
    await all_gone(server)
    watchers.judge()


@pytest.mark.parametrize("let_go", [False, True])
async def test_slow__watcher_does_not_hold_up_a_shutdown(impatient: Server, let_go: bool) -> None:
    """Not even one that was let go and still does not read, so that the status does not get through to it."""
    job = await with_long_log(impatient, events=400, size_bytes=4_000)
    slow = Watchers(impatient).watch(job, 0, until=NEVER, channel=small_window(impatient))
    await slow.take(1)

    def is_let_go() -> bool:
        impatient.app.streams.tick()
        return not len(impatient.app.hub)

    if let_go:
        await until(is_let_go)
    async with asyncio.timeout(5):
        await impatient.app.stop()


async def test_slow__watcher_that_reads_at_last_goes_on(server: Server, watchers: Watchers) -> None:
    job = await with_long_log(server, events=400, size_bytes=4_000)
    slow = watchers.watch(job, 0, until=HEAD, channel=small_window(server))
    await slow.take(1)
    server.clock.advance(server.settings.watch_write_timeout_seconds - 1)
    server.app.streams.tick()
    seen = await slow.rest()
    assert sequences(seen) == list(range(2, job.last_sequence + 1))
    assert kind(seen[-1]) == "end"


# ── those that go away ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_leaving__at_random_leaves_nothing_behind(server: Server, watchers: Watchers) -> None:
    chance = random.Random(7)
    jobs = [await server.job(*(f"{number}.pdf" for number in range(4))) for _ in range(3)]

    async def look_in(job: Job) -> None:
        kinds = chance.choice([[], [RECORDS, PROGRESS], [PROGRESS]])
        watch = watchers.watch(job, chance.choice([None, 0, 2]), kinds=kinds, until=NEVER)
        reading = asyncio.create_task(watch.rest())
        for _ in range(chance.randrange(200)):
            await asyncio.sleep(0)
        watch.leave()
        await asyncio.wait([reading])
        assert reading.cancelled()

    looks = [asyncio.create_task(look_in(chance.choice(jobs))) for _ in range(60)]
    for claim in await server.claim(12):
        await server.succeed(claim)
    await asyncio.gather(*looks)
    await all_gone(server)


class Pipe:
    """What a handler writes to, with a pause in every call."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def send_initial_metadata(self, _metadata: object) -> None:
        await asyncio.sleep(0)

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.written.append(data)


@pytest.mark.parametrize("after", [None, 0])
async def test_cancelling__at_every_await_leaves_nothing_behind(server: Server, after: int | None) -> None:
    job = await server.finished_job("a.pdf", "b.pdf", "notes.md")
    request = WatchRequest(job_id=job.job_id, after_sequence=after, until=WatchUntil.SETTLED, progress=True)
    whole = Pipe()
    await server.app.streams.watch(LOCAL, request, cast(Context, whole))

    def watching(pipe: Pipe) -> Coroutine[Any, Any, None]:
        """What the task of a watch does."""
        stream = _Stream(server.clock, cast(Context, pipe))
        return server.app.streams._watches.watch(LOCAL, request, _Watcher(stream, server.clock))

    for suspension in range(1, 200):
        pipe = Pipe()
        watch = watching(pipe)
        task = asyncio.ensure_future(_run(cancelled_at(watch, suspension)))
        try:
            await task
        except asyncio.CancelledError:
            assert pipe.written == whole.written[: len(pipe.written)] or after is None
            await all_gone(server)
        else:
            break
    else:
        raise AssertionError("the watch never ran to its end")
    assert suspension > len(whole.written)
    await all_gone(server)


async def test_cancelling__a_call_ends_its_watch_and_waits_for_it(server: Server) -> None:
    job = await server.job("a.pdf")
    request = WatchRequest(job_id=job.job_id, after_sequence=0, until=WatchUntil.NEVER)
    pipe = Pipe()
    call = asyncio.create_task(server.app.streams.watch(LOCAL, request, cast(Context, pipe)))
    await until(lambda: len(pipe.written) == job.last_sequence)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not len(server.app.hub)
    assert not len(server.app.streams)


async def _run(steps: object) -> None:
    await steps  # type: ignore[misc]
