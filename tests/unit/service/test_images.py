"""Stored pictures come with the record's output and go with it, through the real runner and ledger."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import FileKind, FileRecord
from ingest_grpc.service.work import Done
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest
from ingest_grpc.worker.executors.unpacking import StreamBroken
from tests.engine import ENGINE
from tests.executors import OnProgress, Outcome, converted
from tests.factories import ALICE, Core, StartCore
from tests.unit.service.test_files import blob_files

DAY = 86_400.0
PNG, GIF = b"\x89PNG\r\n\x1a\n" + bytes(50), b"GIF89a" + bytes(20)
NAMES = ("image-1.png", "image-2.gif")


@pytest.fixture
async def core(start_core: StartCore) -> AsyncIterator[Core]:
    core = await start_core(
        store_images=True,
        max_stored_images=2,
        max_stored_image_bytes=60,
        max_stored_images_bytes=100,
        output_retention_days=60.0,
    )
    yield core
    await core.check()


async def send(request: ConversionRequest, *images: tuple[str, bytes]) -> None:
    assert request.images is not None
    for name, data in images:
        await request.images.begin(name)
        await request.images.write(data[:5])
        await request.images.write(data[5:])
        await request.images.end()


async def two(request: ConversionRequest, _: OnProgress) -> Outcome:
    await send(request, (NAMES[0], PNG), (NAMES[1], GIF))
    return converted()


async def illustrated(core: Core, filename: str = "a.docx") -> tuple[str, FileRecord]:
    """A job with one document that has two pictures: its id and the record."""
    core.executor.scripts[filename] = two
    created = await core.create(await core.upload(filename, b"document"))
    claim = await core.claim_one()
    await core.runner.run(claim)
    await core.check()
    return created.job.job.job_id, (await core.record(claim)).record


async def failed(core: Core, claim: RecordRow) -> FileRecord:
    await core.runner.run(claim)
    await core.check()
    return (await core.record(claim)).record


async def is_gone(core: Core, file_id: str) -> bool:
    file = await core.store.read(lambda rows: rows.file(ALICE.team_id, file_id))
    assert file is not None, "a deleted file keeps its row"
    return file.deleted_at is not None


async def test_images__are_files_that_the_record_lists(core: Core) -> None:
    _, record = await illustrated(core)
    files = [await core.files.get(ALICE, file_id) for file_id in record.image_file_ids]
    assert [(file.filename, file.content_type, file.kind) for file in files] == [
        (NAMES[0], "image/png", FileKind.OUTPUT), (NAMES[1], "image/gif", FileKind.OUTPUT),
    ]  # fmt: skip
    assert [await core.read(file.file_id) for file in files] == [PNG, GIF]
    assert all(file.file_id.startswith("file-") for file in files)


async def test_images__are_none_without_the_setting(start_core: StartCore) -> None:
    core = await start_core("plain")
    await core.create(await core.upload())
    claim = await core.claim_one()
    await core.runner.run(claim)
    assert (await core.record(claim)).record.image_file_ids == ()
    assert core.executor.requests[0].images is None


@pytest.mark.parametrize(
    "images",
    [
        [(NAMES[0], PNG), (NAMES[1], GIF), ("image-3.png", PNG)],
        [(NAMES[0], PNG + bytes(10))],
        [(NAMES[0], PNG), ("image-2.png", PNG)],
        [(NAMES[0], b"MZ" + bytes(20))],
        [("image-1.gif", PNG)],
        [("../image-1.png", PNG)],
        [("image-2.png", PNG)],
        [(NAMES[0], b"")],
    ],
)
async def test_images__of_a_child_that_lies_are_refused(core: Core, images: list[tuple[str, bytes]]) -> None:
    async def script(request: ConversionRequest, _: OnProgress) -> Outcome:
        with pytest.raises(StreamBroken):
            await send(request, *images)
        return ConversionFailed(Reason.CONVERTER_CRASHED, "as the executor says it")

    core.executor.scripts["a.docx"] = script
    await core.create(await core.upload("a.docx"))
    record = await failed(core, await core.claim_one())
    assert (record.status, record.image_file_ids) == (RecordStatus.QUEUED, ())
    assert len(blob_files(core)) == 1, "the source"


async def test_images__of_a_failed_or_cancelled_attempt_leave_nothing(core: Core) -> None:
    entered = asyncio.Event()

    async def stuck(request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        await two(request, on_progress)
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def no_text(request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        await two(request, on_progress)
        return ConversionFailed(Reason.NO_TEXT, "")

    core.executor.scripts |= {"a.docx": stuck, "b.docx": no_text}
    await core.create(await core.upload("a.docx"), await core.upload("b.docx"))
    first, second = await core.claim(2)
    running = asyncio.create_task(core.runner.run(first))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await failed(core, second)).image_file_ids == ()
    assert len(blob_files(core)) == 2, "the sources"


async def test_images__of_a_cancelled_job_are_dropped_with_the_output(core: Core) -> None:
    created = await core.create(await core.upload("a.docx"))
    claim = await core.claim_one()

    async def cancelled(request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        await core.jobs.cancel(ALICE, created.job.job.job_id, None)
        return await two(request, on_progress)

    core.executor.scripts["a.docx"] = cancelled
    await core.runner.run(claim)
    assert (await core.record(claim)).record.status is RecordStatus.CANCELLED
    assert len(blob_files(core)) == 1, "the source"


async def test_images__are_shared_by_a_record_that_reuses_the_output(core: Core) -> None:
    _, record = await illustrated(core, "a.pdf")
    blobs = blob_files(core)
    again = await core.create(await core.upload("b.pdf", b"document"))
    assert again.results[0].record_id is not None
    row = await core.store.read(lambda rows: rows.record_of_team(ALICE.team_id, str(again.results[0].record_id)))
    assert row is not None
    reused = row.record
    assert (reused.status, reused.reused_from) == (RecordStatus.COMPLETED, record.record_id)
    assert len(reused.image_file_ids) == 2
    assert not set(reused.image_file_ids) & set(record.image_file_ids)
    assert blob_files(core) == blobs
    await core.files.delete(ALICE, record.output_file_id, force=True, request=None)
    assert [await is_gone(core, file_id) for file_id in record.image_file_ids] == [True, True]
    assert [await core.read(file_id) for file_id in reused.image_file_ids] == [PNG, GIF]


async def test_images__are_shared_by_an_attempt_that_found_the_output_made_before(core: Core) -> None:
    """As workers of knowledge bases report it. A picture that was deleted by itself is shared no more."""
    _, record = await illustrated(core, "a.pdf")
    await core.files.delete(ALICE, record.image_file_ids[0], force=False, request=None)
    await core.create(await core.upload("b.txt", b"other"))
    claim = await core.claim_one()
    stored = await core.store_output(claim)
    assert await core.work.finish(claim, Done(stored, ENGINE, 1, reused_from=record.record_id))
    await core.blobs.settle(stored.key)
    await core.check()
    [shared] = (await core.record(claim)).record.image_file_ids
    assert (await core.files.get(ALICE, shared)).filename == NAMES[1]
    assert await core.read(shared) == GIF


async def test_images__go_with_an_expired_output(core: Core) -> None:
    _, record = await illustrated(core)
    core.clock.advance(60 * DAY + 1)
    assert await core.retention.expire_outputs() == 1
    assert [await is_gone(core, file_id) for file_id in record.image_file_ids] == [True, True]


async def test_images__that_a_job_reads_outlive_the_output(core: Core) -> None:
    _, record = await illustrated(core)
    used, other = record.image_file_ids
    await core.create(used)
    await core.files.delete(ALICE, record.output_file_id, force=True, request=None)
    assert (await is_gone(core, used), await is_gone(core, other)) == (False, True)
    assert await core.read(used) == PNG


async def test_images__are_purged_with_their_job(core: Core) -> None:
    job_id, _ = await illustrated(core)
    await core.job_settings.delete(ALICE, job_id, "", None)
    core.clock.advance(31 * DAY)
    await core.janitor.step()
    assert blob_files(core) == []


async def test_images__without_rows_are_gone_after_a_crash(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    core.executor.scripts["a.docx"] = two
    await core.create(await core.upload("a.docx"))
    claim = await core.claim_one()

    async def crash(*_: object) -> bool:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)  # nobody knows whether it was stored: nothing is deleted

    monkeypatch.setattr(core.work, "finish", crash)
    with pytest.raises(IngestError):
        await core.runner.run(claim)
    assert len(set(blob_files(core))) == 4
    await core.reopen()
    assert len(blob_files(core)) == 1, "the source"
