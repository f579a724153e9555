"""Which events each step of a job leaves, exactly; the invariants are recounted after every one."""

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Trigger
from ingest_grpc.model import (
    EventKind,
    JobChange,
    Milestone,
    RecordChange,
)
from ingest_grpc.service.work import SYSTEM
from tests.factories import ALICE, WORKER, Core, StartCore
from tests.reaching import A_RECORD, reaches
from tests.unit.service.following import (
    ADDED,
    CANCELLED,
    CLAIMED,
    COMPLETED,
    CREATED,
    FAILED,
    FINISHED,
    JOB,
    ORPHANED,
    REMOVED,
    RETRY,
    RUN,
    STARTED,
    Follower,
    follow,
)


async def test_create__of_an_empty_job(core: Core) -> None:
    created = await core.create()

    [event] = await core.events(created.job.job.job_id)
    assert (event.sequence, event.type, event.kind, event.actor) == (1, CREATED, EventKind.MILESTONE, "alice")
    assert isinstance(event.change, JobChange)
    assert event.change.job.status is created.job.job.status is JobStatus.NEEDS_REVIEW
    assert not created.job.job.facts.settled
    assert created.ingestion_job_id is None


async def test_create__with_files(core: Core) -> None:
    created = await core.create(*await core.uploads(2))

    follower = Follower(core, created.job.job.job_id)
    assert await follower.next() == [CREATED, ADDED, ADDED, RUN]
    first = follower.events[0].change
    assert isinstance(first, JobChange)
    assert first.job.status is JobStatus.FILE_PROCESSING, "the event of the creation knows the files"
    assert [event.trigger for event in follower.events] == [None, Trigger.ADDED, Trigger.ADDED, None]


async def test_milestones__are_the_words_of_the_field(core: Core) -> None:
    """SeekrFlow, "Read the timeline": three events, with these titles, messages and metadata."""
    created = await core.create(*await core.uploads(5))
    for claim in await core.claim(5):
        core.clock.advance(1)
        await core.succeed(claim)

    timeline = (await core.jobs.get_detail(ALICE, created.job.job.job_id)).timeline
    assert [(event.title, event.message) for event in timeline] == [
        ("Created", "Data job created."),
        ("File Processing Started", "Started processing files."),
        ("File Processing Completed", "Finished processing files."),
    ]
    assert created.ingestion_job_id is not None
    assert [event.change for event in timeline[1:]] == [
        Milestone(ingestion_job_id=created.ingestion_job_id, status=IngestionJobStatus.RUNNING, record_count=5),
        Milestone(ingestion_job_id=created.ingestion_job_id, status=IngestionJobStatus.COMPLETED, record_count=5),
    ]
    assert (await core.job(created.job.job.job_id)).status is JobStatus.READY_TO_START


async def test_claim__starts_the_processing_once(core: Core) -> None:
    follower = await follow(core, (await core.create(*await core.uploads(2))).job.job.job_id)

    await core.claim(1)
    assert await follower.next() == [CLAIMED, RUN, STARTED]
    assert follower.events[-3].actor == WORKER
    await core.claim(1)
    assert await follower.next() == [CLAIMED]


async def test_success__of_the_last_record_completes(core: Core) -> None:
    follower = await follow(core, (await core.create(*await core.uploads(2))).job.job.job_id)
    one, two = await core.claim(2)
    await follower.next()

    assert await core.succeed(one)
    assert await follower.next() == [COMPLETED]
    assert await core.succeed(two)
    assert await follower.next() == [COMPLETED, RUN, FINISHED, JOB]


async def test_failure__of_the_only_record(core: Core) -> None:
    created = await core.create(await core.upload())
    follower = await follow(core, created.job.job.job_id)
    claim = await core.claim_one()
    await follower.next()

    assert await core.fail(claim)
    assert await follower.next() == [FAILED, RUN, FINISHED, JOB]
    event = follower.events[-4]
    assert isinstance(event.change, RecordChange)
    error = event.change.record.error
    assert error is not None
    assert event.message == f"a.pdf failed: {error.message}"
    assert (event.change.record.failures, event.change.record.failed_at) == (1, event.timestamp)
    job = await core.job(created.job.job.job_id)
    assert job.status is JobStatus.NEEDS_REVIEW
    assert [reason.type for reason in job.review_reasons] == ["NO_VIABLE_FILE", "RECORD_FAILED"]


async def test_mixed_result__is_partially_completed(core: Core) -> None:
    created = await core.create(*await core.uploads(2))
    one, two = await core.claim(2)
    await core.succeed(one)
    await core.fail(two)

    [run] = (await core.jobs.get_detail(ALICE, created.job.job.job_id)).ingestion_jobs
    assert run.status is IngestionJobStatus.PARTIALLY_COMPLETED
    assert (await core.job(created.job.job.job_id)).status is JobStatus.NEEDS_REVIEW


