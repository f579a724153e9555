"""What is not kept for ever: events and outputs of settled jobs, on a clock that is turned by hand."""

from collections.abc import AsyncIterator

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus
from ingest_grpc.model import EventKind, EventType, FileRecord, JobUpdate
from ingest_grpc.service import retention
from tests.factories import ALICE, Core, StartCore

DAY = 86_400.0


@pytest.fixture
async def core(start_core: StartCore) -> AsyncIterator[Core]:
    """Events are kept for 30 days, outputs for 60."""
    core = await start_core(output_retention_days=60.0)
    yield core
    await core.check()


async def finished(core: Core, *filenames: str) -> str:
    """A job whose files were all converted."""
    created = await core.create(*[await core.upload(name) for name in filenames])
    for claim in await core.claim(len(filenames)):
        await core.succeed(claim)
    return created.job.job.job_id


async def kept(core: Core, job_id: str) -> list[int]:
    return [event.sequence for event in await core.events(job_id)]


async def bounds(core: Core) -> tuple[int, int]:
    return await core.store.read(lambda rows: rows.feed_bounds(ALICE.team_id))


# ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_compaction__keeps_milestones_and_says_where_the_log_begins(core: Core) -> None:
    job_id = await finished(core, "a.pdf", "b.pdf")
    milestones = [event for event in await core.events(job_id) if event.kind is EventKind.MILESTONE]
    core.clock.advance(30 * DAY + 1)
    assert await core.retention.compact_events() == 1
    await core.check()
    page = await core.jobs.list_events(ALICE, job_id, after_sequence=0, types=(), page_size=100, page_token="")
    job = await core.job(job_id)
    assert list(page.events) == milestones
    assert page.earliest_sequence == job.earliest_sequence == job.last_sequence + 1
    assert await core.retention.compact_events() == 0


