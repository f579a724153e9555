"""An archive becomes files and records of its own, all at once or not at all, through the real runner and ledger."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus, RecordStatus, WaitReason
from ingest_grpc.model import AddFileOutcome, FileRecord, RecordChange, RemoveFileOutcome, RetryFileOutcome
from ingest_grpc.service.archives import Unpacked
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import Tx
from ingest_grpc.worker.executors.interface import ArchiveUnpacked, ConversionFailed, MemberSink
from tests.factories import ALICE, Core, StartCore
from tests.reaching import A_RECORD, reaches
from tests.wild_documents import zipped

TWO = {"a.txt": b"first", "folder/b.txt": b"second"}


async def archive(core: Core, members: Mapping[str, bytes | str] = TWO, name: str = "files.zip") -> str:
    """A job with one archive in the queue; returns the job's id."""
    created = await core.create(await core.upload(name, zipped(members)))
    return created.job.job.job_id


async def run_all(core: Core) -> None:
    """Works until the queue is empty."""
    while claims := await core.claim_records(10):
        for claim in claims:
            await core.runner.run(claim)


async def all_records(core: Core, job_id: str) -> Sequence[FileRecord]:
    """Live records."""
    page = await core.ingestion.list_records(
        ALICE, job_id=job_id, ingestion_job_id=None, statuses=(), show_deleted=False, page_size=1000, page_token=""
    )
    return page.items


async def records(core: Core, job_id: str) -> dict[str, FileRecord]:
    """Live records by the path of their file."""
    found = await all_records(core, job_id)
    files = [await core.files.get(ALICE, record.file_id) for record in found]
    return {file.path or file.filename: record for file, record in zip(files, found, strict=True)}


async def test_archive__each_member_is_a_file_and_a_record(core: Core) -> None:
    job_id = await archive(core)
    await run_all(core)
    found = await records(core, job_id)
    assert set(found) == {"files.zip", "files.zip/a.txt", "files.zip/folder/b.txt"}
    whole, member = found["files.zip"], found["files.zip/folder/b.txt"]
    assert (whole.status, whole.member_count, whole.parent_record_id) == (RecordStatus.COMPLETED, 2, None)
    assert (whole.warnings, whole.losses) == (("odd",), ("lost",))
    assert (member.status, member.parent_record_id, member.filename) == (
        RecordStatus.COMPLETED, whole.record_id, "b.txt",
    )  # fmt: skip
    assert member.ingestion_job_id == whole.ingestion_job_id
    assert await core.read(member.file_id) == b"second"
    listing = (await core.read(whole.output_file_id)).decode()
    assert f"| folder/b.txt | 6 | {member.record_id} |" in listing
    job = await core.job(job_id)
    assert (job.status, job.tally.completed, job.facts.viable_files) == (JobStatus.READY_TO_START, 3, 2)
    await core.check()


async def test_archive__its_members_come_before_its_completion_and_the_job_never_settles_between(core: Core) -> None:
    job_id = await archive(core)
    await core.runner.run(await core.claim_one())
    job = await core.job(job_id)
    assert (job.status, job.tally.queued, job.facts.settled) == (JobStatus.FILE_PROCESSING, 2, False)
    changes = [event.change for event in await core.events(job_id) if isinstance(event.change, RecordChange)]
    assert [(change.record.filename, change.record.status) for change in changes][2:] == [
        ("a.txt", RecordStatus.QUEUED), ("b.txt", RecordStatus.QUEUED), ("files.zip", RecordStatus.COMPLETED),
    ]  # fmt: skip


async def test_archive__equal_names_in_two_folders_are_two_files(core: Core) -> None:
    job_id = await archive(core, {"x/a.txt": b"one", "y/a.txt": b"two"})
    await run_all(core)
    found = await records(core, job_id)
    assert {found["files.zip/x/a.txt"].filename, found["files.zip/y/a.txt"].filename} == {"a.txt"}
    assert await core.read(found["files.zip/y/a.txt"].file_id) == b"two"