async def test_end_of_an_ingestion_job__stays_although_its_records_go_later(core: Core) -> None:
    created = await core.create(*await core.uploads(2))
    job_id = created.job.job.job_id
    done, failed = await core.claim(2)
    await core.succeed(done)
    await core.fail(failed)
    ended_at = core.clock.now()
    core.clock.advance(60)
    await core.remove(job_id, records=[failed.record.record_id])

    [run] = (await core.jobs.get_detail(ALICE, job_id)).ingestion_jobs
    assert (run.status, run.completed_at) == (IngestionJobStatus.COMPLETED, ended_at)


async def test_retry__waits_for_its_back_off_and_then_succeeds(core: Core) -> None:
    follower = await follow(core, (await core.create(await core.upload())).job.job.job_id)
    claim = await core.claim_one()
    await follower.next()

    assert await core.retry(claim, after_seconds=2.0)
    assert await follower.next() == [RETRY]
    assert await core.claim() == []
    assert await core.work.admit_due() == pytest.approx(2.0)
    core.clock.advance(2.0)
    assert await core.work.admit_due() is None
    await core.check()
    assert await follower.next() == []

    again = await core.claim_one()
    assert (again.record.attempt, again.record.failures, again.record.error) == (2, 1, None)
    assert await follower.next() == [CLAIMED]
    await core.succeed(again)
    assert await follower.next() == [COMPLETED, RUN, FINISHED, JOB]


async def test_retry__is_exhausted_after_max_failures(core: Core) -> None:
    follower = await follow(core, (await core.create(await core.upload())).job.job.job_id)
    for expected in ([CLAIMED, RUN, STARTED, RETRY], [CLAIMED, RETRY]):
        await core.retry(await core.claim_one(), after_seconds=1.0)
        core.clock.advance(1.0)
        await core.work.admit_due()
        assert await follower.next() == expected
    claim = await core.claim_one()
    await core.retry(claim, after_seconds=1.0)
    assert await follower.next() == [CLAIMED, FAILED, RUN, FINISHED, JOB]

    record = (await core.record(claim)).record
    assert (record.status, record.attempt, record.failures) == (RecordStatus.FAILED, 3, 3)
    assert record.error is not None
    assert record.error.reason is Reason.CONVERTER_CRASHED


async def test_outage__of_the_service_is_not_the_records_own_fault(start_core: StartCore) -> None:
    """A storage that is away for hours uses up none of the attempts that a record may fail by itself."""
    core = await start_core(max_failures=2, max_orphaned=4)
    await core.create(await core.upload())
    for outages in range(1, 4):
        claim = await core.claim_one()
        await core.retry(claim, 1.0, Reason.SERVICE_UNAVAILABLE)
        record = (await core.record(claim)).record
        assert (record.status, record.failures, record.orphaned_count) == (RecordStatus.QUEUED, 0, outages)
        assert record.wait_reason == "BACK_OFF"
        core.clock.advance(1.0)
        await core.work.admit_due()
    await core.retry(await core.claim_one(), 1.0)
    core.clock.advance(1.0)
    await core.work.admit_due()
    assert await core.orphan(await core.claim_one()) == 1
    claim = await core.claim_one()
    await core.retry(claim, 1.0, Reason.SERVICE_UNAVAILABLE)

    record = (await core.record(claim)).record
    assert (record.status, record.failures, record.orphaned_count) == (RecordStatus.FAILED, 1, 5)
    assert record.error is not None
    assert record.error.reason is Reason.SERVICE_UNAVAILABLE


async def test_orphan__is_queued_again_at_once(core: Core) -> None:
    follower = await follow(core, (await core.create(await core.upload())).job.job.job_id)
    claim = await core.claim_one()
    await follower.next()

    assert await core.orphan(claim) == 1
    assert await follower.next() == [ORPHANED]
    assert follower.events[-1].actor == SYSTEM
    record = (await core.record(claim)).record
    assert (record.attempt, record.failures, record.orphaned_count) == (1, 0, 1)
    assert (await core.claim_one()).record.attempt == 2
    assert await follower.next() == [CLAIMED]


