"""StartJob: what it does, what it refuses, and how it is cancelled; with a clock that is turned by hand."""

import asyncio
import json

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import AlignmentEngine, JobStatus, JobType, RecordStatus
from ingest_grpc.model import EventType, FileToAdd, JobUpdate
from tests.executors import Gate
from tests.factories import ALICE, BOB, WORKER, Core, request
from tests.unit.service.aligning import ready, refused, settings_of

PRINCIPLES = JobType.PRINCIPLE_FILES

# ── start ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_start__makes_the_dataset_and_completes_the_job(core: Core) -> None:
    pdf = await core.upload("report.pdf")
    notes = await core.markdown("notes.md", b"# Notes\nfirst\n")
    created = await core.create(pdf, notes, job_type=PRINCIPLES, system_prompt="Be kind.")
    job_id = created.job.job.job_id
    await core.succeed(await core.claim_one())
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START

    alignment = await core.start_job(job_id)
    assert (alignment.status, alignment.queue_position, alignment.engine) == (
        RecordStatus.QUEUED,
        1,
        AlignmentEngine.ASSEMBLE,
    )
    job = await core.job(job_id)
    assert (job.status, job.alignment_job_id, job.facts.settled) == (
        JobStatus.QUEUED,
        alignment.alignment_job_id,
        False,
    )
    claim = await core.claim_alignment()
    assert (await core.job(job_id)).status is JobStatus.RUNNING
    await core.align(claim)

    done = await core.alignment(job_id)
    assert (done.status, done.progress, done.current_step) == (RecordStatus.COMPLETED, 100.0, None)
    job = await core.job(job_id)
    assert (job.status, job.facts.settled) == (JobStatus.COMPLETED, True)
    [file_id] = done.output_file_ids
    dataset = await core.files.get(ALICE, file_id)
    assert (dataset.filename, dataset.content_type, dataset.kind) == ("job.jsonl", "application/jsonl", "OUTPUT")
    lines = [json.loads(line) for line in (await core.read(file_id)).splitlines()]
    assert [(line["source"]["filename"], line["text"], line["system_prompt"]) for line in lines] == [
        ("notes.md", "first", "Be kind.")
    ]
    assert (done.totals.sections, done.totals.examples) == (1, 1)


async def test_start__tells_the_timeline_what_happens(core: Core) -> None:
    job_id = await ready(core)
    head = (await core.job(job_id)).last_sequence
    await core.start_job(job_id)
    await core.align(await core.claim_alignment())
    assert await core.event_types(job_id, head) == [
        EventType.ALIGNMENT_ADDED,
        EventType.JOB_CHANGED,
        EventType.ALIGNMENT_CLAIMED,
        EventType.JOB_CHANGED,
        EventType.ALIGNMENT_COMPLETED,
        EventType.JOB_CHANGED,
    ]
    actors = [event.actor for event in await core.events(job_id, head)]
    assert actors == ["alice", "alice", WORKER, WORKER, WORKER, WORKER]


async def test_start__uses_the_prompts_of_its_moment(core: Core) -> None:
    job_id = await ready(core)
    await settings_of(core).update(ALICE, job_id, JobUpdate(system_prompt="first"), "", None)
    await core.start_job(job_id)
    await settings_of(core).update(ALICE, job_id, JobUpdate(system_prompt="second"), "", None)
    await core.align(await core.claim_alignment())
    [file_id] = (await core.alignment(job_id)).output_file_ids
    assert json.loads(await core.read(file_id))["system_prompt"] == "first"


async def test_start__is_one_effect_per_request_id(core: Core) -> None:
    job_id = await ready(core)
    once = request("start")
    first = await core.alignments.start(ALICE, job_id, "", once)
    again = await core.alignments.start(ALICE, job_id, "", once)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.value.alignment == again.value.alignment


async def test_start__of_another_teams_job(core: Core) -> None:
    job_id = await ready(core)
    with pytest.raises(IngestError) as raised:
        await core.start_job(job_id, BOB)
    assert raised.value.reason is Reason.JOB_NOT_FOUND


async def test_start__of_a_deleted_job(core: Core) -> None:
    job_id = await ready(core)
    await settings_of(core).delete(ALICE, job_id, "", None)
    assert (await refused(core, job_id)).reason is Reason.JOB_DELETED


