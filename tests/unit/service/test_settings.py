"""What callers do to a job as a whole: update, delete, undelete, clone; and its purge."""

import asyncio
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus, JobType, RecordStatus
from ingest_grpc.model import EventType, FilesChange, JobFilter, JobUpdate, NewJob
from ingest_grpc.service import settings
from ingest_grpc.store.interface import Tx, WriteUnit
from tests.factories import ALICE, BOB, Core, request, to_add

DAY = 86_400.0


class _Killed(BaseException):
    """What no round of a background loop goes on after."""


async def refused(work: object) -> Reason:
    with pytest.raises(IngestError) as raised:
        await work  # type: ignore[misc]
    return raised.value.reason


async def test_update__a_system_prompt_makes_a_job_ready(core: Core) -> None:
    created = await core.create(await core.markdown(), job_type=JobType.PRINCIPLE_FILES)
    job = created.job.job
    assert job.status is JobStatus.NEEDS_REVIEW
    update = JobUpdate(system_prompt="Be kind.")
    changed = (await core.job_settings.update(ALICE, job.job_id, update, job.etag, None)).value
    assert changed.status is JobStatus.READY_TO_START
    assert changed.system_prompt_updated_at is not None
    assert changed.etag != job.etag
    assert (await core.event_types(job.job_id))[-2:] == [EventType.JOB_UPDATED, EventType.JOB_CHANGED]
    await core.check()


async def test_update__with_an_old_etag_is_refused_and_without_a_difference_does_nothing(core: Core) -> None:
    job = (await core.create()).job.job
    await core.job_settings.update(ALICE, job.job_id, JobUpdate(name="new"), "", None)
    stale = core.job_settings.update(ALICE, job.job_id, JobUpdate(name="other"), job.etag, None)
    assert await refused(stale) is Reason.ETAG_MISMATCH
    head = (await core.job(job.job_id)).last_sequence
    await core.job_settings.update(ALICE, job.job_id, JobUpdate(name="new"), "", None)
    assert (await core.job(job.job_id)).last_sequence == head


async def test_files_etag__changes_with_files_and_with_nothing_else(core: Core) -> None:
    created = await core.create(await core.upload())
    job_id = created.job.job.job_id
    added = (await core.job(job_id)).files_etag
    await core.job_settings.update(ALICE, job_id, JobUpdate(name="new"), "", None)
    claim = await core.claim_one()
    assert (await core.job(job_id)).files_etag == added
    await core.succeed(claim)
    assert (await core.job(job_id)).files_etag != added


async def test_delete__cancels_hides_and_freezes(core: Core) -> None:
    created = await core.create(await core.upload())
    job_id = created.job.job.job_id
    deleted = (await core.job_settings.delete(ALICE, job_id, "", request("d-1"))).value
    await core.check()
    assert deleted.deleted_at is not None
    assert deleted.purge_at is not None
    assert deleted.tally.cancelled == 1
    assert not (await core.jobs.list(ALICE, JobFilter(), page_size=10, page_token="")).items
    shown = await core.jobs.list(ALICE, JobFilter(show_deleted=True), page_size=10, page_token="")
    assert [job.job_id for job in shown.items] == [job_id]
    assert await refused(core.add(job_id, await core.upload("b.pdf"))) is Reason.JOB_DELETED
    assert await refused(core.jobs.cancel(ALICE, job_id, None)) is Reason.JOB_DELETED
    assert (await core.job_settings.delete(ALICE, job_id, "", request("d-1"))).replayed


async def test_undelete__takes_the_deletion_back_but_not_the_cancellation(core: Core) -> None:
    job_id = (await core.create(await core.upload())).job.job.job_id
    await core.job_settings.delete(ALICE, job_id, "", None)
    job = (await core.job_settings.undelete(ALICE, job_id, None)).value
    assert (job.deleted_at, job.purge_at, job.status) == (None, None, JobStatus.CANCELLED)
    await core.check()


async def test_purge__removes_the_job_and_what_only_it_uses(core: Core) -> None:
    shared, own = await core.upload("shared.pdf"), await core.upload("own.pdf")
    note = await core.markdown()
    kept = (await core.create(shared)).job.job.job_id
    doomed = (await core.create(shared, own, note)).job.job.job_id
    for _ in range(3):
        await core.succeed(await core.claim_one())
    await core.job_settings.delete(ALICE, doomed, "", None)
    await core.janitor.step()
    assert (await core.job(doomed)).deleted_at is not None, "its time is not over"

    core.clock.advance(31 * DAY)
    await core.janitor.step()

    await core.check()
    assert await refused(core.job(doomed)) is Reason.JOB_NOT_FOUND
    assert (await core.job(kept)).status is JobStatus.READY_TO_START
    assert (await core.files.get(ALICE, shared.file_id)).file_id == shared.file_id
    for file in (own, note):
        assert await refused(core.files.get(ALICE, file.file_id)) is Reason.FILE_NOT_FOUND


