"""What becomes of each file of an AddFiles or RemoveFiles call."""

import asyncio
from typing import Any

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.model import AddFileOutcome, EventType, FileToAdd, JobFilter, RemoveFileOutcome
from ingest_grpc.service import jobs as jobs_module
from tests.factories import ALICE, BOB, Core, StartCore, request, to_add
from tests.faults import cancelled_at

ADDED, PRESENT, MISSING = AddFileOutcome.ADDED, AddFileOutcome.ALREADY_PRESENT, AddFileOutcome.NOT_FOUND
REMOVED, GONE, UNKNOWN = RemoveFileOutcome.REMOVED, RemoveFileOutcome.ALREADY_REMOVED, RemoveFileOutcome.NOT_FOUND


async def test_add__of_a_file_that_is_there_already(core: Core) -> None:
    file, notes = await core.upload(), await core.markdown()
    created = await core.create(file, notes)
    again = await core.add(created.job.job.job_id, file, notes)

    assert [result.outcome for result in again.results] == [PRESENT, PRESENT]
    assert again.results[0].record_id == created.results[0].record_id
    assert [result.output_file_id for result in again.results] == [result.output_file_id for result in created.results]
    assert again.ingestion_job_id is None
    assert again.job.job.last_sequence == created.job.job.last_sequence, "nothing happened"


async def test_add__keeps_what_the_caller_says_of_a_file_on_its_record(core: Core) -> None:
    file = await core.upload()
    said = {"year": 1843.0, "author": "Ada", "draft": False}
    created = await core.create(await core.markdown())
    await core.add(created.job.job.job_id, FileToAdd(file_id=file.file_id, metadata=said))
    claimed = await core.claim_one()
    assert claimed.record.metadata == said
    await core.succeed(claimed)
    record = (await core.store.read(lambda rows: rows.record_by_row(claimed.record.row_id))).record
    assert record.metadata == said
    assert (await core.files.get(ALICE, file.file_id)).metadata == {}, "it is said of this use of the file alone"


async def test_add__of_an_output_of_the_job(core: Core) -> None:
    created = await core.create(await core.upload())
    await core.succeed(await core.claim_one())
    output_id = created.results[0].output_file_id
    assert output_id is not None
    added = await core.add(created.job.job.job_id, FileToAdd(file_id=output_id))
    assert [result.outcome for result in added.results] == [PRESENT]
    elsewhere = await core.create(output_id)
    assert [result.outcome for result in elsewhere.results] == [AddFileOutcome.MARKDOWN_READY]


async def test_add__of_one_file_twice_in_one_call(core: Core) -> None:
    file, notes = await core.upload(), await core.markdown()
    created = await core.create(file, file, notes, notes)
    assert [result.outcome for result in created.results] == [
        ADDED,
        PRESENT,
        AddFileOutcome.MARKDOWN_READY,
        PRESENT,
    ]
    assert len({result.record_id for result in created.results[:2]}) == 1
    assert len({result.output_file_id for result in created.results[2:]}) == 1


async def test_add__of_a_file_that_was_removed_is_a_new_record(core: Core) -> None:
    file, notes = await core.upload(), await core.markdown()
    created = await core.create(file, notes)
    job_id = created.job.job.job_id
    await core.remove(job_id, files=[file.file_id, notes.file_id])
    again = await core.add(job_id, file, notes)
    assert [result.outcome for result in again.results] == [ADDED, AddFileOutcome.MARKDOWN_READY]
    assert again.results[0].record_id != created.results[0].record_id


async def test_add__is_all_or_nothing_unless_partial(core: Core) -> None:
    created = await core.create()
    job_id = created.job.job.job_id
    file, others = await core.upload(), await core.upload(caller=BOB)
    missing = new_id(Prefix.FILE)
    items = [FileToAdd(file_id=one) for one in (file.file_id, missing, others.file_id)]
    with pytest.raises(IngestError) as caught:
        await core.add(job_id, *items)

    assert caught.value.reason is Reason.FILE_NOT_FOUND
    assert [violation.field for violation in caught.value.violations] == ["files[1].file_id", "files[2].file_id"]
    assert caught.value.metadata == {"file_id": missing, "rejected": "2"}
    assert (await core.job(job_id)).last_sequence == 1
    partial = await core.add(job_id, *items, allow_partial=True)
    assert [result.outcome for result in partial.results] == [ADDED, MISSING, MISSING]
    assert (await core.job(job_id)).tally.total == 1


async def test_create__with_a_bad_file_leaves_no_job(core: Core) -> None:
    with pytest.raises(IngestError):
        await core.create(await core.upload(), new_id(Prefix.FILE))
    assert (await core.jobs.list(ALICE, JobFilter(), page_size=10, page_token="")).items == []
    await core.check()


async def test_add__beyond_the_jobs_limit(start_core: StartCore) -> None:
    core = await start_core(max_records_per_job=3)
    created = await core.create(*await core.uploads(2))
    job_id = created.job.job.job_id
    with pytest.raises(IngestError) as caught:
        await core.add(job_id, *await core.uploads(2, prefix="x"))
    assert (caught.value.reason, caught.value.metadata) == (Reason.TOO_MANY_RECORDS, {"max_records": "3"})
    await core.add(job_id, await core.upload("third.pdf"), await core.markdown())
    assert (await core.job(job_id)).tally.total == 3


