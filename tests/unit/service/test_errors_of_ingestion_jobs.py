"""Why an ingestion job failed: the error of its first failed live record."""

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import IngestionJobStatus
from ingest_grpc.model import IngestionJob, IngestionJobChange
from tests.factories import ALICE, Core


async def failed_run(core: Core) -> tuple[str, list[str], IngestionJob]:
    """A job of two files of which the second failed first; its id, those of its records, and its ingestion job."""
    created = await core.create(*await core.uploads(2))
    first, second = await core.claim(2)
    await core.fail(second, Reason.EMPTY_FILE)
    await core.fail(first, Reason.PDF_UNREADABLE)
    job_id = created.job.job.job_id
    return job_id, [first.record.record_id, second.record.record_id], await run_of(core, job_id)


async def run_of(core: Core, job_id: str) -> IngestionJob:
    listed = core.ingestion.list(
        ALICE, job_id=job_id, statuses=(), oldest_first=True, after=None, page_size=1, page_token=""
    )
    return (await listed).items[0]


def reason_of(run: IngestionJob) -> Reason | None:
    return None if run.error is None else run.error.reason


async def test_error__is_that_of_the_first_record_and_not_of_the_first_failure(core: Core) -> None:
    job_id, _, run = await failed_run(core)

    assert (run.status, reason_of(run)) == (IngestionJobStatus.FAILED, Reason.PDF_UNREADABLE)
    changes = [each.change for each in await core.events(job_id) if isinstance(each.change, IngestionJobChange)]
    assert [reason_of(change.ingestion_job) for change in changes] == [None, None, Reason.PDF_UNREADABLE]


async def test_error__of_a_removed_record_does_not_count(core: Core) -> None:
    job_id, [first, _], _ = await failed_run(core)

    await core.remove(job_id, records=[first])

    run = await run_of(core, job_id)
    assert (run.status, reason_of(run)) == (IngestionJobStatus.FAILED, Reason.EMPTY_FILE)


async def test_error__is_gone_while_a_record_is_tried_again_and_once_one_completed(core: Core) -> None:
    job_id, [first, _], _ = await failed_run(core)

    await core.retries.retry(ALICE, job_id, [first], None)
    assert reason_of(await run_of(core, job_id)) is None

    await core.succeed(await core.claim_one())
    run = await run_of(core, job_id)
    assert (run.status, run.error) == (IngestionJobStatus.PARTIALLY_COMPLETED, None)
