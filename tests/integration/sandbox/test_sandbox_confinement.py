"""What a confined child can no longer do. Each refusal is tried for real; none may weaken unnoticed."""

import errno
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ingest_grpc.sandbox import allocator
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import Ending, Limits, Scratch
from ingest_grpc.worker.executors.ocr import readable_paths
from tests.integration.sandbox.canary import FORBIDDEN
from tests.integration.sandbox.pools import LIMITS, MIB, ask, canaries, children_of_this_process, failure_of

REFUSED = {errno.EPERM, errno.EACCES}
GONE = {"create_here": errno.ENOENT}


PROFILES = {"converter": (), "ocr": readable_paths(Path("/nowhere")), "writing": ()}
"""What children of each kind may read by name: nothing, or the libraries of an OCR engine. The last kind has a folder
to write in."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PROFILES)
async def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ChildPool]:
    folder = Scratch(str(tmp_path_factory.mktemp("scratch")), max_bytes=MIB)
    scratch = folder if request.param == "writing" else None
    async with canaries(readable_paths=PROFILES[request.param], scratch=scratch) as pool:
        yield pool


def may_write(request: pytest.FixtureRequest) -> bool:
    """Whether the test's children have a folder to write in: it is where they work."""
    callspec: Any = request.node
    return bool(callspec.callspec.params["pool"] == "writing")


@pytest.mark.asyncio(loop_scope="module")
async def test_hello__every_protection_is_in_force(pool: ChildPool) -> None:
    assert pool.protections
    assert [name for name, in_force in pool.protections.items() if not in_force] == []


def test_profile__of_ocr_never_reads_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.worker.executors.ocr.LIBRARIES", (str(tmp_path), "/usr/lib"))
    assert readable_paths(tmp_path / "data") == ("/usr/lib",)
    assert readable_paths(Path("/elsewhere")) == (str(tmp_path), "/usr/lib")


async def test_hello__a_missing_protection_is_shown_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with canaries(behaviour="on_an_old_kernel") as pool:
        assert [name for name, in_force in pool.protections.items() if not in_force] == ["landlock"]
        assert (await ask(pool, "open_passwd"))["errno"] == 0
        assert (await ask(pool, "internet_socket"))["errno"] == errno.EPERM
    assert "converter children run without: landlock" in caplog.messages


async def test_hello__threads_that_were_there_before_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async with canaries(behaviour="with_threads") as pool:
        assert [name for name, in_force in pool.protections.items() if not in_force] == ["landlock"]
    assert "converter children run without: landlock" in caplog.messages


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("action", sorted(FORBIDDEN))
async def test_forbidden__is_refused(pool: ChildPool, action: str, request: pytest.FixtureRequest) -> None:
    answer = await ask(pool, action)
    expected = {0} if may_write(request) and action in GONE else {GONE[action]} if action in GONE else REFUSED
    assert answer["errno"] in expected, answer["text"]


@pytest.mark.asyncio(loop_scope="module")
async def test_surroundings__nothing_of_the_servers(pool: ChildPool, request: pytest.FixtureRequest) -> None:
    seen = await ask(pool, "describe")
    assert len(seen["descriptors"]) == 4  # the standard three and the channel
    assert set(seen["environment"]) == {
        "LANG",
        "HOME",
        "TMPDIR",
        "MALLOC_ARENA_MAX",
        "RUST_BACKTRACE",
        "TOKIO_WORKER_THREADS",
    }
    assert seen["session"] is True
    assert seen["cwd"]["errno"] == (0 if may_write(request) else errno.ENOENT)
    assert seen["limits"] == {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": LIMITS.open_files}


async def test_surroundings__another_allocator_and_deep_stacks_where_address_space_is_ample() -> None:
    """Both cost address space: a child that has little is better off without."""
    async with canaries() as scarce, canaries(replace(LIMITS, address_space_bytes=1024 * MIB)) as ample:
        seen, more = await ask(scarce, "describe"), await ask(ample, "describe")
    assert not seen["mimalloc"]
    assert more["mimalloc"] is bool(allocator.variables())
    assert set(more["environment"]) - set(seen["environment"]) == {"RUST_MIN_STACK", *allocator.variables()}


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
async def test_files__of_other_jobs_and_of_the_ledger_stay_closed(pool: ChildPool, tmp_path: Path) -> None:
    """By their true names, and by the server's own descriptors of them."""
    for name in ("ledger.sqlite3", "blobs/another-job", "uploads/part"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"secret")
        with path.open("rb") as held:
            for target in (path, Path(f"/proc/{os.getpid()}/fd/{held.fileno()}")):
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, os.O_PATH):
                    answer = await ask(pool, "open", path=str(target), flags=flags)
                    assert (answer["errno"] in REFUSED) or (flags == os.O_PATH and answer["errno"] == 0), answer
        assert path.read_bytes() == b"secret"


@pytest.mark.asyncio(loop_scope="module")
async def test_forks__all_of_very_many_are_refused(pool: ChildPool) -> None:
    before = children_of_this_process()
    assert (await ask(pool, "fork_often"))["errnos"] == [errno.EPERM]
    assert len(children_of_this_process() - before) <= 1  # a spare may have started meanwhile


async def test_threads__without_end_are_stopped() -> None:
    async with canaries(replace(LIMITS, threads=500)) as pool:
        failure = await failure_of(pool, "threads")
    assert (failure.ending, failure.detail) == (Ending.OUT_OF_MEMORY, "more than 500 threads")


async def test_output__of_a_gigabyte_is_stopped_wherever_it_goes(tmp_path: Path) -> None:
    async with canaries() as pool:
        with (tmp_path / "out").open("wb") as output:
            answer = await ask(pool, "write_beyond", (output.fileno(), output.fileno()), bytes=1024 * MIB)
            assert answer["errno"] == errno.EFBIG
            assert os.fstat(output.fileno()).st_size == LIMITS.written_bytes
        assert (await ask(pool, "say_much", bytes=1024 * MIB))["errno"] == errno.EFBIG


async def test_memory__of_eight_gigabytes_is_refused() -> None:
    for limits in (LIMITS, replace(LIMITS, address_space_bytes=None)):
        async with canaries(limits) as pool:
            assert (await failure_of(pool, "allocate", bytes=8 * 2**30)).ending is Ending.OUT_OF_MEMORY


async def test_protections__that_are_required_and_missing_leave_no_child() -> None:
    async with canaries(behaviour="on_an_old_kernel", all_protections=True, patience_seconds=1.0) as pool:
        failure = await failure_of(pool, "echo")
    assert (failure.ending, failure.detail) == (Ending.UNAVAILABLE, "UNAVAILABLE: the sandbox lacks landlock")
    assert pool.protections["landlock"] is False


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
