"""Conversions that need not be done twice, and what one team may take."""

from pathlib import Path

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus, JobType, RecordStatus, WaitReason
from ingest_grpc.model import AddFileOutcome, NewJob
from ingest_grpc.service.work import Done
from tests.engine import ENGINE
from tests.factories import ALICE, BOB, MARKDOWN, Core, StartCore, to_add


async def test_reuse__equal_bytes_are_not_converted_twice(core: Core) -> None:
    first = await core.create(await core.upload("a.pdf", b"same"))
    await core.succeed(await core.claim_one())

    second = await core.create(await core.upload("b.pdf", b"same"))

    assert second.results[0].outcome is AddFileOutcome.REUSED
    assert second.job.job.status is JobStatus.READY_TO_START
    record = await core.ingestion.get_record(ALICE, second.results[0].record_id or "")
    assert (record.status, record.reused_from) == (RecordStatus.COMPLETED, first.results[0].record_id)
    assert await core.claim(10) == []
    assert await core.read(record.output_file_id) == MARKDOWN


async def test_reuse__does_not_pass_on_what_an_index_lost(core: Core) -> None:
    """That a chunk has no vector says nothing of the Markdown that another job shares."""
    await core.create(await core.upload("a.pdf", b"same"))
    claim = await core.claim_one()
    done = Done(await core.store_output(claim), ENGINE, 1, losses=("page 3",), chunk_losses=("chunk 1", "chunk 2"))
    await core.work.finish(claim, done)
    await core.blobs.settle(done.output.key)

    second = await core.create(await core.upload("b.pdf", b"same"))

    original = (await core.record(claim)).record
    assert (original.losses, original.chunk_losses) == (("page 3", "chunk 1", "chunk 2"), 2)
    shared = await core.ingestion.get_record(ALICE, second.results[0].record_id or "")
    assert (shared.losses, shared.chunk_losses) == (("page 3",), 0)


async def test_reuse__outlives_the_original(core: Core) -> None:
    first = await core.create(await core.upload("a.pdf", b"same"))
    await core.succeed(await core.claim_one())
    second = await core.create(await core.upload("b.pdf", b"same"))
    await core.files.delete(ALICE, first.results[0].output_file_id or "", force=True, request=None)
    await core.check()
    assert await core.read(second.results[0].output_file_id or "") == MARKDOWN


@pytest.mark.parametrize("case", ["another team", "another suffix", "another declared type", "output deleted"])
async def test_reuse__not(core: Core, case: str) -> None:
    first = await core.create(await core.upload("a.pdf", b"same"))
    await core.succeed(await core.claim_one())
    caller = BOB if case == "another team" else ALICE
    if case == "output deleted":
        await core.files.delete(ALICE, first.results[0].output_file_id or "", force=True, request=None)
    name = "a.txt" if case == "another suffix" else "a.pdf"
    kind = "text/plain" if case == "another declared type" else "x/y"
    file = await core.upload(name, b"same", caller, kind)
    again = await core.create(file, caller=caller)
    assert again.results[0].outcome is AddFileOutcome.ADDED


async def test_reuse__resolves_what_it_replaces(core: Core) -> None:
    await core.create(await core.upload("good.pdf", b"same"))
    await core.succeed(await core.claim_one())
    created = await core.create(await core.upload("report.pdf", b"broken"))
    await core.fail(await core.claim_one())
    fixed = await core.add(created.job.job.job_id, await core.upload("report.pdf", b"same"))
    assert fixed.results[0].outcome is AddFileOutcome.REUSED
    assert fixed.job.job.status is JobStatus.READY_TO_START


async def test_priority__is_capped_by_the_key_and_goes_first(core: Core) -> None:
    await core.create(*await core.uploads(2))
    files = to_add(await core.upload("urgent.pdf"))
    new = NewJob(name="urgent", job_type=JobType.CONTEXT_GROUNDED_FILES, priority=9, files=files)
    job = (await core.jobs.create(ALICE, new, None)).value.job.job
    assert job.priority == ALICE.max_priority
    assert (await core.claim_one()).record.job_id == job.job_id


async def test_running_cap__holds_and_admits_one_by_one(tmp_path: Path) -> None:
    core = Core(tmp_path / "data", team_max_running=2)
    await core.start()
    try:
        created = await core.create(*await core.uploads(4))
        records = created.job.ingestion_jobs[0].records
        assert [record.queue_position for record in records] == [1, 2, None, None]
        assert [record.wait_reason for record in records[2:]] == [WaitReason.TEAM_CAP, WaitReason.TEAM_CAP]
        claims = await core.claim(10)
        assert len(claims) == 2
        assert await core.claim(10) == []
        await core.succeed(claims[0])
        assert len(await core.claim(10)) == 1
        await core.create(await core.upload("bob.pdf", caller=BOB), caller=BOB)
        assert len(await core.claim(10)) == 1, "the cap of one team holds nobody else up"
        await core.cancel(created.job.job.job_id)
        assert await core.claim(10) == []
    finally:
        await core.stop()


async def test_queue_cap__refuses_with_a_time_to_come_back(tmp_path: Path) -> None:
    core = Core(tmp_path / "data", team_max_queued=2)
    await core.start()
    try:
        with pytest.raises(IngestError) as raised:
            await core.create(*await core.uploads(3))
        assert raised.value.reason is Reason.TEAM_QUEUE_FULL
        assert raised.value.retry_after_seconds
        await core.create(*await core.uploads(2, prefix="fits-"))
        await core.check()
    finally:
        await core.stop()


async def test_queue_cap__does_not_count_what_needs_no_work(start_core: StartCore) -> None:
    core = await start_core(team_max_queued=1)
    job_id = (await core.create(await core.upload("a.pdf", b"same"))).job.job.job_id
    await core.succeed(await core.claim_one())
    twins = [await core.upload(name, b"same") for name in ("b.pdf", "c.pdf")]
    new = await core.upload("d.pdf", b"other")

    added = await core.add(job_id, *twins, new)

    assert [result.outcome for result in added.results] == [AddFileOutcome.REUSED] * 2 + [AddFileOutcome.ADDED]
    with pytest.raises(IngestError) as raised:
        await core.add(job_id, await core.upload("e.pdf", b"one more"))
    assert raised.value.reason is Reason.TEAM_QUEUE_FULL
    await core.check()


async def test_estimate__follows_the_pace(core: Core) -> None:
    created = await core.create(*await core.uploads(8))
    for _ in range(4):
        core.board.pace.note()
        core.clock.advance(10)
    detail = await core.jobs.get_detail(ALICE, created.job.job.job_id)
    starts = [record.estimated_start_at for record in detail.ingestion_jobs[0].records]
    assert starts[0] is not None
    assert starts[1] is not None
    assert starts[1] - starts[0] == pytest.approx(10_000_000)
