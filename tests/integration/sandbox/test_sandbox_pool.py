"""Children under supervision: told apart when they fail, replaced, reaped; on both event loops."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Ending, Limits
from tests.integration.sandbox.pools import (
    LIMITS,
    MIB,
    ask,
    canaries,
    canary,
    children_of_this_process,
    death_of,
    failure_of,
    ignore,
    open_descriptors,
)

SHORT = Limits(address_space_bytes=512 * MIB, resident_bytes=512 * MIB, written_bytes=MIB, wall_seconds=0.3)
NEW_CHILD_SECONDS = 2.0
BEYOND_LIMIT_SECONDS = 1.0


async def started(pool: ChildPool, action: str) -> "asyncio.Task[Mapping[str, Any]]":
    """A task whose child has said that it is at work."""
    at_work = asyncio.Event()
    task = asyncio.create_task(pool.run({"action": action}, (), lambda _: at_work.set()))
    await at_work.wait()
    return task


@pytest.mark.parametrize(
    ("action", "task", "ending", "words"),
    [
        ("signal", {"signal": signal.SIGSEGV}, Ending.CRASHED, "SIGSEGV"),
        ("exit", {"status": 7}, Ending.CRASHED, "status 7"),
        ("exit", {"status": 0}, Ending.CRASHED, "status 0"),
        ("say", {"text": "memory allocation of 99 bytes failed"}, Ending.OUT_OF_MEMORY, "99 bytes"),
        ("say", {"text": "assertion failed"}, Ending.CRASHED, "assertion failed"),
        ("raise", {}, Ending.BROKEN, "ValueError: on purpose"),
        ("garbage", {}, Ending.CRASHED, "protocol"),
        ("flood", {}, Ending.CRASHED, "too many progress"),
        ("flood of words", {}, Ending.CRASHED, "too many bytes"),
        ("close_channel", {}, Ending.CRASHED, "closed its channel"),
    ],
)
async def test_ending__told_apart_and_replaced(action: str, task: dict[str, Any], ending: Ending, words: str) -> None:
    async with canaries() as pool:
        first = (await ask(pool, "echo"))["pid"]
        with death_of(first) as death:
            failure = await failure_of(pool, action, **task)
            assert (failure.ending, words in failure.detail) == (ending, True), failure
            began = time.monotonic()
            assert (await ask(pool, "echo"))["pid"] != first
            assert time.monotonic() - began < NEW_CHILD_SECONDS
            await death()


async def test_killed_from_outside__is_a_crash() -> None:
    async with canaries() as pool:
        pid = (await ask(pool, "echo"))["pid"]
        task = await started(pool, "hang")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ChildFailure, match="SIGKILL"):
            await task


@pytest.mark.parametrize("action", ["spin", "hang"])
async def test_timeout__is_enforced(action: str) -> None:
    async with canaries(SHORT) as pool:
        pid = (await ask(pool, "echo"))["pid"]
        began = time.monotonic()
        failure = await failure_of(pool, action)
        assert time.monotonic() - began < SHORT.wall_seconds + BEYOND_LIMIT_SECONDS
        assert failure.ending is Ending.TIMED_OUT
        assert pid not in children_of_this_process()
        assert (await ask(pool, "echo"))["pid"] != pid


@pytest.mark.parametrize(
    ("action", "ending"), [("hang", Ending.STALLED), ("repeat", Ending.STALLED), ("go on", Ending.TIMED_OUT)]
)
async def test_timeout__no_progress_is_told_from_too_long_in_all(action: str, ending: Ending) -> None:
    limits = replace(LIMITS, wall_seconds=3.0, stall_seconds=1.0)
    async with canaries(limits) as pool:
        assert (await failure_of(pool, action)).ending is ending


async def test_cpu_time__runs_out_before_the_wall_clock() -> None:
    async with canaries(replace(LIMITS, cpu_seconds=1.0)) as pool:
        failure = await failure_of(pool, "spin")
        assert (failure.ending, failure.detail) == (Ending.TIMED_OUT, "used up its CPU time")


async def test_cancel__frees_the_caller_and_kills_the_child() -> None:
    async with canaries() as pool:
        pid = (await ask(pool, "echo"))["pid"]
        task = await started(pool, "spin")
        with death_of(pid) as death:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await death()
        assert (await ask(pool, "echo"))["pid"] != pid


async def test_cancel__at_every_moment_leaves_a_working_pool() -> None:
    """A task is cancelled before it began, while it waits for a child, and while its child works."""
    async with canaries(size=2) as pool:
        for turns in range(12):
            task = asyncio.create_task(ask(pool, "echo"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
        answers = await asyncio.gather(*(ask(pool, "echo", text=str(n)) for n in range(6)))
        assert [answer["text"] for answer in answers] == [str(n) for n in range(6)]


async def test_progress__arrives_in_order_before_the_result() -> None:
    seen: list[Mapping[str, Any]] = []
    async with canaries() as pool:
        await pool.run({"action": "echo"}, (), seen.append)
    assert seen == [{"seen": 0}]


async def test_progress__an_error_of_the_listener_ends_the_child() -> None:
    def refuse(_: Mapping[str, Any]) -> None:
        raise LookupError("nobody listens")

    async with canaries() as pool:
        pid = (await ask(pool, "echo"))["pid"]
        with death_of(pid) as death:
            with pytest.raises(LookupError, match="nobody listens"):
                await pool.run({"action": "spin"}, (), refuse)
            await death()


async def test_child__serves_many_tasks_until_its_share_is_done() -> None:
    async with canaries(max_tasks=3) as pool:
        pids = [(await ask(pool, "echo"))["pid"] for _ in range(9)]
    assert len(set(pids)) >= 3
    assert max(pids.count(pid) for pid in pids) == 3


async def test_child__is_replaced_above_its_resident_limit() -> None:
    async with canaries(max_resident_bytes=1 * MIB) as pool:
        pids = [(await ask(pool, "echo"))["pid"] for _ in range(3)]
    assert len(set(pids)) == 3


async def test_child__is_replaced_when_it_asks_for_it() -> None:
    async with canaries() as pool:
        pid = (await ask(pool, "retire"))["pid"]
        assert (await ask(pool, "echo"))["pid"] != pid


async def test_pool__as_many_at_once_as_its_size_and_one_spare() -> None:
    before = children_of_this_process()
    async with canaries(size=2) as pool:
        busy = [await started(pool, "hang") for _ in range(2)]
        third = asyncio.create_task(ask(pool, "echo"))
        assert len(children_of_this_process() - before) <= 3
        busy[0].cancel()
        assert (await third)["pid"]
        assert len(children_of_this_process() - before) <= 3
        busy[1].cancel()
        await asyncio.wait(busy)


async def test_idle_child__killed_from_outside_is_replaced() -> None:
    async with canaries() as pool:
        pid = (await ask(pool, "echo"))["pid"]
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        assert (await ask(pool, "echo"))["pid"] != pid
        assert time.monotonic() - began < NEW_CHILD_SECONDS


@pytest.mark.parametrize("behaviour", ["dead_on_arrival", "silent"])
async def test_start__that_never_succeeds_is_unavailable_and_does_not_spin(behaviour: str) -> None:
    async with canaries(behaviour=behaviour, patience_seconds=0.4) as pool:
        failure = await failure_of(pool, "echo")
    assert failure.ending is Ending.UNAVAILABLE
    assert pool._failed_starts < 8


async def test_start__a_missing_program_is_unavailable() -> None:
    pool = ChildPool(
        ChildSpec(("/nonexistent/program",), LIMITS), 1, max_tasks=1, max_resident_bytes=MIB, patience_seconds=0.3
    )
    await pool.start()
    with pytest.raises(ChildFailure, match=r"UNAVAILABLE.*No such file"):
        await ask(pool, "echo")
    await pool.stop()


async def test_stop__kills_and_reaps_everything_at_once() -> None:
    before = children_of_this_process()
    async with canaries(size=2) as pool:
        tasks = [await started(pool, "spin") for _ in range(2)]
        began = time.monotonic()
        await pool.stop()
        assert time.monotonic() - began < 1.0
        assert children_of_this_process() == before
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [getattr(outcome, "ending", outcome) for outcome in outcomes] == [Ending.UNAVAILABLE] * 2
        assert (await failure_of(pool, "echo")).ending is Ending.UNAVAILABLE


async def test_stop__reaps_children_that_are_still_starting() -> None:
    """Several at once: cancelling a group of starts must wait for each of them, not for the first."""
    before = children_of_this_process()
    async with canaries(size=3, behaviour="silent", patience_seconds=0.2) as pool:
        failures = await asyncio.gather(*(failure_of(pool, "echo") for _ in range(3)))
        assert {failure.ending for failure in failures} == {Ending.UNAVAILABLE}
        await pool.stop()
        assert children_of_this_process() == before
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_descriptors__do_not_leak() -> None:
    async def one_of_each() -> None:
        async with canaries(SHORT) as pool:
            for action in ("signal", "hang", "retire", "garbage", "raise", "echo"):
                await asyncio.gather(ask(pool, action, signal=9), return_exceptions=True)

    await one_of_each()  # what an event loop opens once, it has opened now
    before = open_descriptors()
    await one_of_each()
    assert open_descriptors() == before


async def test_working_folders__are_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with canaries() as pool:
        await failure_of(pool, "exit", status=1)
        await ask(pool, "echo")
    async with canaries(behaviour="dead_on_arrival", patience_seconds=0.2) as pool:
        await failure_of(pool, "echo")
    assert list(tmp_path.iterdir()) == []


async def test_stop__twice_and_before_start() -> None:
    pool = ChildPool(canary(), 1, max_tasks=1, max_resident_bytes=MIB)
    await pool.stop()
    await pool.stop()
    with pytest.raises(ChildFailure, match="stopping"):
        await pool.run({"action": "echo"}, (), ignore)