@pytest.mark.parametrize(
    ("name", "shown", "filename"),
    [
        ("../../etc/passwd", "files.zip/etc/passwd", "passwd"),
        ("/etc/passwd", "files.zip/etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "files.zip/temp/a.txt", "a.txt"),
        ("a\u202etxt.exe", "files.zip/atxt.exe", "atxt.exe"),
        ("a\x07\x1b[31m.txt", "files.zip/a[31m.txt", "a[31m.txt"),
        ("u\u0308.txt", "files.zip/ü.txt", "ü.txt"),
        ("é" * 200 + ".txt", "files.zip/" + "é" * 200 + ".txt", "é" * 125 + ".txt"),
        ("..", "files.zip", "file-1"),
    ],
)
async def test_archive__names_are_shown_and_never_used_as_paths(
    core: Core, name: str, shown: str, filename: str
) -> None:
    job_id = await archive(core, {name: b"content"})
    await run_all(core)
    (member,) = [record for record in await all_records(core, job_id) if record.parent_record_id]
    file = await core.files.get(ALICE, member.file_id)
    assert (file.path, file.filename) == (shown, filename)
    assert len(filename.encode()) <= 255


async def test_archive__inside_an_archive_up_to_the_limit(start_core: StartCore) -> None:
    core = await start_core("nesting", max_archive_nesting=2)
    innermost = zipped({"deep.txt": b"deep"})
    job_id = await archive(core, {"1.zip": zipped({"2.zip": innermost, "mid.txt": b"mid"})})
    await run_all(core)
    found = await records(core, job_id)
    assert found["files.zip"].status is found["1.zip/mid.txt"].status is RecordStatus.COMPLETED
    failed = found["1.zip/2.zip"]
    assert failed.status is RecordStatus.FAILED
    assert failed.error is not None
    assert failed.error.reason is Reason.ARCHIVE_TOO_DEEP
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW
    await core.check()


async def test_archive__removing_it_removes_what_came_out_of_it_at_every_depth(core: Core) -> None:
    job_id = await archive(core, {"1.zip": zipped({"mid.txt": b"mid"}), "a.txt": b"a"})
    await core.runner.run(await core.claim_one())
    for claim in await core.claim_records(2):
        await core.runner.run(claim)
    running = await core.claim_one()
    assert running.record.filename == "mid.txt"
    whole = (await records(core, job_id))["files.zip"]
    removed = await core.remove(job_id, records=[whole.record_id])
    assert len(removed.results[0].record_ids) == 4
    assert await records(core, job_id) == {}
    assert (running.key, running.attempt) in core.commits[-1].stopped
    assert await core.succeed(running) is False
    assert (await core.job(job_id)).tally.total == 0
    await core.check()


async def test_archive__members_can_be_removed_one_by_one_and_the_listing_alone_is_not_viable(core: Core) -> None:
    job_id = await archive(core)
    await run_all(core)
    found = await records(core, job_id)
    ids = [record.record_id for record in found.values() if record.parent_record_id]
    await core.remove(job_id, records=ids)
    job = await core.job(job_id)
    assert (job.tally.completed, job.facts.viable_files, job.status) == (1, 0, JobStatus.NEEDS_REVIEW)
    again = await core.remove(job_id, records=[found["files.zip"].record_id, ids[0]])
    assert [result.outcome for result in again.results] == [
        RemoveFileOutcome.REMOVED, RemoveFileOutcome.ALREADY_REMOVED,
    ]  # fmt: skip
    await core.check()


async def test_archive__equal_bytes_are_stored_once_and_converted_once(core: Core) -> None:
    await core.create(await core.upload("a.txt", b"first", content_type="text/plain"))
    await core.succeed(await core.claim_one())
    job_id = await archive(core, {"a.txt": b"first", "again.txt": b"new", "copy.txt": b"new"})
    await core.runner.run(await core.claim_one())
    found = await records(core, job_id)
    assert found["files.zip/a.txt"].reused_from is not None
    assert found["files.zip/a.txt"].status is RecordStatus.COMPLETED
    files = [await core.files.get(ALICE, record.file_id) for record in found.values()]
    by_name = {file.filename: file.blob_key for file in files}
    assert by_name["again.txt"] == by_name["copy.txt"]
    await core.check()


async def test_archive__a_second_job_unpacks_it_anew_and_finds_its_members_converted(core: Core) -> None:
    await archive(core)
    await run_all(core)
    second = await core.create(await core.upload("files.zip", zipped(TWO)))
    assert second.results[0].outcome is AddFileOutcome.ADDED
    assert len(await core.claim_records(10)) == 1


async def test_archive__a_corrected_member_resolves_the_failed_one(core: Core) -> None:
    job_id = await archive(core, {"a.txt": b"good", "b.txt": b"bad"})
    await core.runner.run(await core.claim_one())
    first, second = await core.claim_records(2)
    await core.succeed(first)
    await core.fail(second)
    assert (await core.job(job_id)).status is JobStatus.NEEDS_REVIEW
    await core.add(job_id, await core.upload("more.zip", zipped({"b.txt": b"corrected"})))
    await run_all(core)
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START
    await core.check()


async def test_archive__a_failed_one_is_retried_and_then_unpacked(core: Core) -> None:
    job_id = await archive(core)
    claim = await core.claim_one()
    await core.fail(claim, Reason.FILE_UNREADABLE)
    retried = await core.retries.retry(ALICE, job_id, [claim.record.record_id], None)
    assert retried.value.results[0].outcome is RetryFileOutcome.RETRIED
    await run_all(core)
    assert (await core.job(job_id)).tally.completed == 3


async def test_archive__a_complete_one_cannot_be_retried_so_its_members_are_never_doubled(core: Core) -> None:
    job_id = await archive(core)
    await run_all(core)
    whole = (await records(core, job_id))["files.zip"]
    retried = await core.retries.retry(ALICE, job_id, [whole.record_id], None)
    assert retried.value.results[0].outcome is RetryFileOutcome.NOT_RETRYABLE


async def test_archive__a_late_result_of_an_older_attempt_changes_nothing(core: Core) -> None:
    job_id = await archive(core)
    late = await core.claim_one()
    await core.orphan(late)
    current = await core.claim_one()
    await core.runner.run(late)
    assert (await core.job(job_id)).tally.total == 1
    await core.check()
    await core.runner.run(current)
    assert (await core.job(job_id)).tally.total == 3
    await core.check()


@pytest.mark.parametrize("moment", ["while unpacking", "after unpacking"])
async def test_archive__cancelled_leaves_no_member(core: Core, moment: str) -> None:
    job_id = await archive(core)
    reached, never = asyncio.Event(), asyncio.Event()

    async def hold(_sink: MemberSink) -> ArchiveUnpacked:
        reached.set()
        if moment == "while unpacking":
            await never.wait()
        await core.jobs.cancel(ALICE, job_id, None)
        return ArchiveUnpacked("fake", "1")

    core.executor.after_unpacking = hold
    running = asyncio.create_task(core.runner.run(await core.claim_one()))
    await reached.wait()
    if moment == "while unpacking":
        await core.jobs.cancel(ALICE, job_id, None)  # the members so far lie in blobs without a row
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await core.runner.drain()
    else:
        await running
    job = await core.job(job_id)
    assert (job.status, job.tally.total) == (JobStatus.CANCELLED, 1)
    await core.check()


async def test_archive__that_ends_between_two_slices_of_a_cancellation_is_cancelled_too(core: Core) -> None:
    """CancelJob was the last command: records that came after its first slice would be overlooked by the next."""
    job_id = await archive(core)
    claim = await core.claim_one()

    async def first_slice(tx: Tx) -> None:
        ledger = await JobLedger.open(tx, ALICE.team_id, job_id, core.clock.now(), ALICE.user_id)
        ledger.cancel_requested(True)
        await ledger.close()

    await core.store.write(first_slice)
    await core.runner.run(claim)
    job = await core.job(job_id)
    assert (job.status, job.tally.cancelled, job.tally.total) == (JobStatus.CANCELLED, 1, 1)
    await core.check()


@reaches(Reason.ARCHIVE_EXCEEDS_JOB, A_RECORD, "an archive with more files than its job has room for")
@reaches(Reason.ARCHIVE_EXCEEDS_STORAGE, A_RECORD, "an archive whose files are more bytes than the team has left")
@reaches(Reason.ARCHIVE_EXCEEDS_QUEUE, A_RECORD, "an archive with more files than the team's queue has room for")
@pytest.mark.parametrize(
    ("settings", "reason", "status"),
    [
        ({"max_records_per_job": 2}, Reason.ARCHIVE_EXCEEDS_JOB, RecordStatus.FAILED),
        ({"max_archive_files": 1}, Reason.TOO_MANY_ENTRIES, RecordStatus.FAILED),
        ({"max_archive_bytes": 10}, Reason.DECOMPRESSION_BOMB, RecordStatus.FAILED),
        ({"team_max_bytes": 400}, Reason.ARCHIVE_EXCEEDS_STORAGE, RecordStatus.FAILED),
        ({"team_max_queued": 1}, Reason.ARCHIVE_EXCEEDS_QUEUE, RecordStatus.QUEUED),
    ],
)
async def test_archive__that_exceeds_a_limit_leaves_nothing(
    start_core: StartCore, settings: dict[str, int], reason: Reason, status: RecordStatus
) -> None:
    core = await start_core("limits", **settings)
    job_id = await archive(core, {"a.txt": b"x" * 100, "b.txt": b"y" * 100})
    claim = await core.claim_one()
    await core.runner.run(claim)
    record = (await core.record(claim)).record
    assert record.status is status
    assert record.error is not None
    assert record.error.reason is reason
    assert (await core.job(job_id)).tally.total == 1
    await core.check()


async def test_archive__members_that_need_no_work_have_room_in_a_full_queue(start_core: StartCore) -> None:
    core = await start_core("reused", team_max_queued=1)
    for content in TWO.values():
        await core.create(await core.upload("earlier.txt", content, content_type="text/plain"))
        await core.runner.run(await core.claim_one())
    job_id = await archive(core)
    await core.runner.run(await core.claim_one())
    assert (await core.job(job_id)).tally.completed == 3
    await core.check()


async def test_archive__files_and_bytes_are_bounded_over_all_depths(start_core: StartCore) -> None:
    core = await start_core("tree", max_entries=3)
    inner = zipped({"x.txt": b"x", "y.txt": b"y"})
    job_id = await archive(core, {"1.zip": inner, "2.zip": zipped({"z.txt": b"z"})})
    await run_all(core)
    found = await records(core, job_id)
    reasons = [record.error.reason for record in found.values() if record.error]
    assert (reasons, len(found)) == ([Reason.TOO_MANY_ENTRIES], 4)
    await core.check()


async def test_archive__waits_for_the_cap_of_its_team_member_by_member(start_core: StartCore) -> None:
    core = await start_core("caps", team_max_running=1)
    job_id = await archive(core, {f"{n}.txt": b"%d" % n for n in range(3)})
    await core.runner.run(await core.claim_one())
    waiting = [record.wait_reason for record in (await records(core, job_id)).values() if record.parent_record_id]
    assert sorted(waiting, key=str) == [None, WaitReason.TEAM_CAP, WaitReason.TEAM_CAP]
    await run_all(core)
    assert (await core.job(job_id)).status is JobStatus.READY_TO_START


async def test_archive__a_failing_child_leaves_no_member(core: Core) -> None:
    async def fail(_sink: MemberSink) -> ConversionFailed:
        return ConversionFailed(Reason.CONVERTER_CRASHED, "died")

    core.executor.after_unpacking = fail
    job_id = await archive(core)
    claim = await core.claim_one()
    await core.runner.run(claim)
    record = (await core.record(claim)).record
    assert (record.status, record.wait_reason) == (RecordStatus.QUEUED, WaitReason.BACK_OFF)
    assert (await core.job(job_id)).tally.total == 1
    await core.check()


async def test_archive__a_crash_between_its_blobs_and_their_rows_leaves_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await archive(core)

    async def crash(*_: object) -> None:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    unpacker = core.runner._unpacker
    monkeypatch.setattr(unpacker._archives, "finish", crash)
    with pytest.raises(IngestError):
        await core.runner.run(await core.claim_one())
    await core.reopen()
    await core.reaper.recover()
    await core.check()
    await run_all(core)
    assert (await core.job(job_id)).tally.completed == 3
    await core.check()


async def test_archive__the_same_result_twice_is_one_effect(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit may run again from its start, and a result may be reported again: the attempt is the fence."""
    job_id = await archive(core)
    seen: list[Unpacked] = []
    finish = core.runner._unpacker._archives.finish

    async def twice(claim: object, unpacked: Unpacked) -> object:
        seen.append(unpacked)
        kept = await finish(claim, unpacked)  # type: ignore[arg-type]
        assert await finish(claim, unpacked) is None  # type: ignore[arg-type]
        return kept

    monkeypatch.setattr(core.runner._unpacker._archives, "finish", twice)
    await core.runner.run(await core.claim_one())
    assert len(seen[0].members) == 2
    assert (await core.job(job_id)).tally.total == 3
    await core.check()


async def test_archive__a_clone_has_its_members_and_not_its_listing(core: Core) -> None:
    job_id = await archive(core)
    await run_all(core)
    cloned = await core.job_settings.clone(ALICE, job_id, "copy", None, None)
    assert sorted(file.name for file in cloned.value.files) == ["a.md", "b.md"]


async def test_archive__deleting_its_file_takes_its_records_out_of_the_job(core: Core) -> None:
    job_id = await archive(core)
    await run_all(core)
    whole = (await records(core, job_id))["files.zip"]
    await core.files.delete(ALICE, whole.file_id, force=True, request=None)
    assert (await core.job(job_id)).tally.total == 0
    await core.check()
