"""Work that is cancelled, fails or is stopped at the worst moment: no bytes without an owner, no outcome lost."""

import asyncio
import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import AlignmentStep, RecordStatus
from ingest_grpc.model import AlignmentProgress, File, ImportSource, NewImport
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest
from ingest_grpc.worker.executors.local import LocalExecutor
from tests.executors import Gate, OnProgress
from tests.factories import ALICE, Core, StartCore
from tests.faults import cancelled_at
from tests.unit.service.aligning import ready
from tests.workers import statuses, until_idle

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


async def without_an_owner(core: Core) -> list[str]:
    """Keys of durable blobs that no row names."""
    return [blob.key async for blob in core.blobs.listing() if not await core._is_known(blob.key)]


def archive(number: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("a.txt", f"a {number}")
    return written.getvalue()


def noticed(core: Core, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the pool begins to claim."""
    claim, claiming = core.work.claim, asyncio.Event()

    async def claims(*arguments: Any) -> Sequence[Any]:
        claiming.set()
        return await claim(*arguments)

    monkeypatch.setattr(core.work, "claim", claims)
    return claiming


@pytest.mark.parametrize("name", ["{}.docx", "{}.zip"])
async def test_run__cancelled_anywhere_leaves_no_bytes_without_an_owner(start_core: StartCore, name: str) -> None:
    core = await start_core(store_images=True)
    for suspension in range(1, 60):
        content = archive(suspension) if name == "{}.zip" else f"text {suspension}".encode()
        created = await core.create(await core.upload(name.format(suspension), content))
        claim = await core.claim_one()
        ended = False
        with suppress(asyncio.CancelledError):
            await cancelled_at(core.runner.run(claim), suspension)
            ended = True
        await core.runner.drain()
        await core.orphan(claim)
        await core.jobs.cancel(ALICE, created.job.job.job_id, None)
        assert await without_an_owner(core) == [], f"cancelled at suspension {suspension}"
        if ended:
            return
    raise AssertionError("it never ended")


async def test_run__whose_pictures_cannot_be_dropped_keeps_its_outcome(
    start_core: StartCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await start_core(store_images=True)

    async def broken(request: ConversionRequest, _on_progress: OnProgress) -> ConversionFailed:
        assert request.images is not None
        await request.images.begin("image-1.png")
        await request.images.write(PNG)
        await request.images.end()
        return ConversionFailed(Reason.PDF_UNREADABLE, "not a PDF")

    async def fails(_key: str) -> None:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    core.executor.scripts["1"] = broken
    job_id = (await core.create(await core.upload("1"))).job.job.job_id
    with monkeypatch.context() as storage:
        storage.setattr(core.blobs, "delete", fails)
        await core.pool.step()
        await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.FAILED]
    for key in await without_an_owner(core):  # as the next start does
        await core.blobs.delete(key)


async def test_aligner__cancelled_by_the_commit_of_its_outcome_leaves_no_dataset(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    finish, cancelling = core.alignment_work.finish, []

    async def after_the_cancellation(*arguments: Any) -> bool:
        cancelling.append(asyncio.create_task(core.jobs.cancel(ALICE, job_id, None)))
        await asyncio.sleep(0)  # both are in the writer's queue then, this one second
        return await finish(*arguments)

    monkeypatch.setattr(core.alignment_work, "finish", after_the_cancellation)
    assert await core.pool.step() == 1
    await until_idle(core)
    await asyncio.gather(*cancelling)
    await core.aligner.drain()
    assert await without_an_owner(core) == []


async def test_claim__that_the_same_commit_cancels_is_not_worked_on(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.executor.scripts["1"] = gate = Gate()
    job_id = (await core.create(await core.upload("1"))).job.job.job_id
    claim, batches = core.work.claim, len(core.commits)

    async def overtaken(*arguments: Any) -> Sequence[Any]:
        claiming = asyncio.ensure_future(claim(*arguments))
        await asyncio.sleep(0)  # it is in the writer's queue
        await core.jobs.cancel(ALICE, job_id, None)
        return await claiming

    monkeypatch.setattr(core.work, "claim", overtaken)
    assert await core.pool.step() == 1
    assert len(core.commits) == batches + 1
    await until_idle(core)
    assert await statuses(core, job_id) == [RecordStatus.CANCELLED]
    assert not gate.entered.is_set()


async def test_stop__gives_back_what_is_being_claimed(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = (await core.create(*await core.uploads(2))).job.job.job_id
    claiming = noticed(core, monkeypatch)
    core.pool.start()
    await claiming.wait()
    await core.pool.stop(grace_seconds=10)
    assert await statuses(core, job_id) == [RecordStatus.QUEUED] * 2


async def test_scan__whose_stages_take_long_keeps_its_lease(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps its own limit, and tells of its progress; all together take longer than any lease."""
    executor, taken, stages = LocalExecutor(core.settings), list[int](), list[str]()

    async def passes(tell: Callable[[], None]) -> None:
        for _ in range(8):
            core.clock.advance(core.settings.conversion_timeout_seconds / 9)
            tell()
            taken.extend([await core.reaper.step() for _ in range(2)])

    async def convert(_task: object, descriptors: Sequence[int], tell: Callable[[Mapping[str, Any]], None]) -> Any:
        stages.append("child")
        await passes(lambda: tell({"step": "PARSE", "units_done": 1, "units_total": 2, "unit": "pages"}))
        os.pwrite(descriptors[1], b"# Text\n", 0)
        return {"outcome": "unread", "pages": [1], "is_pdf": True} if len(stages) == 1 else {}

    async def read(*_: object, on_page: Callable[[int], None], **__: object) -> Mapping[int, str]:
        stages.append("ocr")
        await passes(lambda: on_page(1))
        return {1: "text"}

    monkeypatch.setattr(executor._pool, "run", convert)
    monkeypatch.setattr(executor._ocr, "read", read)
    monkeypatch.setattr(core.runner, "_executor", executor)
    await core.create(await core.upload("a.pdf"))
    assert await core.pool.step() == 1
    await until_idle(core)
    assert (stages, sum(taken)) == (["child", "ocr", "child"], 0)


async def test_import__that_another_record_fetches_keeps_the_lease_of_who_waits(
    start_core: StartCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await start_core(import_roots=[tmp_path])
    (tmp_path / "a.bin").write_bytes(b"x" * 1000)
    imports = core.file_services.imports
    new = NewImport(url=f"file://{tmp_path}/a.bin", filename="a.bin", content_type="x/y")
    file = (await imports.import_file(ALICE, new, None)).value
    await core.create(file)
    await core.create(file)
    fetch, fetching, may_end = imports._fetch, asyncio.Event(), asyncio.Event()
    heard: list[Sequence[Callable[[int, int], None]]] = []

    async def slow(file: File, source: ImportSource, listeners: Any) -> File:
        heard.append(listeners)
        fetching.set()
        await may_end.wait()
        return await fetch(file, source, listeners)

    monkeypatch.setattr(imports, "_fetch", slow)
    assert await core.pool.step() == 2
    await fetching.wait()
    await core.work.admit_due()  # a turn of the loop and of the writer: the second one waits
    assert len(heard[0]) == 2
    for minute in range(6):
        core.clock.advance(60)
        for on_bytes in heard[0]:
            on_bytes(minute, 1000)
        assert [await core.reaper.step() for _ in range(2)] == [0, 0]
    may_end.set()
    await until_idle(core)
    assert imports._listeners == {}


async def test_board__keeps_what_the_newest_attempt_said(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    old = await core.claim_alignment()
    await core.orphan(old)
    new = await core.claim_alignment()

    def progress(claim: AlignmentRow) -> AlignmentProgress:
        return AlignmentProgress(claim.alignment.alignment_job_id, AlignmentStep.GENERATE, 1.0, 1.0, None)

    board = core.board.alignments
    board.report(new.job_row, new.alignment, progress(new))
    board.report(old.job_row, old.alignment, progress(old))
    assert board.of(new.job_row, new.alignment) is not None
