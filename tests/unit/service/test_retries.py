"""RetryFiles: failed and cancelled records go back into the queue."""

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import JobStatus, RecordStatus
from ingest_grpc.model import EventType, RetryFileOutcome
from tests.factories import ALICE, BOB, Core, StartCore, request


async def failed_job(core: Core, count: int = 1) -> tuple[str, list[str]]:
    created = await core.create(*await core.uploads(count))
    for _ in range(count):
        await core.fail(await core.claim_one())
    return created.job.job.job_id, [result.record_id or "" for result in created.results]


async def test_retry__queues_a_failed_record_and_lifts_the_review(core: Core) -> None:
    job_id, [record_id] = await failed_job(core)
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW

    done = (await core.retries.retry(ALICE, job_id, [record_id], None)).value

    assert [result.outcome for result in done.results] == [RetryFileOutcome.RETRIED]
    await core.check()
    record = await core.ingestion.get_record(ALICE, record_id)
    assert (record.status, record.failures, record.error, record.failed_at) == (RecordStatus.QUEUED, 0, None, None)
    assert record.attempt == 1, "the attempt is the fence: it never goes back"
    assert (await core.job(job_id)).status is JobStatus.FILE_PROCESSING
    await core.succeed(await core.claim_one())
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START
    assert EventType.RECORD_RETRIED in await core.event_types(job_id)


async def test_retry__all_unresolved_in_slices(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.service.retries.SLICE", 2)
    job_id, _ = await failed_job(core, 5)
    done = await core.retries.retry(ALICE, job_id, None, request("r-1"))
    assert done.value.records_retried == 5
    await core.check()
    again = await core.retries.retry(ALICE, job_id, None, request("r-1"))
    assert (again.replayed, again.value.records_retried) == (True, 5)


async def test_retry__what_cannot_be_retried_says_so(core: Core) -> None:
    job_id, [failed] = await failed_job(core)
    source = (await core.ingestion.get_record(ALICE, failed)).file_id
    added = await core.add(job_id, await core.upload("queued.pdf"))
    queued = added.results[0].record_id or ""
    unknown = new_id(Prefix.RECORD)
    done = (await core.retries.retry(ALICE, job_id, [queued, unknown], None)).value
    assert [result.outcome for result in done.results] == [
        RetryFileOutcome.NOT_RETRYABLE,
        RetryFileOutcome.NOT_FOUND,
    ]
    await core.files.delete(ALICE, source, force=True, request=None)
    removed = (await core.retries.retry(ALICE, job_id, [failed], None)).value
    assert removed.results[0].outcome is RetryFileOutcome.NOT_RETRYABLE
    await core.check()


async def test_retry__of_another_team_is_not_found(core: Core) -> None:
    job_id, [record_id] = await failed_job(core)
    with pytest.raises(IngestError) as raised:
        await core.retries.retry(BOB, job_id, [record_id], None)
    assert raised.value.reason is Reason.JOB_NOT_FOUND


async def test_retry__a_late_result_of_the_attempt_before_changes_nothing(core: Core) -> None:
    created = await core.create(await core.upload())
    job_id, record_id = created.job.job.job_id, created.results[0].record_id or ""
    claim = await core.claim_one()
    await core.cancel(job_id)
    await core.retries.retry(ALICE, job_id, [record_id], None)
    await core.claim_one()
    assert not await core.succeed(claim)
    assert (await core.ingestion.get_record(ALICE, record_id)).status is RecordStatus.RUNNING


async def test_retry__queue_cap_counts_only_what_is_queued(start_core: StartCore) -> None:
    core = await start_core(team_max_queued=1)
    job_id, [failed] = await failed_job(core)
    [another] = (await failed_job(core))[1]
    named = [failed, new_id(Prefix.RECORD)]
    done = (await core.retries.retry(ALICE, job_id, named, None)).value
    assert [result.outcome for result in done.results] == [RetryFileOutcome.RETRIED, RetryFileOutcome.NOT_FOUND]
    other_job_id = (await core.ingestion.get_record(ALICE, another)).job_id
    for record_ids in ([another], None):
        with pytest.raises(IngestError) as raised:
            await core.retries.retry(ALICE, other_job_id, record_ids, None)
        assert raised.value.reason is Reason.TEAM_QUEUE_FULL
    assert (await core.ingestion.get_record(ALICE, another)).status is RecordStatus.FAILED
    await core.check()