async def test_output_names__come_from_the_source(core: Core) -> None:
    names = ["a.pdf", "archive.tar.gz", "noextension", ".hidden"]
    created = await core.create(*[await core.upload(name) for name in names])
    assert [file.name for file in created.job.files] == ["a.md", "archive.tar.md", "noextension.md", ".hidden.md"]


async def test_remove__by_source_output_and_markdown_id(core: Core) -> None:
    one, two = await core.uploads(2)
    notes = await core.markdown()
    created = await core.create(one, two, notes)
    job_id = created.job.job.job_id
    output_id = created.results[1].output_file_id
    assert output_id is not None
    unknown, others = new_id(Prefix.FILE), (await core.upload(caller=BOB)).file_id
    file_ids = [one.file_id, output_id, notes.file_id, unknown, others, one.file_id]
    removed = await core.remove(job_id, files=file_ids)

    assert [result.outcome for result in removed.results] == [REMOVED, REMOVED, REMOVED, UNKNOWN, UNKNOWN, GONE]
    assert [result.id for result in removed.results] == file_ids
    assert removed.results[1].record_ids == (created.results[1].record_id,)
    again = await core.remove(job_id, files=file_ids[:3], records=[new_id(Prefix.RECORD)])
    assert [result.outcome for result in again.results] == [UNKNOWN, GONE, GONE, GONE]
    assert (await core.job(job_id)).facts.settled


async def test_remove__of_another_jobs_record_is_not_found(core: Core) -> None:
    mine = await core.create(await core.upload())
    other = await core.create(await core.upload("b.pdf"))
    record_id = other.results[0].record_id
    assert record_id is not None
    removed = await core.remove(mine.job.job.job_id, records=[record_id])
    assert [result.outcome for result in removed.results] == [UNKNOWN]
    assert (await core.job(other.job.job.job_id)).tally.queued == 1


# ── cancelling in slices ───────────────────────────────────────────────────────────────────────────────────


async def test_slices__none_is_so_long_that_others_wait(core: Core) -> None:
    """200 records take some 20 ms, and whoever writes waits for a slice."""
    job_id = (await core.create(*await core.uploads(201))).job.job.job_id
    begun = len(core.commits)
    cancelled = await core.jobs.cancel(ALICE, job_id, None)
    retried = await core.retries.retry(ALICE, job_id, None, None)

    assert (cancelled.value.records_cancelled, retried.value.records_retried) == (201, 201)
    for type_ in (EventType.RECORD_CANCELLED, EventType.RECORD_RETRIED):
        slices = [
            sum(event.type is type_ for _, events in commit.told for event in events) for commit in core.commits[begun:]
        ]
        assert [count for count in slices if count] == [200, 1]


@pytest.fixture
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "CANCEL_SLICE", 2)


@pytest.mark.usefixtures("_small_slices")
async def test_cancel__of_a_large_job_in_slices(core: Core) -> None:
    created = await core.create(*await core.uploads(5))
    job_id = created.job.job.job_id
    done = await core.jobs.cancel(ALICE, job_id, request("r"))
    await core.check()
    again = await core.jobs.cancel(ALICE, job_id, request("r"))

    assert (done.value.records_cancelled, done.replayed) == (5, False)
    assert (again.value.records_cancelled, again.replayed) == (5, True)
    assert (await core.job(job_id)).status is JobStatus.CANCELLED


async def test_cancel__of_what_is_there_when_it_begins_to_write(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = (await core.create(await core.upload())).job.job.job_id
    late = await core.upload()
    write = core.store.write

    async def after_another_call(unit: Any) -> Any:
        monkeypatch.undo()
        await core.add(job_id, late)
        return await write(unit)

    monkeypatch.setattr(core.store, "write", after_another_call)

    assert (await core.jobs.cancel(ALICE, job_id, None)).value.records_cancelled == 2


@pytest.mark.usefixtures("_small_slices")
async def test_cancel__that_was_cut_between_slices_is_finished_by_its_retry(core: Core) -> None:
    created = await core.create(*await core.uploads(5))
    job_id = created.job.job.job_id
    cut = cancelled_at(core.jobs.cancel(ALICE, job_id, request("r")), 2)  # one slice, then cut
    await asyncio.gather(cut, return_exceptions=True)
    await core.work.admit_due()  # a barrier
    await core.check()
    assert 0 < (await core.job(job_id)).tally.queued < 5

    retried = await core.jobs.cancel(ALICE, job_id, request("r"))
    assert not retried.replayed
    assert (await core.job(job_id)).status is JobStatus.CANCELLED


@pytest.mark.usefixtures("_small_slices")
async def test_cancel__spares_files_that_come_between_two_slices(core: Core) -> None:
    """AddFiles was the last command then: it lifts the cancellation although a slice comes after it."""
    created = await core.create(*await core.uploads(5))
    job_id = created.job.job.job_id
    late = await core.upload("late.pdf")
    write, writes = core.store.write, 0

    async def between(unit: object) -> object:
        nonlocal writes
        writes += 1
        if writes == 2:
            await core.jobs.add_files(ALICE, job_id, to_add(late), method=None, allow_partial=False, request=None)
        return await write(unit)  # type: ignore[arg-type]

    core.store.write = between  # type: ignore[method-assign,assignment]
    await core.jobs.cancel(ALICE, job_id, None)
    core.store.write = write  # type: ignore[method-assign]
    await core.check()

    job = await core.job(job_id)
    assert (job.tally.queued, job.tally.cancelled) == (1, 5)
    await core.succeed(await core.claim_one())
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW
