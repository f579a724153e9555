"""How a failed or cancelled record is resolved by a corrected file, and Markdown that needs no conversion."""

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus, RecordStatus
from ingest_grpc.model import (
    FilesChange,
    FileToAdd,
)
from tests.factories import Core
from tests.unit.service.following import (
    ADDED,
    CLAIMED,
    COMPLETED,
    CREATED,
    FILES_ADDED,
    FILES_REMOVED,
    FINISHED,
    JOB,
    RUN,
    STARTED,
    SUPERSEDED,
    Follower,
    follow,
)


async def test_supersede__by_name(core: Core) -> None:
    created = await core.create(await core.upload("report.pdf"))
    job_id = created.job.job.job_id
    failed = await core.claim_one()
    await core.fail(failed)
    follower = await follow(core, job_id)

    added = await core.add(job_id, await core.upload("report.pdf", b"better"))
    assert [result.supersedes_record_id for result in added.results] == [failed.record.record_id]
    assert await follower.next() == [ADDED, RUN, JOB]
    better = await core.claim_one()
    await core.succeed(better)

    assert await follower.next() == [CLAIMED, RUN, STARTED, COMPLETED, SUPERSEDED, RUN, FINISHED, JOB]
    assert (await core.record(failed)).record.superseded_by == better.record.record_id
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START


async def test_supersede__not_by_one_that_fails_too(core: Core) -> None:
    created = await core.create(await core.upload("report.pdf"))
    failed = await core.claim_one()
    await core.fail(failed)
    await core.add(created.job.job.job_id, await core.upload("report.pdf", b"no better"))
    await core.fail(await core.claim_one())

    assert (await core.record(failed)).record.superseded_by is None
    assert (await core.job(created.job.job.job_id)).tally.unresolved == 2


async def test_supersede__by_the_record_that_the_call_names(core: Core) -> None:
    created = await core.create(await core.upload("old.pdf"))
    failed = await core.claim_one()
    await core.fail(failed)
    new = FileToAdd(file_id=(await core.upload("new.pdf")).file_id, replaces_record_id=failed.record.record_id)
    await core.add(created.job.job.job_id, new)
    better = await core.claim_one()
    await core.succeed(better)

    assert (await core.record(failed)).record.superseded_by == better.record.record_id


async def test_supersede__needs_an_unresolved_record(core: Core) -> None:
    created = await core.create(await core.upload())
    claim = await core.claim_one()
    new = FileToAdd(file_id=(await core.upload("b.pdf")).file_id, replaces_record_id=claim.record.record_id)

    with pytest.raises(IngestError) as caught:
        await core.add(created.job.job.job_id, new)
    assert caught.value.reason is Reason.RECORD_NOT_REPLACEABLE
    assert caught.value.violations[0].field == "files[0].replaces_record_id"
    partial = await core.add(created.job.job.job_id, new, allow_partial=True)
    assert [result.outcome for result in partial.results] == ["NOT_REPLACEABLE"]
    assert await core.event_types(created.job.job.job_id) == [CREATED, ADDED, RUN, CLAIMED, RUN, STARTED]


async def test_supersede__of_an_ambiguous_name_resolves_nothing(core: Core) -> None:
    """Two folders with a report.pdf each: a third one cannot say which of them it corrects."""
    created = await core.create(await core.upload("report.pdf", b"east"), await core.upload("report.pdf", b"west"))
    for claim in await core.claim(2):
        await core.fail(claim)
    added = await core.add(created.job.job.job_id, await core.upload("report.pdf", b"which?"))
    await core.succeed(await core.claim_one())

    assert added.results[0].supersedes_record_id is None
    assert (await core.job(created.job.job.job_id)).tally.unresolved == 2


async def test_supersede__by_two_of_one_name_in_one_call_resolves_nothing(core: Core) -> None:
    created = await core.create(await core.upload("report.pdf"))
    await core.fail(await core.claim_one())
    added = await core.add(
        created.job.job.job_id, await core.upload("report.pdf", b"east"), await core.upload("report.pdf", b"west")
    )

    assert [result.supersedes_record_id for result in added.results] == [None, None]


async def test_markdown__is_viable_at_once(core: Core) -> None:
    created = await core.create(await core.markdown())

    follower = Follower(core, created.job.job.job_id)
    assert await follower.next() == [CREATED, FILES_ADDED]
    assert (await core.job(created.job.job.job_id)).status is JobStatus.READY_TO_START
    assert created.ingestion_job_id is None
    change = follower.events[1].change
    assert isinstance(change, FilesChange)
    assert list(change.added) == list(created.job.files)
    assert [(file.record_id, file.status) for file in created.job.files] == [(None, RecordStatus.COMPLETED)]

    removed = await core.remove(created.job.job.job_id, files=[change.added[0].file_id])
    assert [result.outcome for result in removed.results] == ["REMOVED"]
    assert await follower.next() == [FILES_REMOVED, JOB]
    assert (await core.job(created.job.job.job_id)).facts.settled


async def test_markdown__resolves_a_failed_record_of_its_name(core: Core) -> None:
    created = await core.create(await core.upload("notes.md", b""))
    failed = await core.claim_one()
    await core.fail(failed, Reason.EMPTY_FILE)
    follower = await follow(core, created.job.job.job_id)
    notes = await core.markdown("notes.md")
    added = await core.add(created.job.job.job_id, notes)

    assert [result.outcome for result in added.results] == ["MARKDOWN_READY"]
    assert await follower.next() == [SUPERSEDED, FILES_ADDED, JOB]
    assert (await core.record(failed)).record.superseded_by == notes.file_id
    assert (await core.job(created.job.job.job_id)).status is JobStatus.READY_TO_START


async def test_markdown__two_that_resolve_the_same_record(core: Core) -> None:
    created = await core.create(await core.upload("a.pdf"))
    failed = await core.claim_one()
    await core.fail(failed)
    both = [
        FileToAdd(file_id=(await core.markdown(name)).file_id, replaces_record_id=failed.record.record_id)
        for name in ("one.md", "two.md")
    ]
    await core.add(created.job.job.job_id, *both)

    assert (await core.record(failed)).record.superseded_by == both[0].file_id
    assert (await core.job(created.job.job.job_id)).markdown_files == 2
