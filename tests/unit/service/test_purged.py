"""What is left of a purged job: nothing that anything new could be taken for."""

from functools import partial

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import File, Mutation, NewFile, NewJob
from ingest_grpc.store.interface import Tx
from tests.factories import ALICE, Core, StartCore, request
from tests.unit.service.test_files import nothing_is_left, reason_of


@pytest.fixture
async def core(start_core: StartCore) -> Core:
    """Deleted jobs are purged in the janitor's next round."""
    return await start_core(purge_after_days=0.0)


async def purge(core: Core, job_id: str) -> None:
    await core.job_settings.delete(ALICE, job_id, "", None)
    await core.janitor.step()
    assert await reason_of(core.job(job_id)) is Reason.JOB_NOT_FOUND


async def test_purged_rows__never_give_their_ids_away(core: Core) -> None:
    first = await core.create(await core.upload())
    claim = await core.claim_one()
    await purge(core, first.job.job.job_id)

    second = await core.create(await core.upload())
    assert second.job.job.row_id > first.job.job.row_id
    assert (await core.claim_one()).record.row_id > claim.record.row_id
    await core.check()


async def test_purged_job__is_not_found_by_writes_though_there_is_a_new_one(core: Core) -> None:
    purged = (await core.create(await core.upload())).job.job.job_id
    await purge(core, purged)
    other = (await core.create(await core.upload())).job.job.job_id

    assert await reason_of(core.job_settings.delete(ALICE, purged, "", None)) is Reason.JOB_NOT_FOUND
    assert await reason_of(core.add(purged, await core.upload())) is Reason.JOB_NOT_FOUND
    assert (await core.job(other)).deleted_at is None
    await core.check()


async def test_rehearsed_job__is_not_found_by_writes_though_another_one_got_its_row(core: Core) -> None:
    """What is rolled back gives its row away: the id of a rehearsal must not lead there."""
    new = NewJob(name="job", job_type=JobType.PRINCIPLE_FILES)
    rehearsed = (await core.jobs.create(ALICE, new, None, validate_only=True)).value.job.job
    job = (await core.create(await core.upload())).job.job
    assert rehearsed.row_id == job.row_id, "or this shows nothing"

    assert await reason_of(core.add(rehearsed.job_id, await core.upload())) is Reason.JOB_NOT_FOUND


async def test_replayed_upload__of_a_purged_file_is_not_found_and_leaves_nothing(core: Core) -> None:
    new = NewFile(filename="a.pdf", content_type="application/pdf")
    once_more = partial(core.files.create, ALICE, new, b"bytes", request("upload"))
    file = (await once_more()).value
    await purge(core, (await core.create(file)).job.job.job_id)

    assert await reason_of(once_more()) is Reason.FILE_NOT_FOUND
    await nothing_is_left(core)


async def test_replayed_deletion__of_a_purged_file_is_not_found(core: Core) -> None:
    file = await core.upload()
    job_id = (await core.create(file)).job.job.job_id
    once_more = partial(core.files.delete, ALICE, file.file_id, force=True, request=request("delete"))
    await once_more()
    await purge(core, job_id)

    assert await reason_of(once_more()) is Reason.FILE_NOT_FOUND


async def test_register__that_breaks_leaves_no_bytes(core: Core) -> None:
    async def breaks(_tx: Tx) -> Mutation[File]:
        raise ZeroDivisionError("a defect")

    stored = await core.blobs.put("abc", b"bytes")
    with pytest.raises(ZeroDivisionError):
        await core.file_services.intake.register(stored.key, breaks)
    await nothing_is_left(core)
