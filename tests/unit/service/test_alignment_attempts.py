"""What becomes of an alignment that does not complete at once, and its place in the queue."""

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep, JobStatus, JobType, RecordStatus
from ingest_grpc.model import EventType, JobUpdate, RecordError, SectionResult
from ingest_grpc.service.work import Retry
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import RecordRow
from tests.executors import Gate
from tests.factories import ALICE, BOB, WORKER, Core
from tests.reaching import AN_ALIGNMENT, reaches
from tests.unit.service.aligning import ready, refused, settings_of

PRINCIPLES = JobType.PRINCIPLE_FILES

# ── after a failed or cancelled alignment ──────────────────────────────────────────────────────────────────


async def fail_job(core: Core, job_id: str, *, cancel: bool = False) -> str:
    alignment = await core.start_job(job_id)
    claim = await core.claim_alignment()
    await (core.cancel(job_id) if cancel else core.fail_alignment(claim))
    assert (await core.job(job_id)).status is (JobStatus.CANCELLED if cancel else JobStatus.FAILED)
    return alignment.alignment_job_id


@pytest.mark.parametrize("cancel", [False, True])
async def test_new_files__make_history_of_the_alignment(core: Core, cancel: bool) -> None:
    job_id = await ready(core)
    await fail_job(core, job_id, cancel=cancel)
    head = (await core.job(job_id)).last_sequence
    await core.add(job_id, await core.upload())
    job = await core.job(job_id)
    assert (job.status, job.alignment_job_id) == (JobStatus.FILE_PROCESSING, None)
    assert EventType.ALIGNMENT_RETIRED in await core.event_types(job_id, head)
    assert (await core.jobs.get_detail(ALICE, job_id)).alignment is None
    await core.succeed(await core.claim_one())
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START
    await core.start_job(job_id)
    await core.align(await core.claim_alignment())
    assert (await core.job(job_id)).status is JobStatus.COMPLETED


async def test_removal__makes_history_of_a_failed_alignment(core: Core) -> None:
    job_id = await ready(core, b"# A\na\n", b"# B\nb\n")
    await fail_job(core, job_id)
    files = (await core.jobs.get_detail(ALICE, job_id)).files
    await core.remove(job_id, files=[files[0].file_id])
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START
    await core.remove(job_id, files=[files[1].file_id])
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW


async def test_removal__after_a_cancellation_stays_cancelled_until_a_start(core: Core) -> None:
    job_id = await ready(core, b"# A\na\n", b"# B\nb\n")
    await fail_job(core, job_id, cancel=True)
    files = (await core.jobs.get_detail(ALICE, job_id)).files
    await core.remove(job_id, files=[files[0].file_id])
    job = await core.job(job_id)
    assert (job.status, job.alignment_job_id) == (JobStatus.CANCELLED, None)
    await core.start_job(job_id)
    assert (await core.job(job_id)).status is JobStatus.QUEUED


async def test_removal_of_nothing__leaves_the_failed_alignment(core: Core) -> None:
    job_id = await ready(core)
    failed = await fail_job(core, job_id)
    await core.remove(job_id, files=["file-unknown"])
    assert (await core.job(job_id)).alignment_job_id == failed


@pytest.mark.parametrize("cancel", [False, True])
async def test_new_start__makes_history_of_the_alignment(core: Core, cancel: bool) -> None:
    job_id = await ready(core)
    first = await fail_job(core, job_id, cancel=cancel)
    head = (await core.job(job_id)).last_sequence
    second = await core.start_job(job_id)
    assert second.alignment_job_id != first
    assert await core.event_types(job_id, head) == [
        EventType.ALIGNMENT_RETIRED,
        EventType.ALIGNMENT_ADDED,
        EventType.JOB_CHANGED,
    ]


async def test_new_start__that_is_refused_leaves_the_failed_alignment(core: Core) -> None:
    created = await core.create(await core.markdown(data=b"# A\na\n"), job_type=PRINCIPLES, system_prompt="x")
    job_id = created.job.job.job_id
    failed = await fail_job(core, job_id)
    await settings_of(core).update(ALICE, job_id, JobUpdate(system_prompt=""), "", None)
    error = await refused(core, job_id)
    assert [one.type for one in error.preconditions] == ["SYSTEM_PROMPT_MISSING"]
    job = await core.job(job_id)
    assert (job.status, job.alignment_job_id) == (JobStatus.FAILED, failed)


