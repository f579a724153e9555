import asyncio

import pytest

from ingest_grpc.worker import loop as loop_module
from ingest_grpc.worker.loop import Loop


class Steps:
    """Counts the calls of a loop's step; each can be awaited."""

    def __init__(self, *seconds: float | Exception) -> None:
        self._seconds = list(seconds)
        self.count = 0
        self._called = asyncio.Condition()

    async def __call__(self) -> float:
        async with self._called:
            self.count += 1
            self._called.notify_all()
        seconds = self._seconds.pop(0) if self._seconds else 3600.0
        if isinstance(seconds, Exception):
            raise seconds
        return seconds

    async def reach(self, count: int) -> None:
        async with self._called, asyncio.timeout(10):
            await self._called.wait_for(lambda: self.count >= count)


async def test_loop__steps_at_once_and_whenever_it_is_woken() -> None:
    steps = Steps()
    loop = Loop("test", steps)
    loop.start()
    for count in (1, 2, 3):
        await steps.reach(count)
        loop.wake()
    await steps.reach(4)
    await loop.stop()
    assert steps.count == 4


async def test_loop__looks_by_itself_after_the_time_that_its_step_told() -> None:
    steps = Steps(0.0, 0.001)
    loop = Loop("test", steps)
    loop.start()
    await steps.reach(3)
    await loop.stop()


async def test_loop__does_not_lose_a_wake_that_comes_during_its_step() -> None:
    entered, release = asyncio.Event(), asyncio.Event()
    steps = Steps()

    async def slow() -> float:
        seconds = await steps()
        entered.set()
        await release.wait()
        return seconds

    loop = Loop("test", slow)
    loop.start()
    await entered.wait()
    loop.wake()
    release.set()
    await steps.reach(2)
    await loop.stop()


async def test_loop__outlives_a_step_that_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop_module, "PAUSE_AFTER_ERROR_SECONDS", 0.0)
    steps = Steps(ValueError("broken"), ValueError("again"))
    loop = Loop("test", steps)
    loop.start()
    await steps.reach(3)
    await loop.stop()
    assert [record.message for record in caplog.records] == ["test failed, trying again"] * 2


async def test_loop__stop_is_idempotent_and_ends_a_step_that_hangs() -> None:
    hanging = asyncio.Event()

    async def hangs() -> float:
        hanging.set()
        await asyncio.Event().wait()
        return 0.0

    loop = Loop("test", hangs)
    await loop.stop()
    loop.start()
    await hanging.wait()
    await loop.stop()
    await loop.stop()


async def test_loop__ends_though_its_step_took_the_cancellation_for_a_failure() -> None:
    entered = asyncio.Event()

    async def deaf() -> float:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None
        return 0.0

    loop = Loop("test", deaf)
    loop.start()
    await entered.wait()
    async with asyncio.timeout(10):
        await loop.stop()