async def test_start__of_exactly_what_was_reviewed(core: Core) -> None:
    job_id = await ready(core)
    reviewed = (await core.job(job_id)).files_etag
    await core.add(job_id, await core.markdown("late.md"))
    error = await refused(core, job_id, files_etag=reviewed)
    now = (await core.job(job_id)).files_etag
    assert error.reason is Reason.FILES_ETAG_MISMATCH
    assert error.metadata == {"expected_files_etag": reviewed, "actual_files_etag": now}
    await core.start_job(job_id, files_etag=now)


# ── what a start refuses ───────────────────────────────────────────────────────────────────────────────────


async def test_refusal__while_files_are_converted(core: Core) -> None:
    created = await core.create(*await core.uploads(3))
    await core.claim_one()
    error = await refused(core, created.job.job.job_id)
    assert (error.reason, error.metadata) == (Reason.FILES_PROCESSING, {"queued": "2", "running": "1"})


async def test_refusal__without_a_viable_file_and_a_system_prompt(core: Core) -> None:
    created = await core.create(job_type=PRINCIPLES)
    error = await refused(core, created.job.job.job_id)
    assert error.reason is Reason.NOT_READY_TO_START
    assert [one.type for one in error.preconditions] == ["NO_VIABLE_FILE", "SYSTEM_PROMPT_MISSING"]
    assert {one.subject for one in error.preconditions} == {created.job.job.job_id}
    assert error.preconditions_total == 2


async def test_refusal__names_each_failed_and_cancelled_record(core: Core) -> None:
    files = [*await core.uploads(2), await core.markdown()]
    created = await core.create(*files)
    job_id = created.job.job.job_id
    failed = await core.claim_one()
    await core.fail(failed)
    await core.cancel(job_id)
    error = await refused(core, job_id)
    assert error.reason is Reason.NOT_READY_TO_START, "starting lifts the cancellation and then finds the records"
    assert [(one.type, one.subject) for one in error.preconditions] == [
        ("RECORD_FAILED", created.results[0].record_id),
        ("RECORD_CANCELLED", created.results[1].record_id),
    ]
    assert error.preconditions[0].description == (
        "1.pdf: The PDF may be corrupted, password-protected, or in an unsupported format. "
        "Upload a valid, unprotected PDF."
    )


async def test_refusal__counts_all_reasons_and_names_the_first_hundred(core: Core) -> None:
    created = await core.create(*await core.uploads(101), await core.markdown())
    await core.cancel(created.job.job.job_id)
    error = await refused(core, created.job.job.job_id)
    assert (len(error.preconditions), error.preconditions_total) == (100, 101)
    assert error.metadata["review_reasons_total"] == "101"


@pytest.mark.parametrize("status", [RecordStatus.QUEUED, RecordStatus.RUNNING, RecordStatus.COMPLETED])
async def test_refusal__of_what_was_started(core: Core, status: RecordStatus) -> None:
    job_id = await ready(core)
    alignment = await core.start_job(job_id)
    if status is not RecordStatus.QUEUED:
        claim = await core.claim_alignment()
        if status is RecordStatus.COMPLETED:
            await core.align(claim)
    error = await refused(core, job_id)
    assert error.reason is Reason.JOB_STARTED
    assert error.metadata == {
        "job_id": job_id,
        "alignment_job_id": alignment.alignment_job_id,
        "status": status.lower(),
    }


