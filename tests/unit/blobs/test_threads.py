"""Calls in threads are never left half-done."""

import asyncio
import os
import threading

import pytest

from ingest_grpc.blobs.threads import Threads
from ingest_grpc.cancellation import to_its_end


async def test_to_its_end__gives_result_and_error() -> None:
    async def fail() -> int:
        raise ZeroDivisionError

    assert await to_its_end(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(ZeroDivisionError):
        await to_its_end(fail())


@pytest.mark.parametrize("outcome", ["result", "error"])
async def test_run__passes_a_cancellation_on_only_after_the_call_ended(outcome: str) -> None:
    begun, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    ended: list[bool] = []

    def call() -> None:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(10)
        ended.append(True)
        if outcome == "error":
            raise ZeroDivisionError  # nobody is left to hear it: must not be reported as never retrieved

    threads = Threads()
    task = asyncio.create_task(threads.run(call))
    await begun.wait()
    for _ in range(3):  # an impatient caller cancels again and again
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
    await threads.stop()


async def test_descriptor__opened_for_a_cancelled_caller_is_closed() -> None:
    begun, may_open = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    opened: list[int] = []

    def open_it() -> int:
        loop.call_soon_threadsafe(begun.set)
        assert may_open.wait(10)
        opened.append(os.open("/dev/null", os.O_RDONLY))
        return opened[0]

    async def use() -> None:
        async with threads.descriptor(open_it):
            raise AssertionError("entered")

    threads = Threads()
    task = asyncio.create_task(use())
    await begun.wait()
    task.cancel()
    may_open.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
    await threads.stop()