async def test_purge__takes_no_more_than_a_slice_at_once(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.worker.janitor.ROWS_PER_SLICE", 2)
    notes = [await core.markdown(f"{number}.md", f"# {number}\n".encode()) for number in range(5)]
    job_id = (await core.create(*notes)).job.job.job_id
    for file in await core.uploads(5):
        await core.add(job_id, file)
    await core.job_settings.delete(ALICE, job_id, "", None)
    core.clock.advance(31 * DAY)
    write, left = core.store.write, list[tuple[int, ...]]()

    async def write_and_count(unit: WriteUnit[object]) -> object:
        done = await write(unit)
        with closing(sqlite3.connect(core.settings.ledger_path)) as ledger:
            tables = ("job_files", "file_records", "ingestion_jobs")
            left.append(tuple(ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables))
        return done

    monkeypatch.setattr(core.store, "write", write_and_count)
    await core.janitor.step()
    monkeypatch.undo()

    assert (left[0], left[-1]) == ((5, 5, 5), (0, 0, 0))
    steps = [sum(before) - sum(after) for before, after in pairwise(left)]
    assert max(steps) == 2
    await core.check()


async def test_purge__that_has_begun_is_not_taken_back(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who undeletes between two slices would have half a job for a moment, and then none."""
    monkeypatch.setattr("ingest_grpc.worker.janitor.ROWS_PER_SLICE", 1)
    job_id = (await core.create(*await core.uploads(3))).job.job.job_id
    row_id = (await core.job(job_id)).row_id
    await core.job_settings.delete(ALICE, job_id, "", None)
    core.clock.advance(31 * DAY)
    write, answers = core.store.write, list[Reason]()

    async def write_and_undelete(unit: WriteUnit[object]) -> object:
        done = await write(unit)
        monkeypatch.setattr(core.store, "write", write)
        answers.append(await refused(core.job_settings.undelete(ALICE, job_id, None)))
        if len(answers) == 3:
            raise _Killed
        monkeypatch.setattr(core.store, "write", write_and_undelete)
        return done

    monkeypatch.setattr(core.store, "write", write_and_undelete)
    with pytest.raises(_Killed):
        await core.janitor.step()
    assert answers == [Reason.JOB_NOT_FOUND] * 3

    await core.store.write(lambda tx: tx.job_by_row(row_id))  # the writer knows it again, half purged as it is
    assert await refused(core.job_settings.undelete(ALICE, job_id, None)) is Reason.JOB_NOT_FOUND
    assert not (await core.jobs.list(ALICE, JobFilter(show_deleted=True), page_size=10, page_token="")).items
    await core.reopen()
    assert await refused(core.job_settings.undelete(ALICE, job_id, None)) is Reason.JOB_NOT_FOUND
    await core.janitor.step()
    await core.check()


async def test_purge__leaves_what_was_undeleted_in_time(core: Core) -> None:
    job_id = (await core.create(await core.upload())).job.job.job_id
    await core.job_settings.delete(ALICE, job_id, "", None)
    core.clock.advance(31 * DAY)
    await core.job_settings.undelete(ALICE, job_id, None)
    await core.janitor.step()
    assert (await core.job(job_id)).deleted_at is None
    await core.check()


async def test_clone__has_the_settings_and_the_viable_files(core: Core) -> None:
    new = NewJob(
        name="original",
        job_type=JobType.PRINCIPLE_FILES,
        system_prompt="Be kind.",
        labels={"a": "1"},
        files=to_add(await core.upload("good.pdf"), await core.upload("bad.pdf"), await core.markdown()),
    )
    origin = (await core.jobs.create(ALICE, new, None)).value.job.job
    await core.succeed(await core.claim_one())
    await core.fail(await core.claim_one())

    clone = (await core.job_settings.clone(ALICE, origin.job_id, "", None, None)).value

    await core.check()
    assert clone.job.status is JobStatus.READY_TO_START
    assert (clone.job.origin_job_id, clone.job.system_prompt) == (origin.job_id, "Be kind.")
    assert dict(clone.job.labels) == {"a": "1"}
    assert sorted(file.name for file in clone.files) == ["good.md", "notes.md"]
    assert all(file.record_id is None and file.status is RecordStatus.COMPLETED for file in clone.files)


async def test_clone__of_many_files_tells_them_page_by_page(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CLONE_PAGE", 2)
    markdown = [await core.markdown(f"{number}.md") for number in range(3)]
    origin = (await core.create(*markdown, *await core.uploads(3))).job.job
    for claim in await core.claim(3):
        await core.succeed(claim)

    clone = (await core.job_settings.clone(ALICE, origin.job_id, "", None, None)).value

    await core.check()
    changes = [event.change for event in await core.events(clone.job.job_id)]
    added = [change.added for change in changes if isinstance(change, FilesChange)]
    assert [len(files) for files in added] == [2, 1, 2, 1]
    assert [file for files in added for file in files] == clone.files


async def test_list__of_jobs_counts_and_finds_what_lies_beyond_its_bound(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_grpc.store.sqlite.job_search.BATCH", 2)
    monkeypatch.setattr("ingest_grpc.store.sqlite.job_search.MAX_SCANNED", 2)
    for number in range(5):
        new = NewJob(name=f"{number}", job_type=JobType.CONTEXT_GROUNDED_FILES, external_id=f"E-{number}")
        await core.jobs.create(ALICE, new, None)

    async def listed(**wanted: object) -> tuple[list[str], bool, int | None]:
        chosen = JobFilter.model_validate(wanted)
        page = await core.jobs.list(ALICE, chosen, page_size=10, page_token="", include_total=True)
        return [job.name for job in page.items], bool(page.next_page_token), page.total

    assert await listed(external_id="E-0") == (["0"], False, 1)
    assert await listed(external_id="E-0", name_contains="1") == ([], False, 0)
    assert await listed(statuses=(JobStatus.NEEDS_REVIEW,)) == (["4", "3", "2", "1", "0"], False, 5)
    assert await listed(order_by="NAME", ascending=True) == (["0", "1"], True, 5)
    assert await listed(name_contains="0") == ([], True, 0)


async def test_external_id__is_unique_in_its_team(core: Core) -> None:
    new = NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES, external_id="E-1")
    first = (await core.jobs.create(ALICE, new, None)).value.job.job
    with pytest.raises(IngestError) as raised:
        await core.jobs.create(ALICE, new, None)
    assert raised.value.reason is Reason.EXTERNAL_ID_TAKEN
    assert raised.value.resource == ("Job", first.job_id)
    await core.jobs.create(BOB, new, None)


async def test_validate_only__answers_and_changes_nothing(core: Core) -> None:
    file = await core.upload()
    new = NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(file))
    rehearsed = (await core.jobs.create(ALICE, new, None, validate_only=True)).value
    assert rehearsed.job.job.status is JobStatus.FILE_PROCESSING
    assert len(rehearsed.results) == 1
    assert await refused(core.job(rehearsed.job.job.job_id)) is Reason.JOB_NOT_FOUND
    await core.check()


async def test_validate_only__does_not_make_the_units_beside_it_run_twice(core: Core) -> None:
    file = await core.upload()
    job = (await core.create(file)).job.job
    runs: list[str] = []

    async def counted(tx: Tx) -> None:
        runs.append("run")
        await tx.update_job((await tx.job_by_row(job.row_id)).model_copy(update={"description": "kept"}))

    rehearse = core.jobs.add_files(
        *(ALICE, job.job_id, to_add(await core.upload("b.pdf"))),
        method=None,
        allow_partial=False,
        request=None,
        validate_only=True,
    )
    [_, rehearsed, _] = await asyncio.gather(core.store.write(counted), rehearse, core.store.write(counted))

    assert runs == ["run", "run"], "each once"
    assert rehearsed.value.job.job.tally.total == 2
    assert rehearsed.value.job.job.description == "kept"
    after = await core.job(job.job_id)
    assert (after.tally.total, after.description, after.last_sequence) == (1, "kept", job.last_sequence)
    await core.check()


async def test_list__filters_orders_and_pages(core: Core) -> None:
    for number in range(7):
        await core.jobs.create(
            ALICE,
            NewJob(
                name=f"Report {number}" if number % 2 else f"Other {number}",
                job_type=JobType.CONTEXT_GROUNDED_FILES,
                labels={"odd": str(number % 2)},
            ),
            None,
        )
        core.clock.advance(1)
    wanted = JobFilter.model_validate({"name_contains": "REPORT", "order_by": "NAME", "ascending": True})
    names, token = [], ""
    while True:
        page = await core.jobs.list(ALICE, wanted, page_size=2, page_token=token, include_total=True)
        names += [job.name for job in page.items]
        assert page.total == 3
        if not (token := page.next_page_token):
            break
    assert names == ["Report 1", "Report 3", "Report 5"]
    even = await core.jobs.list(ALICE, JobFilter(labels={"odd": "0"}), page_size=10, page_token="")
    assert len(even.items) == 4
    assert (await core.jobs.list(BOB, JobFilter(), page_size=10, page_token="")).items == []
