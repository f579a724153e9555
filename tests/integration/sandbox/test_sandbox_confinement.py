"""What a confined child can no longer do. Each refusal is tried for real; none may weaken unnoticed."""

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import Ending, Limits
from tests.integration.sandbox.canary import FORBIDDEN
from tests.integration.sandbox.pools import LIMITS, MIB, ask, canaries, failure_of

REFUSED = {errno.EPERM, errno.EACCES}
GONE = {"create_here": errno.ENOENT}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[ChildPool]:
    async with canaries() as pool:
        yield pool


@pytest.mark.asyncio(loop_scope="module")
async def test_hello__every_protection_is_in_force(pool: ChildPool) -> None:
    assert pool.protections
    assert [name for name, in_force in pool.protections.items() if not in_force] == []


async def test_hello__a_missing_protection_is_shown_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with canaries(behaviour="on_an_old_kernel") as pool:
        assert [name for name, in_force in pool.protections.items() if not in_force] == ["landlock"]
        assert (await ask(pool, "open_passwd"))["errno"] == 0
        assert (await ask(pool, "internet_socket"))["errno"] == errno.EPERM
    assert "converter children run without: landlock" in caplog.messages


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("action", sorted(FORBIDDEN))
async def test_forbidden__is_refused(pool: ChildPool, action: str) -> None:
    answer = await ask(pool, action)
    assert answer["errno"] in ({GONE[action]} if action in GONE else REFUSED), answer["text"]


@pytest.mark.asyncio(loop_scope="module")
async def test_surroundings__nothing_of_the_servers(pool: ChildPool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = await ask(pool, "describe")
    assert len(seen["descriptors"]) == 4  # the standard three and the channel
    assert set(seen["environment"]) == {
        "LANG",
        "HOME",
        "TMPDIR",
        "MALLOC_ARENA_MAX",
        "RUST_BACKTRACE",
        "RUST_MIN_STACK",
    }
    assert seen["session"] is True
    assert seen["cwd"]["errno"] == errno.ENOENT
    assert seen["limits"] == {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": LIMITS.open_files}


@pytest.mark.asyncio(loop_scope="module")
async def test_descriptors__of_a_task_work_and_are_closed_after_it(pool: ChildPool, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"some bytes")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as output:
        assert await ask(pool, "copy", (source.fileno(), output.fileno())) == {"count": 10}
        assert (await ask(pool, "write_to_source", (source.fileno(),)))["errno"] == errno.EBADF
    assert (tmp_path / "out").read_bytes() == b"some bytes"
    assert len((await ask(pool, "describe"))["descriptors"]) == 4


@pytest.mark.asyncio(loop_scope="module")
async def test_output__cannot_grow_beyond_its_cap(pool: ChildPool, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output:
        answer = await ask(pool, "write_beyond", (output.fileno(), output.fileno()), bytes=4 * MIB)
        assert answer["errno"] == errno.EFBIG
        assert os.fstat(output.fileno()).st_size == LIMITS.written_bytes


@pytest.mark.asyncio(loop_scope="module")
async def test_memory__cannot_grow_beyond_the_address_space(pool: ChildPool) -> None:
    failure = await failure_of(pool, "allocate", bytes=4 * 2**30)
    assert failure.ending is Ending.OUT_OF_MEMORY


async def test_memory__resident_pages_are_watched_where_address_space_is_not() -> None:
    limits = Limits(address_space_bytes=None, resident_bytes=128 * MIB, written_bytes=MIB, wall_seconds=30.0)
    async with canaries(limits) as pool:
        failure = await failure_of(pool, "grow", bytes=2048 * MIB)
    assert failure.ending is Ending.OUT_OF_MEMORY
    assert "resident" in failure.detail
