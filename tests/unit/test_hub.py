import asyncio

from ingest_grpc.hub import Hub

JOB, OTHER = 1, 2
FOREVER = float("inf")


async def sleeping(hub: Hub, job_row: int = JOB, due: float = FOREVER) -> asyncio.Future[None]:
    """A watcher that has read everything and sleeps."""
    signal = hub.subscribe(job_row)
    task = asyncio.ensure_future(signal.wait(due))
    await asyncio.sleep(0)
    assert signal._waiter is not None
    return task


async def test_wake__reaches_every_watcher_of_the_job_and_no_other() -> None:
    hub = Hub()
    own = [await sleeping(hub) for _ in range(3)]
    other = await sleeping(hub, OTHER)
    hub.wake([JOB])
    await asyncio.gather(*own)
    assert not other.done()
    other.cancel()


async def test_wake__between_clear_and_wait_is_not_lost() -> None:
    """The commit comes while the watcher reads: after it cleared its signal, before it sleeps."""
    hub = Hub()
    signal = hub.subscribe(JOB)
    signal.clear()
    hub.wake([JOB])
    await signal.wait(FOREVER)  # would hang here


async def test_clear__makes_the_next_wait_sleep() -> None:
    hub = Hub()
    signal = hub.subscribe(JOB)
    signal.set()
    signal.clear()
    task = asyncio.ensure_future(signal.wait(FOREVER))
    await asyncio.sleep(0)
    assert not task.done()
    hub.wake([JOB])
    await task


async def test_wake__twice_before_the_watcher_runs_is_one_wake() -> None:
    hub = Hub()
    task = await sleeping(hub)
    hub.wake([JOB])
    hub.wake([JOB])
    await task


async def test_wait__cancelled_while_it_is_woken_leaves_the_signal_set() -> None:
    hub = Hub()
    signal = hub.subscribe(JOB)
    task = asyncio.ensure_future(signal.wait(FOREVER))
    await asyncio.sleep(0)
    hub.wake([JOB])
    task.cancel()
    await asyncio.wait([task])
    await signal.wait(FOREVER)


async def test_tick__wakes_those_whose_time_has_come() -> None:
    hub = Hub()
    early, late = await sleeping(hub, due=5.0), await sleeping(hub, due=6.0)
    hub.tick(4.9)
    await asyncio.sleep(0)
    assert not early.done()
    hub.tick(5.0)
    await early
    assert not late.done()
    late.cancel()


async def test_drain__wakes_everyone_and_stays() -> None:
    hub = Hub()
    tasks = [await sleeping(hub), await sleeping(hub, OTHER)]
    hub.drain()
    await asyncio.gather(*tasks)
    assert hub.draining


async def test_unsubscribe__of_the_last_watcher_leaves_no_trace_of_the_job() -> None:
    hub = Hub()
    first, second = hub.subscribe(JOB), hub.subscribe(JOB)
    hub.unsubscribe(first)
    assert hub.is_watched(JOB)
    hub.unsubscribe(second)
    hub.unsubscribe(second)
    assert not hub.is_watched(JOB)
    assert len(hub) == 0
    assert hub._generations == {}


async def test_generation__rises_with_every_wake_of_a_watched_job() -> None:
    hub = Hub()
    hub.wake([JOB])
    hub.subscribe(JOB)
    hub.subscribe(OTHER)
    before, other = hub.generation(JOB), hub.generation(OTHER)
    hub.wake([JOB])
    assert hub.generation(JOB) > before
    assert hub.generation(OTHER) == other


async def test_generation__never_comes_back() -> None:
    """Commits are not counted while nobody watches: what was read before must not look as if it were new."""
    hub = Hub()
    seen = set()
    for _ in range(3):
        signal = hub.subscribe(JOB)
        assert hub.generation(JOB) not in seen
        seen.add(hub.generation(JOB))
        hub.unsubscribe(signal)


async def test_generation__stays_when_more_watchers_come() -> None:
    hub = Hub()
    hub.subscribe(JOB)
    before = hub.generation(JOB)
    hub.subscribe(JOB)
    assert hub.generation(JOB) == before


async def test_wake__of_a_team_reaches_those_who_watch_its_jobs_and_no_job() -> None:
    hub = Hub()
    signal = hub.subscribe("team")
    other, job = await sleeping(hub, JOB), hub.generation("team")
    hub.wake(["team", "another team"])
    await signal.wait(FOREVER)
    assert hub.generation("team") > job
    assert not other.done()
    hub.unsubscribe(signal)
    assert not hub.is_watched("team")
    other.cancel()