@reaches(Reason.WORKER_LOST, A_RECORD, "a worker that was lost more than `max_orphaned` times")
async def test_orphan__for_the_101st_time_fails(core: Core) -> None:
    follower = await follow(core, (await core.create(await core.upload())).job.job.job_id)
    for _ in range(100):
        await core.work.orphan(await core.work.claim(WORKER, 1))
    await core.check()
    await follower.next()
    assert follower.events[-1].type is ORPHANED

    claim = await core.claim_one()
    await core.orphan(claim)

    assert await follower.next() == [CLAIMED, FAILED, RUN, FINISHED, JOB]
    record = (await core.record(claim)).record
    assert (record.orphaned_count, record.failures) == (101, 0)
    assert record.error is not None
    assert record.error.reason is Reason.WORKER_LOST


async def test_cancel__stops_everything_in_flight_once(core: Core) -> None:
    created = await core.create(*await core.uploads(3))
    follower = await follow(core, created.job.job.job_id)
    done, running = await core.claim(2)
    await core.succeed(done)
    await follower.next()

    assert await core.cancel(created.job.job.job_id) == 2
    assert await follower.next() == [CANCELLED, CANCELLED, RUN, JOB]
    assert core.commits[-1].stopped == {(running.key, running.attempt)}
    job = await core.job(created.job.job.job_id)
    assert job.status is JobStatus.CANCELLED
    assert job.facts.settled

    assert await core.cancel(created.job.job.job_id) == 0
    assert await follower.next() == []
    assert await core.job(created.job.job.job_id) == job, "the second call changes nothing"
    assert not await core.succeed(running)
    assert await follower.next() == []


async def test_cancel__is_lifted_by_the_next_files(core: Core) -> None:
    created = await core.create(await core.upload())
    follower = await follow(core, created.job.job.job_id)
    await core.cancel(created.job.job.job_id)
    assert await follower.next() == [CANCELLED, RUN, JOB]

    await core.add(created.job.job.job_id, await core.upload("b.pdf"))
    assert await follower.next() == [ADDED, RUN, JOB]
    await core.succeed(await core.claim_one())
    assert (await core.job(created.job.job.job_id)).status is JobStatus.NEEDS_REVIEW


async def test_cancel__of_an_empty_job(core: Core) -> None:
    created = await core.create()
    await core.cancel(created.job.job.job_id)

    assert await core.event_types(created.job.job.job_id) == [CREATED, JOB]
    job = await core.job(created.job.job.job_id)
    assert (job.status, job.facts.settled) == (JobStatus.CANCELLED, False)


async def test_remove__of_a_record_in_each_status(core: Core) -> None:
    created = await core.create(*await core.uploads(4))
    job_id = created.job.job.job_id
    queued_id = [result.record_id for result in created.results][3]
    completed, failed, running = await core.claim(3)
    await core.succeed(completed)
    await core.fail(failed)
    follower = await follow(core, job_id)

    for record_id, expected in [
        (queued_id, [CANCELLED, REMOVED]),
        (running.record.record_id, [CANCELLED, REMOVED, RUN, JOB]),
        (failed.record.record_id, [REMOVED, RUN, JOB]),
        (completed.record.record_id, [REMOVED, RUN, JOB]),
    ]:
        assert record_id is not None
        result = await core.remove(job_id, records=[record_id])
        assert [one.record_ids for one in result.results] == [(record_id,)]
        assert await follower.next() == expected
        again = await core.remove(job_id, records=[record_id])
        assert [one.outcome for one in again.results] == ["ALREADY_REMOVED"]
        assert await follower.next() == []
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW
    assert not await core.succeed(running), "a late result of a removed record is void"


async def test_principle_files__need_a_system_prompt(core: Core) -> None:
    notes = await core.markdown()
    without = await core.create(notes, job_type=JobType.PRINCIPLE_FILES)
    with_prompt = await core.create(notes, job_type=JobType.PRINCIPLE_FILES, system_prompt="Be brief.")

    job = await core.job(without.job.job.job_id)
    assert job.status is JobStatus.NEEDS_REVIEW
    assert [reason.type for reason in job.review_reasons] == ["SYSTEM_PROMPT_MISSING"]
    assert with_prompt.job.job.status is JobStatus.READY_TO_START
    assert with_prompt.job.job.system_prompt_updated_at == with_prompt.job.job.created_at


async def test_times__stand_still_while_the_clock_runs_back(core: Core) -> None:
    created = await core.create(*await core.uploads(2))
    one, two = await core.claim(2)
    before = core.clock.now()
    core.clock.jump(-86_400)
    await core.succeed(one)
    core.clock.advance(60)
    await core.fail(two)

    events = await core.events(created.job.job.job_id)
    assert {event.timestamp for event in events} == {before}
    core.clock.jump(2 * 86_400)
    await core.add(created.job.job.job_id, await core.upload("late.pdf"))
    assert (await core.job(created.job.job.job_id)).updated_at == core.clock.now()
