"""How the tests start canaries, and what they ask of a pool."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Limits, Scratch

CANARY = Path(__file__).with_name("canary.py")
MIB = 2**20

LIMITS = Limits(address_space_bytes=512 * MIB, resident_bytes=512 * MIB, written_bytes=1 * MIB, wall_seconds=30.0)


def canary(limits: Limits = LIMITS, behaviour: str = "ok", *, all_protections: bool = False) -> ChildSpec:
    """How a canary is started; `behaviour` other than "ok" are in the canary's last lines."""
    return ChildSpec((sys.executable, "-I", str(CANARY), behaviour), limits, all_protections=all_protections)


@asynccontextmanager
async def canaries(
    limits: Limits = LIMITS,
    size: int = 1,
    *,
    behaviour: str = "ok",
    max_tasks: int = 1000,
    max_resident_bytes: int = 512 * MIB,
    patience_seconds: float = 10.0,
    all_protections: bool = False,
    readable_paths: tuple[str, ...] = (),
    scratch: Scratch | None = None,
) -> AsyncIterator[ChildPool]:
    """A started pool of canaries, stopped in the end."""
    pool = ChildPool(
        replace(
            canary(limits, behaviour, all_protections=all_protections), readable_paths=readable_paths, scratch=scratch
        ),
        size,
        max_tasks=max_tasks,
        max_resident_bytes=max_resident_bytes,
        patience_seconds=patience_seconds,
    )
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


def ignore(_progress: Mapping[str, Any]) -> None:
    """For tasks whose progress nobody watches."""


async def ask(pool: ChildPool, action: str, descriptors: tuple[int, ...] = (), **task: Any) -> Mapping[str, Any]:
    """The result of one task of a canary."""
    return await pool.run({"action": action, **task}, descriptors, ignore)


async def failure_of(pool: ChildPool, action: str, **task: Any) -> ChildFailure:
    """The failure that a task must end with."""
    try:
        result = await ask(pool, action, **task)
    except ChildFailure as failure:
        return failure
    raise AssertionError(f"{action} gave {result}")


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def death_of(pid: int) -> Iterator[Callable[[], Awaitable[None]]]:
    """Take hold of a living process; what it gives waits until that process has ended (reaped or not)."""
    descriptor = os.pidfd_open(pid)

    async def ended() -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            async with asyncio.timeout(5):
                await gone.wait()
        finally:
            loop.remove_reader(descriptor)

    try:
        yield ended
    finally:
        os.close(descriptor)


def children_of_this_process() -> set[int]:
    """Every child, zombies included."""
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