async def test_compaction__leaves_a_job_alone_until_it_was_settled_for_so_long(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    whole = await kept(core, job_id)
    core.clock.advance(30 * DAY - 1)
    assert await core.retention.compact_events() == 0
    assert await kept(core, job_id) == whole


async def test_compaction__leaves_a_job_alone_while_anything_is_in_flight(core: Core) -> None:
    created = await core.create(await core.upload("a.pdf"), await core.upload("b.pdf"))
    await core.succeed(await core.claim_one())
    core.clock.advance(365 * DAY)
    assert await core.retention.compact_events() == 0
    await core.succeed(await core.claim_one())
    core.clock.advance(29 * DAY)
    assert await core.retention.compact_events() == 0, "the 30 days begin when the job settles"
    core.clock.advance(2 * DAY)
    assert await core.retention.compact_events() == 1
    assert (await core.job(created.job.job.job_id)).earliest_sequence > 1


async def test_compaction__of_a_job_that_goes_on_leaves_what_is_young(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    core.clock.advance(20 * DAY)
    await core.job_settings.update(ALICE, job_id, JobUpdate(name="renamed"), "", None)
    renamed = (await core.job(job_id)).last_sequence
    core.clock.advance(11 * DAY)
    assert await core.retention.compact_events() == 1
    await core.check()
    assert (await core.job(job_id)).earliest_sequence == renamed
    assert (await kept(core, job_id))[-1] == renamed

    core.clock.advance(20 * DAY)
    assert await core.retention.compact_events() == 1
    assert (await core.job(job_id)).earliest_sequence == renamed + 1
    assert renamed not in await kept(core, job_id)


async def test_compaction__goes_in_slices_and_on_after_a_restart(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVENTS_PER_SLICE", 2)
    job_id = await finished(core, "a.pdf", "b.pdf", "c.pdf")
    core.clock.advance(31 * DAY)
    before = core.clock.now() - 30 * 86_400_000_000
    while (earliest := (await core.job(job_id)).earliest_sequence) < 7:
        await core.store.write(lambda tx: tx.compact_slice(before, 2))
        await core.check()
        assert (await core.job(job_id)).earliest_sequence == earliest + 2
    await core.reopen()
    assert await core.retention.compact_events() > 1
    assert (await core.job(job_id)).earliest_sequence == (await core.job(job_id)).last_sequence + 1


async def test_compaction__wakes_watchers_so_that_heartbeats_tell_the_truth(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    core.clock.advance(31 * DAY)
    signal = core.hub.subscribe((await core.job(job_id)).row_id)
    signal.clear()
    await core.retention.compact_events()
    await signal.wait(float("inf"))
    core.hub.unsubscribe(signal)


async def test_feed_floor__is_the_newest_event_of_the_feed_that_is_gone(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    assert (await bounds(core))[0] == 0
    gone = await core.store.read(lambda rows: rows.feed_after(ALICE.team_id, 0, 100))
    core.clock.advance(31 * DAY)
    other = await finished(core, "b.pdf")
    await core.retention.compact_events()
    floor, head = await bounds(core)
    assert floor == max(each.row_id for each in gone if each.event.kind is not EventKind.MILESTONE)
    assert floor < head
    assert (await core.job(other)).earliest_sequence == 1
    left = await core.store.read(lambda rows: rows.feed_after(ALICE.team_id, 0, 100))
    assert {each.event.kind for each in left if each.event.job_id == job_id} == {EventKind.MILESTONE}


async def test_purge__of_the_newest_job_never_gives_its_places_in_the_feed_away(core: Core) -> None:
    """Or whoever had seen the purged job would take the next one for seen as well."""
    await core.create()
    job_id = (await core.create()).job.job.job_id
    await core.job_settings.delete(ALICE, job_id, "", None)
    _, seen = await bounds(core)
    core.clock.advance(31 * DAY)
    await core.janitor.step()
    assert await bounds(core) == (seen, seen)
    await core.create()
    [created] = await core.store.read(lambda rows: rows.feed_after(ALICE.team_id, seen, 100))
    assert created.row_id > seen


# ── outputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def records(core: Core, job_id: str) -> list[FileRecord]:
    job = await core.job(job_id)
    found = await core.store.read(lambda rows: rows.records(job_row=job.row_id, show_deleted=True, limit=100))
    return [row.record for row in found]


async def expire(core: Core) -> int:
    count = await core.retention.expire_outputs()
    await core.check()
    return count


async def reason_for(core: Core, file_id: str) -> Reason:
    with pytest.raises(IngestError) as raised:
        await core.files.get(ALICE, file_id)
    return raised.value.reason


async def test_outputs__expire_and_the_job_says_so(core: Core) -> None:
    job_id = await finished(core, "a.pdf", "b.pdf")
    before = await core.job(job_id)
    core.clock.advance(59 * DAY)
    assert await expire(core) == 0
    core.clock.advance(2 * DAY)
    assert await expire(core) == 2
    job, [one, other] = await core.job(job_id), await records(core, job_id)
    assert {record.status for record in (one, other)} == {RecordStatus.COMPLETED}
    assert one.output_expired_at == core.clock.now()
    assert await reason_for(core, one.output_file_id) is Reason.OUTPUT_EXPIRED
    assert (job.tally, job.expired_outputs) == (before.tally, 2)
    assert job.files_etag != before.files_etag, "nobody starts unawares what was reviewed with more files"
    assert job.status is JobStatus.NEEDS_REVIEW
    assert "retention" in job.review_reasons[0].message
    types = await core.event_types(job_id, before.last_sequence)
    assert types == [EventType.RECORD_EXPIRED, EventType.RECORD_EXPIRED, EventType.JOB_CHANGED]
    detail = await core.jobs.get_detail(ALICE, job_id)
    assert [file.expired_at for file in detail.files] == [core.clock.now()] * 2
    assert [run.status for run in detail.ingestion_jobs] == [IngestionJobStatus.COMPLETED]
    await core.janitor.step()
    await core.check()
    assert await expire(core) == 0


async def test_outputs__that_are_younger_keep_the_job_ready(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    core.clock.advance(61 * DAY)
    await core.add(job_id, await core.upload("b.pdf"))
    claim = await core.claim_one()
    assert await expire(core) == 0, "not while anything is in flight"
    await core.succeed(claim)
    assert await expire(core) == 1
    job = await core.job(job_id)
    assert (job.status, job.expired_outputs) == (JobStatus.READY_TO_START, 1)


async def test_outputs__are_kept_for_ever_without_the_setting(start_core: StartCore) -> None:
    core = await start_core("other")
    await finished(core, "a.pdf")
    core.clock.advance(10_000 * DAY)
    assert await expire(core) == 0


async def test_outputs__that_another_job_lists_are_kept(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    await core.job_settings.clone(ALICE, job_id, "clone", None, None)
    core.clock.advance(61 * DAY)
    assert await expire(core) == 0


async def test_outputs__of_removed_records_go_too_and_count_for_nothing(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    [record] = await records(core, job_id)
    await core.remove(job_id, records=[record.record_id])
    core.clock.advance(61 * DAY)
    assert await expire(core) == 1
    assert (await core.job(job_id)).expired_outputs == 0
    assert await reason_for(core, record.output_file_id) is Reason.OUTPUT_EXPIRED


async def test_outputs__once_removed_no_longer_count(core: Core) -> None:
    job_id = await finished(core, "a.pdf")
    core.clock.advance(61 * DAY)
    await expire(core)
    [record] = await records(core, job_id)
    await core.remove(job_id, records=[record.record_id])
    assert (await core.job(job_id)).expired_outputs == 0


async def test_outputs__that_expired_are_made_anew_when_the_file_is_added_again(core: Core) -> None:
    source = await core.upload("a.pdf")
    job_id = (await core.create(source)).job.job.job_id
    await core.succeed(await core.claim_one())
    core.clock.advance(61 * DAY)
    await expire(core)
    await core.add(job_id, source)
    await core.succeed(await core.claim_one())
    job, [old, new] = await core.job(job_id), await records(core, job_id)
    assert (job.status, job.tally.completed, job.expired_outputs) == (JobStatus.READY_TO_START, 2, 1)
    assert (old.output_expired_at is None, new.output_expired_at is None) == (False, True)
    assert (await core.files.get(ALICE, new.output_file_id)).size_bytes > 0


async def test_outputs__expire_in_slices(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "OUTPUTS_PER_SLICE", 2)
    jobs = [await finished(core, "a.pdf", "b.pdf", f"{number}.pdf") for number in range(2)]
    waiting = await core.create(await core.upload("waits.pdf"))
    core.clock.advance(61 * DAY)
    assert await expire(core) == 6
    assert [(await core.job(job_id)).expired_outputs for job_id in jobs] == [3, 3]
    assert (await core.job(waiting.job.job.job_id)).expired_outputs == 0
