"""The contract of `store.interface`, held against every backend.

What is special about one backend (its files, locks and faults) is tested beside it, in tests/unit/store.
"""

import asyncio
from functools import partial

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.model import (
    EventType,
    FileFilter,
    FileKind,
    IngestionJob,
    Job,
    JobChange,
    Scope,
    TimelineEvent,
)
from ingest_grpc.store.interface import ApiKey, Commit, Rows, Store, StoredRequest, Tx
from tests.conformance.ledgers import OTHER, TEAM, Filled, Open, a_file, a_job, fill

# ── units ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_write__is_durable_when_it_returns(store: Store, reopen: Open) -> None:
    filled = await fill(store)
    await store.stop()
    again = reopen([])
    await again.start()
    assert await again.read(lambda rows: rows.job(TEAM, filled.job.job_id)) == filled.job
    await again.stop()


async def test_write__that_raises_leaves_nothing_and_wakes_nobody(store: Store, commits: list[Commit]) -> None:
    job = a_job()

    async def unit(tx: Tx) -> None:
        await tx.insert_job(job)
        tx.commit.jobs.add(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await store.write(unit)
    assert await store.read(lambda rows: rows.job(TEAM, job.job_id)) is None
    assert all(not commit.jobs for commit in commits)


async def find_job(rows: Rows, job_id: str) -> Job | None:
    return await rows.job(TEAM, job_id)


async def test_rehearsal__returns_what_it_would_do_and_leaves_nothing(store: Store, commits: list[Commit]) -> None:
    """Neither of what was written and owed within it, nor of whom to wake; all before and after it stays."""
    kept, rehearsed, later = a_job(), a_job(), a_job()
    kept_row = 0

    async def rehearsal(tx: Tx) -> list[str]:
        row_id = await tx.insert_job(rehearsed)
        before = await tx.job_by_row(kept_row)
        await tx.update_job(before.model_copy(update={"name": "rehearsed"}))
        tx.commit.jobs.add(row_id)
        tx.commit.claimable = True
        return [(await tx.job_by_row(row)).name for row in (kept_row, row_id)]

    async def unit(tx: Tx) -> list[str]:
        nonlocal kept_row
        kept_row = await tx.insert_job(kept)
        await tx.update_job((await tx.job_by_row(kept_row)).model_copy(update={"name": "owed"}))
        tx.commit.jobs.add(kept_row)
        names = await tx.rehearse(rehearsal)
        await tx.insert_job(later)
        return [*names, (await tx.job_by_row(kept_row)).name]

    assert await store.write(unit) == ["rehearsed", "name", "owed"]
    found = [await store.read(partial(find_job, job_id=job.job_id)) for job in (kept, rehearsed, later)]
    assert [None if job is None else job.name for job in found] == ["owed", None, "name"]
    assert commits == [Commit(jobs={kept_row})]


async def test_rehearsal__that_raises_can_be_caught(store: Store, commits: list[Commit]) -> None:
    async def rehearsal(tx: Tx) -> None:
        await tx.insert_job(a_job())
        tx.commit.jobs.add(1)
        raise KeyError("mine")

    async def unit(tx: Tx) -> int:
        with pytest.raises(KeyError, match="mine"):
            await tx.rehearse(rehearsal)
        return len(await tx.jobs_newest(TEAM, (), None, 100))

    assert await store.write(unit) == 0
    assert commits == [Commit()]


async def test_write__sees_its_own_rows_and_those_before_it(store: Store) -> None:
    async def unit(tx: Tx) -> int:
        await tx.insert_job(a_job())
        return len(await tx.jobs_newest(TEAM, (), None, 100))

    assert await asyncio.gather(*(store.write(unit) for _ in range(20))) == list(range(1, 21))


async def test_write__of_a_cancelled_caller_is_stored(store: Store) -> None:
    job = a_job()
    writing = asyncio.create_task(store.write(lambda tx: tx.insert_job(job)))
    await asyncio.sleep(0)
    writing.cancel()
    await store.write(lambda tx: tx.insert_job(a_job()))
    assert await store.read(lambda rows: rows.job(TEAM, job.job_id)) is not None


async def test_write__tells_what_it_touched_before_its_caller_hears(store: Store, commits: list[Commit]) -> None:
    async def unit(tx: Tx) -> None:
        tx.commit.jobs |= {1, 2}
        tx.commit.stopped.add((("record", 3), 1))
        tx.commit.delayed = True

    await store.write(unit)
    assert commits[-1] == Commit(jobs={1, 2}, stopped={(("record", 3), 1)}, delayed=True)


async def test_read__sees_every_write_that_returned_before(store: Store) -> None:
    for count in range(1, 20):
        await store.write(lambda tx: tx.insert_job(a_job()))
        jobs = await asyncio.gather(*(store.read(lambda rows: rows.jobs_newest(TEAM, (), None, 100)) for _ in range(3)))
        assert [len(found) for found in jobs] == [count] * 3


async def test_stop__refuses_what_comes_later(store: Store) -> None:
    await store.stop()
    for call in (store.write(lambda tx: tx.insert_job(a_job())), store.read(lambda rows: rows.ledger_id())):
        with pytest.raises(IngestError) as caught:
            await call
        assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert not store.healthy


async def test_ledger_id__stays(store: Store, reopen: Open) -> None:
    ledger_id = await store.read(lambda rows: rows.ledger_id())
    await store.stop()
    again = reopen([])
    await again.start()
    assert await again.read(lambda rows: rows.ledger_id()) == ledger_id
    await again.stop()


# ── jobs and ingestion jobs ────────────────────────────────────────────────────────────────────────────────


async def test_job__comes_back_as_it_was(store: Store) -> None:
    job = a_job()
    row_id = await store.write(lambda tx: tx.insert_job(job))
    stored = job.model_copy(update={"row_id": row_id})

    async def unit(rows: Rows) -> list[Job | None]:
        return [await rows.job(TEAM, job.job_id), await rows.job_by_row(row_id), await rows.job(OTHER, job.job_id)]

    assert await store.read(unit) == [stored, stored, None]


async def test_job__stores_what_a_roll_up_changes_and_nothing_else(store: Store, filled: Filled) -> None:
    changed = filled.job.model_copy(
        update={
            "status": JobStatus.CANCELLED,
            "tally": filled.job.tally.plus(filled.job.tally),
            "markdown_files": 2,
            "cancelled": True,
            "ever_active": True,
            "last_sequence": 7,
            "updated_at": 99,
        }
    )
    await store.write(lambda tx: tx.update_job(changed.model_copy(update={"external_id": "another"})))
    assert await store.read(lambda rows: rows.job_by_row(filled.job.row_id)) == changed


async def insert_job(tx: Tx, status: JobStatus) -> int:
    return await tx.insert_job(a_job(status=status))


async def test_jobs_newest__by_team_and_status(store: Store) -> None:
    statuses = [JobStatus.NEEDS_REVIEW, JobStatus.CANCELLED, JobStatus.READY_TO_START, JobStatus.CANCELLED]
    rows = [await store.write(partial(insert_job, status=status)) for status in statuses]
    await store.write(lambda tx: tx.insert_job(a_job(OTHER)))

    async def listed(*wanted: JobStatus, before: int | None = None, limit: int = 10) -> list[int]:
        return [job.row_id for job in await store.read(lambda r: r.jobs_newest(TEAM, wanted, before, limit))]

    assert await listed() == rows[::-1]
    assert await listed(JobStatus.CANCELLED) == [rows[3], rows[1]]
    assert await listed(JobStatus.CANCELLED, JobStatus.NEEDS_REVIEW, JobStatus.CANCELLED) == [rows[3], rows[1], rows[0]]
    assert await listed(before=rows[2], limit=1) == [rows[1]]
    assert await listed(JobStatus.CANCELLED, JobStatus.NEEDS_REVIEW, before=rows[3], limit=1) == [rows[1]]


async def test_ingestion_jobs__in_both_orders(store: Store, filled: Filled) -> None:
    other = await fill(store)
    await fill(store, OTHER)

    async def listed(job_row: int | None, *, oldest_first: bool, after: int | None = None) -> list[IngestionJob]:
        return await store.read(
            lambda rows: rows.ingestion_jobs(
                team=TEAM, job_row=job_row, statuses=(), after=after, oldest_first=oldest_first, limit=10
            )
        )

    assert await listed(None, oldest_first=True) == [filled.run, other.run]
    assert await listed(None, oldest_first=False) == [other.run, filled.run]
    assert await listed(other.job.row_id, oldest_first=True) == [other.run]
    assert await listed(None, oldest_first=True, after=filled.run.row_id) == [other.run]
    assert await listed(None, oldest_first=False, after=other.run.row_id) == [filled.run]


# ── timeline, files, requests, keys ────────────────────────────────────────────────────────────────────────


async def test_events__come_back_in_order_and_by_type(store: Store, filled: Filled) -> None:
    job = filled.job
    types = [EventType.CREATED, EventType.JOB_CHANGED, EventType.JOB_CHANGED, EventType.CREATED]
    events = [
        TimelineEvent(
            job_id=job.job_id,
            sequence=number,
            timestamp=number,
            type=kind,
            message="said",
            actor="user",
            change=JobChange(job=job.model_copy(update={"row_id": 0})),
        )
        for number, kind in enumerate(types, start=1)
    ]
    await store.write(lambda tx: tx.insert_events(job.row_id, TEAM, events))

    assert await store.read(lambda rows: rows.events_after(job.row_id, 0, 10)) == events
    assert await store.read(lambda rows: rows.events_after(job.row_id, 1, 2)) == events[1:3]
    by_type = await store.read(lambda rows: rows.events_after(job.row_id, 0, 10, [EventType.JOB_CHANGED]))
    assert by_type == events[1:3]
    changed = [EventType.JOB_CHANGED]

    async def counts(rows: Rows) -> list[int]:
        return [await rows.count_events(job.row_id, after, 10) for after in range(5)]

    assert await store.read(counts) == [4, 3, 2, 1, 0]
    assert await store.read(lambda rows: rows.count_events(job.row_id, 0, 2)) == 2
    assert await store.read(lambda rows: rows.count_events(job.row_id, 2, 10, changed)) == 1
    assert await store.read(lambda rows: rows.count_events(job.row_id, 0, 10, changed)) == 2
    assert await store.read(lambda rows: rows.milestones_after(job.row_id, 0, 10)) == [events[0], events[3]]
    with pytest.raises(Exception, match=r"UNIQUE|duplicate"):
        await store.write(lambda tx: tx.insert_events(job.row_id, TEAM, events[:1]))


async def test_files__equal_bytes_of_a_team_share_a_blob(store: Store) -> None:
    one = await store.write(lambda tx: tx.insert_file(a_file(key="one"), shareable=True))
    two = await store.write(lambda tx: tx.insert_file(a_file(key="two"), shareable=True))
    others = await store.write(lambda tx: tx.insert_file(a_file(OTHER, key="three"), shareable=True))
    output = await store.write(lambda tx: tx.insert_file(a_file(key="four", kind=FileKind.OUTPUT), shareable=False))
    assert [file.blob_key for file in (one, two, others, output)] == ["one", "one", "three", "four"]
    assert await store.read(lambda rows: rows.blob_is_kept("one"))
    assert not await store.read(lambda rows: rows.blob_is_kept("two"))

    await store.write(lambda tx: tx.delete_file(one, 20))
    assert await store.read(lambda rows: rows.deleted_blobs(10)) == []
    await store.write(lambda tx: tx.delete_file(two, 20))
    [(row_id, key)] = await store.read(lambda rows: rows.deleted_blobs(10))
    assert key == "one"
    assert not await store.read(lambda rows: rows.blob_is_kept("one"))
    await store.write(lambda tx: tx.forget_blob(row_id))
    assert await store.read(lambda rows: rows.deleted_blobs(10)) == []
    listed, _ = await store.read(lambda rows: rows.files_where(TEAM, FileFilter(), None, 10))
    assert [file.file_id for file in listed] == [output.file_id]


async def test_files__by_team_and_kind(store: Store) -> None:
    upload = await store.write(lambda tx: tx.insert_file(a_file(), shareable=True))
    output = await store.write(lambda tx: tx.insert_file(a_file(kind=FileKind.OUTPUT), shareable=False))
    assert await store.read(lambda rows: rows.file(TEAM, upload.file_id)) == upload
    assert await store.read(lambda rows: rows.file(OTHER, upload.file_id)) is None
    assert await store.read(lambda rows: rows.files_where(TEAM, FileFilter(), None, 10)) == ([output, upload], None)
    assert await store.read(lambda rows: rows.files_where(TEAM, FileFilter(kind=FileKind.UPLOAD), None, 10)) == (
        [upload],
        None,
    )
    assert await store.read(lambda rows: rows.files_where(TEAM, FileFilter(), output.row_id, 10)) == ([upload], None)


async def test_markdown__is_listed_until_it_is_removed(store: Store, filled: Filled) -> None:
    file = await store.write(lambda tx: tx.insert_file(a_file(), shareable=True))
    job = filled.job.row_id
    await store.write(lambda tx: tx.add_markdown_file(job, file.row_id, 12))
    found = await store.write(lambda tx: tx.markdown_file(job, file.file_id))
    assert found is not None
    row_id, entry, listed = found
    assert (entry.file_id, entry.created_at, listed) == (file.file_id, 12, True)
    assert await store.read(lambda rows: rows.markdown_files(job, 10)) == [(row_id, entry)]
    assert await store.read(lambda rows: rows.markdown_files(job, 10, row_id)) == []
    assert await store.write(lambda tx: tx.jobs_listing_file(file.row_id)) == [job]
    await store.write(lambda tx: tx.remove_markdown_file(row_id, 13))
    assert await store.read(lambda rows: rows.markdown_files(job, 10)) == []
    assert await store.write(lambda tx: tx.markdown_file(job, file.file_id)) == (row_id, entry, False)


async def remember(tx: Tx, stored: StoredRequest, number: int) -> None:
    await tx.insert_request(TEAM, "m", str(number), stored, number)


async def test_requests__are_remembered_per_team_and_method_until_forgotten(store: Store) -> None:
    stored = StoredRequest(b"hash", '{"a": 1}')
    for number in range(3):
        await store.write(partial(remember, stored=stored, number=number))
    assert await store.write(lambda tx: tx.request(TEAM, "m", "0")) == stored
    assert await store.write(lambda tx: tx.request(OTHER, "m", "0")) is None
    assert await store.write(lambda tx: tx.request(TEAM, "n", "0")) is None
    assert [await store.write(lambda tx: tx.forget_requests(2, 1)) for _ in range(3)] == [1, 1, 0]
    assert await store.write(lambda tx: tx.request(TEAM, "m", "2")) == stored


async def test_api_keys__are_found_by_hash_until_revoked(store: Store) -> None:
    key = ApiKey("key-1", TEAM, "user", frozenset({Scope.READ, Scope.WRITE}), 10, None)
    assert not await store.read(lambda rows: rows.any_api_key())
    await store.write(lambda tx: tx.insert_api_key(key, b"hash"))
    assert await store.read(lambda rows: rows.api_key_by_hash(b"hash")) == key
    assert await store.write(lambda tx: tx.revoke_api_key("key-1", 20))
    assert not await store.write(lambda tx: tx.revoke_api_key("key-1", 30))
    assert await store.read(lambda rows: rows.api_key_by_hash(b"hash")) is None
    assert await store.read(lambda rows: rows.any_api_key()), "a revoked key still closes the door"
    assert [one.revoked_at for one in await store.read(lambda rows: rows.api_keys())] == [20]
