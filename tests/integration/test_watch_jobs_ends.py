"""WatchJobs against a whole server: its heartbeats, how it ends, and what it costs."""

from pathlib import Path

from ingest_grpc.service.keys import LOCAL
from ingest_grpc.v1.job_pb2 import JobType
from tests.integration.serving import Server, until
from tests.integration.watching_jobs import HEAD, JobsWatch, create, told, watching

DAY = 86_400.0
PRINCIPLE = JobType.JOB_TYPE_PRINCIPLE_FILES


# ── heartbeats and endings ─────────────────────────────────────────────────────────────────────────────────────────


async def test_heartbeats__follow_an_absolute_clock(server: Server) -> None:
    watch = await watching(server, heartbeat_interval_seconds=10)
    await server.pass_time(7)
    await create(server, "a")
    assert told(await watch.take(2)) == ["job a", "Created"]
    await server.pass_time(3)
    assert told(await watch.take(1)) == ["heartbeat"]
    await server.pass_time(25)
    assert told(await watch.take(1)) == ["heartbeat"]
    await server.pass_time(4.9)
    await server.quiet()
    await server.pass_time(0.1)
    assert told(await watch.take(1)) == ["heartbeat"]


async def test_heartbeats__move_the_token_past_what_the_filter_hides(server: Server) -> None:
    watch = await watching(server, labels={"tenant": "acme"})
    await create(server, "hidden")
    await server.pass_time(15)
    [beat] = await watch.take(1)
    assert beat.resume_token != watch.received[1].resume_token


async def test_rotation__sends_the_watcher_back_at_once(server: Server) -> None:
    watch = await watching(server, heartbeat_interval_seconds=60)
    await server.pass_time(server.settings.watch_rotate_seconds * 1.25)
    assert told(await watch.rest()) == ["heartbeat"]
    assert (watch.reason, watch.retry_seconds) == ("STREAM_ROTATED", 0.0)


async def test_drain__tells_every_watcher(server: Server) -> None:
    watches = [await watching(server) for _ in range(5)]
    await server.app.stop(grace_seconds=5.0)
    for watch in watches:
        assert await watch.rest() == []
        assert watch.reason == "SERVER_DRAINING"


async def test_slow__watcher_is_let_go_and_resumes(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", real_time=True, watch_write_timeout_seconds=0.2) as server:
        prompt = "x" * 60_000
        for number in range(40):
            await create(server, str(number), system_prompt=prompt)
        channel = server.new_channel(http2__bdp_probe=0, http2__lookahead_bytes=65_536)
        slow = JobsWatch(channel)
        await slow.take(1)

        def is_let_go() -> bool:
            server.app.streams.tick()
            return not len(server.app.hub)

        await until(is_let_go)
        await slow.rest()
        assert slow.reason == "WATCHER_TOO_SLOW"
        again = await JobsWatch(server.new_channel(), resume_token=slow.token, until=HEAD).rest()
        names = [each.job.name for each in [*slow.received, *again] if each.HasField("job")]
        assert names == [str(number) for number in range(40)]


# ── many ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_crowd__costs_one_read_per_commit(server: Server) -> None:
    channels = [server.new_channel() for _ in range(2)]
    watches = [JobsWatch(channels[number % 2], labels={"n": str(number % 3)}) for number in range(60)]
    for watch in watches:
        await watch.synced()
    await server.quiet()
    reads, read = 0, server.app.store.read

    async def counting(unit: object) -> object:
        nonlocal reads
        reads += 1
        return await read(unit)  # type: ignore[arg-type]

    job = await create(server, "a", labels={"n": "0"})
    await server.quiet()
    server.app.store.read = counting  # type: ignore[assignment, method-assign]
    await server.app.job_settings.delete(LOCAL, job.job_id, "", None)
    await server.quiet()
    assert reads == 2, "the call reads its job, and all watchers share one read"
    for number, watch in enumerate(watches):
        if number % 3 == 0:
            assert told(await watch.take(3)) == ["job a", "Created", "job_removed"]
        else:
            assert len(watch.received) == 2


async def test_leaving__leaves_nothing_behind(server: Server) -> None:
    watches = [await watching(server) for _ in range(4)]
    await create(server, "a")
    for watch in watches:
        watch.call.cancel()
    await until(lambda: not len(server.app.hub) and not len(server.app.streams))
    feed = server.app.streams._job_watches._feed
    await until(lambda: not len(feed._reads))
    assert feed._newest == {}
    assert server.app.hub._generations == {}
