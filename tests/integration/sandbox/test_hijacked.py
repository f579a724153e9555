"""A child that was taken over harms no other task, keeps no room that its task had, and does nothing between tasks."""

import asyncio
import errno
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_grpc import memory_files
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildSpec, Ending, Limits, Scratch
from ingest_grpc.telemetry.instruments import REGISTRY
from tests.integration.sandbox.pools import LIMITS, MIB, ask, failure_of, open_descriptors

CHILD = Path(__file__).with_name("hijacked_child.py")


@asynccontextmanager
async def hijacked(
    sending: str = "honestly", limits: Limits = LIMITS, scratch: Scratch | None = None
) -> AsyncIterator[ChildPool]:
    """A started pool of such children that send as `hijacked_child.SENDING` names it, stopped in the end."""
    command = (sys.executable, "-I", str(CHILD), sending)
    spec = ChildSpec(command, limits, all_protections=True, scratch=scratch)
    pool = ChildPool(spec, 1, max_tasks=1000, max_resident_bytes=512 * MIB)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def reaped(pool: ChildPool, pid: int) -> None:
    """Wait until a living child of the pool is gone, and the pool knows it."""
    [child] = [child for child in pool._children if child.pid == pid]
    async with asyncio.timeout(20):
        await child.exited()


def restless() -> float:
    """How many children were replaced for what they did without a task."""
    return REGISTRY.get_sample_value("ingest_child_restarts_total", {"cause": "restless"}) or 0.0


async def test_output__that_was_closed_holds_nothing_for_who_kept_it() -> None:
    async with hijacked() as pool:
        output = memory_files.create("output")
        await ask(pool, "keep", (output,))
        memory_files.close(output)
        assert await ask(pool, "write to kept") == {"refused": [errno.EPERM] * 2, "bytes": 0}


async def test_rest__a_thread_that_works_on_is_the_end_of_its_child(caplog: pytest.LogCaptureFixture) -> None:
    before = restless()
    async with hijacked(limits=replace(LIMITS, rest_cpu_seconds=0.1)) as pool:
        pid = (await ask(pool, "spin on"))["pid"]
        await reaped(pool, pid)
        assert (await ask(pool, "nothing"))["pid"] != pid
    assert restless() == before + 1
    assert "without a task" in caplog.text


async def test_rest__the_folder_is_watched_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = restless()
    async with hijacked(scratch=Scratch(str(tmp_path), 2 * MIB)) as pool:
        pid = (await ask(pool, "fill on"))["pid"]
        await reaped(pool, pid)
        assert (await ask(pool, "nothing"))["pid"] != pid
    assert restless() == before + 1
    assert f"more than {2 * MIB} bytes in its folder" in caplog.text


@pytest.mark.parametrize("sending", ["twice", "ahead"])
async def test_answers__of_one_task_are_never_those_of_the_next(sending: str) -> None:
    async with hijacked(sending) as pool:
        answers = [await ask(pool, "nothing") for _ in range(3)]
    assert len({answer["pid"] for answer in answers}) == 3, "each was replaced, and no task suffered"


async def test_answer__of_half_a_message_runs_into_the_limits() -> None:
    async with hijacked("in half", replace(LIMITS, wall_seconds=0.3)) as pool:
        assert (await failure_of(pool, "nothing")).ending is Ending.TIMED_OUT


async def test_descriptors__that_come_back_are_nobodys() -> None:
    async with hijacked("with descriptors") as pool:
        await ask(pool, "nothing")
        before = open_descriptors()
        for _ in range(5):
            await ask(pool, "nothing")
        assert open_descriptors() <= before