# ── attempts ───────────────────────────────────────────────────────────────────────────────────────────────


async def retry(core: Core, claim: AlignmentRow, seconds: float = 2.0) -> bool:
    error = RecordError(reason=Reason.ALIGN_ENDPOINT_UNAVAILABLE, detail="HTTP 503")
    current = await core.alignment_work.finish(claim, AlignmentStep.GENERATE, Retry(error, seconds))
    await core.check()
    return current


async def test_retry__waits_for_its_back_off_and_fails_at_last(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    for attempt in range(1, core.settings.max_failures):
        assert await retry(core, await core.claim_alignment())
        waiting = await core.alignment(job_id)
        assert (waiting.status, waiting.failures, waiting.wait_reason) == (RecordStatus.QUEUED, attempt, "BACK_OFF")
        assert (waiting.queue_position, waiting.next_attempt_at) == (None, core.clock.now() + 2_000_000)
        assert waiting.error is not None
        assert await core.work.claim(WORKER, 1) == []
        assert await core.stager.step() == 2.0
        core.clock.advance(2.0)
        await core.stager.step()
    assert await retry(core, await core.claim_alignment())
    failed = await core.alignment(job_id)
    assert (failed.status, failed.failures, failed.current_step) == (RecordStatus.FAILED, 3, AlignmentStep.GENERATE)
    assert (await core.job(job_id)).status is JobStatus.FAILED


async def test_restart__queues_a_running_alignment_again(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    late = await core.claim_alignment()
    await core.reopen()
    assert await core.reaper.recover() == 1
    await core.check()
    assert (await core.alignment(job_id)).orphaned_count == 1
    claim = await core.claim_alignment()
    assert claim.attempt == late.attempt + 1
    assert not await core.fail_alignment(late), "the attempt is the fence"
    await core.align(claim)
    assert (await core.job(job_id)).status is JobStatus.COMPLETED


async def test_orphan__that_was_lost_too_often_fails(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    for _ in range(core.settings.max_orphaned + 1):
        assert await core.work.orphan(await core.work.claim(WORKER, 1)) == 1
    failed = await core.alignment(job_id)
    assert failed.error is not None
    assert (failed.status, failed.error.reason) == (RecordStatus.FAILED, Reason.WORKER_LOST)


async def test_reaper__takes_back_an_alignment_whose_lease_ran_out(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    core.leases.hold(await core.claim_alignment())
    assert [await core.reaper.step(), await core.reaper.step()] == [0, 0]
    core.clock.advance(core.settings.lease_seconds + 1)
    assert [await core.reaper.step(), await core.reaper.step()] == [0, 1]
    assert (await core.alignment(job_id)).status is RecordStatus.QUEUED


async def test_shutdown__gives_a_running_alignment_back(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    gate = Gate()

    async def held(*_arguments: object) -> None:
        await gate(None, None)  # type: ignore[arg-type]

    monkeypatch.setattr(core.aligner._engines[AlignmentEngine.ASSEMBLE], "align", held)
    await core.pool.step()
    await gate.entered.wait()
    await core.pool.stop(0)
    assert (await core.alignment(job_id)).status is RecordStatus.QUEUED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (IngestError(Reason.STORAGE_FULL), Reason.SERVICE_UNAVAILABLE),
        (RuntimeError("secret"), Reason.INTERNAL),
    ],
)
async def test_errors_of_the_service__are_tried_again(
    core: Core, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: Reason
) -> None:
    async def broken(*_arguments: object) -> None:
        raise error

    job_id = await ready(core)
    await core.start_job(job_id)
    monkeypatch.setattr(core.aligner._engines[AlignmentEngine.ASSEMBLE], "align", broken)
    await core.align(await core.claim_alignment())
    waiting = await core.alignment(job_id)
    assert waiting.error is not None
    assert (waiting.status, waiting.error.reason, waiting.error.detail) == (RecordStatus.QUEUED, reason, "")


@pytest.mark.parametrize("error", [IngestError(Reason.SERVER_BUSY), LookupError("purged")])
async def test_report__that_the_ledger_refuses_drops_the_dataset(
    core: Core, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def refuses(*_arguments: object) -> bool:
        raise error

    job_id = await ready(core)
    await core.start_job(job_id)
    monkeypatch.setattr(core.alignment_work, "finish", refuses)
    with pytest.raises(type(error)):  # the pool logs it
        await core.align(await core.claim_alignment())
    await core.check()  # also that no blob is without a row


@reaches(Reason.NOTHING_TO_ALIGN, AN_ALIGNMENT, "files that have no text below their headings")
async def test_files_without_text__fail_for_good(core: Core) -> None:
    job_id = await ready(core, b"# Heading\n")
    await core.start_job(job_id)
    await core.align(await core.claim_alignment())
    failed = await core.alignment(job_id)
    assert failed.error is not None
    assert (failed.status, failed.error.reason) == (RecordStatus.FAILED, Reason.NOTHING_TO_ALIGN)
    assert failed.current_step is AlignmentStep.SPLIT


@reaches(Reason.ALIGN_ENGINE_UNAVAILABLE, AN_ALIGNMENT, "an engine that is no longer set up")
async def test_engine__that_is_no_longer_set_up_fails_for_good(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    core.aligner._engines = {}
    await core.align(await core.claim_alignment())
    failed = await core.alignment(job_id)
    assert failed.error is not None
    assert failed.error.reason is Reason.ALIGN_ENGINE_UNAVAILABLE


# ── the queue ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_queue__takes_records_and_alignments_in_one_fair_order(core: Core) -> None:
    """The positions of all of them are checked by every `check`, and their order by the claims here."""
    job_id = await ready(core)
    other = (await core.create(await core.markdown("b.md", b"# B\nb\n", BOB), caller=BOB)).job.job.job_id
    many = (await core.create(*await core.uploads(3, prefix="a"))).job.job
    await core.start_job(job_id)  # behind its own team's records
    await core.check()
    await core.start_job(other, BOB)  # next to the other team's first
    await core.check()
    assert (await core.alignment(job_id)).queue_position == 5
    assert (await core.alignment(other, BOB)).queue_position == 2
    claims = await core.work.claim(WORKER, 10)
    assert [claim.record.job_id if isinstance(claim, RecordRow) else claim.alignment.job_id for claim in claims] == [
        many.job_id,
        other,
        many.job_id,
        many.job_id,
        job_id,
    ]


async def test_queue__claims_no_more_than_it_is_asked_for(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    await core.create(*await core.uploads(2))
    assert [len(await core.work.claim(WORKER, 1)) for _ in range(4)] == [1, 1, 1, 0]


async def test_pool__works_on_both_kinds(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    converted = (await core.create(*await core.uploads(1))).job.job.job_id
    assert await core.pool.step() == 2
    for work in list(core.pool._running):
        await work.task
    assert (await core.job(job_id)).status is JobStatus.COMPLETED
    assert (await core.job(converted)).status is JobStatus.READY_TO_START
    await core.check()


# ── results of sections ────────────────────────────────────────────────────────────────────────────────────


async def test_sections__are_kept_until_the_alignment_ends(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    claim = await core.claim_alignment()
    work = core.alignment_work
    for number in (2, 1, 3):
        await work.save_section(claim, number, SectionResult(f"d{number}", f"line {number}\n", 1, "", 10, 5))
    await work.save_section(claim, 2, SectionResult("d2b", "line 2b\n", 1))
    assert await work.section_digest(claim, 2) == "d2b"
    assert await work.section_digest(claim, 4) is None
    assert [result.lines async for result in work.section_results(claim, 2)] == ["line 1\n", "line 2b\n"]
    await core.janitor.step()
    assert await work.section_digest(claim, 1) == "d1", "the alignment still runs"
    await core.cancel(job_id)
    await work.save_section(claim, 4, SectionResult("d4", "", 0))
    assert await work.section_digest(claim, 4) is None, "a late result is void"
    await core.janitor.step()
    assert await work.section_digest(claim, 1) is None