@pytest.mark.parametrize("status", [RecordStatus.QUEUED, RecordStatus.RUNNING, RecordStatus.COMPLETED])
async def test_files__are_frozen_once_started(core: Core, status: RecordStatus) -> None:
    pdf, notes, more = await core.upload(), await core.markdown("notes.md", b"# N\nn\n"), await core.markdown("more.md")
    created = await core.create(pdf, notes)
    job_id, record_id = created.job.job.job_id, created.results[0].record_id
    assert record_id is not None
    await core.succeed(await core.claim_one())
    await core.start_job(job_id)
    if status is not RecordStatus.QUEUED:
        claim = await core.claim_alignment()
        if status is RecordStatus.COMPLETED:
            await core.align(claim)
    before = await core.events(job_id)
    calls = [
        core.add(job_id, more),
        core.add(job_id, FileToAdd(file_id="file-unknown"), allow_partial=True),
        core.remove(job_id, records=[record_id]),
        core.remove(job_id, files=[notes.file_id]),
        core.retries.retry(ALICE, job_id, [record_id], None),
        core.retries.retry(ALICE, job_id, None, None),
        core.files.delete(ALICE, pdf.file_id, force=True, request=None),
        core.files.delete(ALICE, notes.file_id, force=True, request=None),
    ]
    for call in calls:
        with pytest.raises(IngestError) as raised:
            await call
        assert raised.value.reason is Reason.JOB_STARTED
    assert await core.events(job_id) == before
    clone = await settings_of(core).clone(ALICE, job_id, "", None, None)
    assert clone.value.job.status is JobStatus.READY_TO_START, "the way on"


# ── cancel ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_cancel_before_start__is_lifted_by_the_start(core: Core) -> None:
    job_id = await ready(core)
    await core.cancel(job_id)
    assert (await core.job(job_id)).status is JobStatus.CANCELLED
    await core.start_job(job_id)
    job = await core.job(job_id)
    assert (job.status, job.cancelled) == (JobStatus.QUEUED, False)


async def test_cancel__of_a_queued_alignment(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    done = await core.jobs.cancel(ALICE, job_id, None)
    await core.check()
    assert (done.value.alignment_cancelled, done.value.records_cancelled) == (True, 0)
    assert (done.value.job.status, done.value.job.facts.settled) == (JobStatus.CANCELLED, True)
    assert await core.work.claim(WORKER, 1) == []
    again = await core.jobs.cancel(ALICE, job_id, None)
    assert not again.value.alignment_cancelled
    assert again.value.job.last_sequence == done.value.job.last_sequence


async def test_cancel__of_a_running_alignment_voids_its_result(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    claim = await core.claim_alignment()
    await core.cancel(job_id)
    assert core.commits[-1].stopped == {(claim.key, claim.attempt)}
    head = (await core.job(job_id)).last_sequence
    await core.align(claim)  # the worker did not hear of it; its dataset is dropped, as `check` proves
    assert (await core.alignment(job_id)).output_file_ids == ()
    assert (await core.job(job_id)).last_sequence == head


async def test_cancel__stops_the_work(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    gate = Gate()

    async def held(*_arguments: object) -> None:
        await gate(None, None)  # type: ignore[arg-type]

    engine = core.aligner._engines[AlignmentEngine.ASSEMBLE]
    monkeypatch.setattr(engine, "align", held)
    await core.pool.step()
    [work] = core.pool._running
    await gate.entered.wait()
    await core.jobs.cancel(ALICE, job_id, None)
    await asyncio.wait([work.task])
    assert work.task.cancelled()
    assert not core.leases._held
    assert (await core.job(job_id)).status is JobStatus.CANCELLED


@pytest.mark.parametrize("succeeds", [True, False])
async def test_cancel__changes_nothing_once_the_alignment_ended(core: Core, succeeds: bool) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    claim = await core.claim_alignment()
    await (core.align(claim) if succeeds else core.fail_alignment(claim))
    before = await core.job(job_id)
    await core.cancel(job_id)
    assert await core.job(job_id) == before


async def test_delete__cancels_the_alignment(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    deleted = await settings_of(core).delete(ALICE, job_id, "", None)
    await core.check()
    assert deleted.value.status is JobStatus.CANCELLED


async def test_purge__takes_alignments_and_datasets_along(core: Core) -> None:
    job_id = await ready(core)
    await core.start_job(job_id)
    await core.fail_alignment(await core.claim_alignment())
    await core.start_job(job_id)
    await core.align(await core.claim_alignment())
    [file_id] = (await core.alignment(job_id)).output_file_ids
    await settings_of(core).delete(ALICE, job_id, "", None)
    core.clock.advance(31 * 86_400)
    await core.janitor.step()
    await core.check()
    with pytest.raises(IngestError) as raised:
        await core.files.get(ALICE, file_id)
    assert raised.value.reason is Reason.FILE_NOT_FOUND
