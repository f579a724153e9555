"""The contract of `store.interface` for records and their queue, held against every backend."""

from dataclasses import replace
from functools import partial

import pytest

from ingest_grpc.lifecycle import RecordStatus, Trigger
from ingest_grpc.store.interface import Store, Tx
from tests.conformance.ledgers import OTHER, TEAM, Filled

# ── records ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_transition__stores_the_record(store: Store, filled: Filled) -> None:
    row = await filled.record()
    assert (row.claimable, row.fair_tag, row.bytes_in, row.source_type) == (True, 1, 3, "application/pdf")
    claimed = await filled.claim(row)
    assert claimed.record.status is RecordStatus.RUNNING
    assert (claimed.record.worker_id, claimed.claimable) == ("w", False)
    assert await store.read(lambda rows: rows.running_records()) == [claimed]


async def test_transition__of_another_status_or_attempt_changes_nothing(store: Store, filled: Filled) -> None:
    row = await filled.record()
    claimed = await filled.claim(row)
    assert not await filled.move(row, Trigger.CANCELLED, status=RecordStatus.CANCELLED, cancelled_at=1)
    stale = replace(claimed, record=claimed.record.model_copy(update={"attempt": 2}))
    assert not await filled.move(stale, Trigger.CANCELLED, status=RecordStatus.CANCELLED, cancelled_at=1)
    assert await store.read(lambda rows: rows.record_by_row(row.record.row_id)) == claimed


async def test_transition__that_the_table_does_not_have_is_refused(store: Store, filled: Filled) -> None:
    row = await filled.record()
    with pytest.raises(Exception, match="transition refused"):
        await filled.move(row, Trigger.SUCCEEDED, status=RecordStatus.COMPLETED, completed_at=1, bytes_out=1)
    assert await store.read(lambda rows: rows.record_by_row(row.record.row_id)) == row
    assert store.healthy


async def advance(tx: Tx, tag: int) -> None:
    await tx.advance_virtual_time(0, tag)


async def test_queue__is_claimed_by_priority_then_tag_then_age(store: Store, filled: Filled) -> None:
    rows = [await filled.record(tag, priority=priority) for priority, tag in ((0, 5), (0, 3), (1, 9), (0, 3), (1, 2))]
    order = [rows[index].record.record_id for index in (4, 2, 1, 3, 0)]

    assert [row.record.record_id for row in await store.write(lambda tx: tx.records_to_claim(10))] == order
    assert [row.record.record_id for row in await store.write(lambda tx: tx.records_to_claim(2))] == order[:2]
    positions = await store.read(lambda r: r.positions(filled.job.row_id, 10))
    assert [(one.record_id, one.position) for one in positions] == list(zip(order, range(1, 6), strict=True))
    ranks = await store.read(lambda r: r.ranks(rows))
    assert [ranks[row.record.row_id] for row in rows] == [5, 3, 2, 4, 1]
    claimed = await filled.claim(rows[4])
    assert await store.read(lambda r: r.ranks([claimed, rows[1]])) == {rows[1].record.row_id: 2}


async def test_queue__tags_and_virtual_time(store: Store, filled: Filled) -> None:
    await filled.record(7)
    await filled.record(9)
    await filled.record(20, priority=1)
    assert await store.write(lambda tx: tx.greatest_queued_tag(TEAM, 0)) == 9
    assert await store.write(lambda tx: tx.greatest_queued_tag(OTHER, 0)) is None
    for tag, expected in ((5, 5), (3, 5), (8, 8)):
        await store.write(partial(advance, tag=tag))
        assert await store.write(lambda tx: tx.virtual_time(0)) == expected
    assert await store.write(lambda tx: tx.virtual_time(1)) == 0


async def test_delayed__records_are_due_at_their_time_or_when_the_clock_was_turned_back(
    store: Store, filled: Filled
) -> None:
    row = await filled.claim(await filled.record())
    await filled.move(
        row, Trigger.FAILED_RETRYABLE, status=RecordStatus.QUEUED, next_attempt_at=100, wait_reason="BACK_OFF"
    )

    async def due(now: int, latest: int) -> int:
        return len(await store.write(lambda tx: tx.records_due(now, latest, 10)))

    assert await store.read(lambda rows: rows.next_due_at()) == 100
    assert [await due(99, 200), await due(100, 200), await due(1, 99)] == [0, 1, 1]
    assert await store.write(lambda tx: tx.records_to_claim(10)) == []
    await store.write(lambda tx: tx.make_claimable(row.record.row_id))
    assert await store.read(lambda rows: rows.next_due_at()) is None
    assert len(await store.write(lambda tx: tx.records_to_claim(10))) == 1


async def test_records__by_owner_status_and_file(store: Store, filled: Filled) -> None:
    one, two = await filled.record(), await filled.record()
    await filled.claim(two)
    await store.write(
        lambda tx: tx.mark_record(
            one.record.row_id, deleted_at=50, superseded_by=None, output_expired_at=None, sequence=2
        )
    )

    async def listed(**where: object) -> list[str]:
        found = await store.read(lambda rows: rows.records(limit=10, **where))  # type: ignore[arg-type]
        return [row.record.record_id for row in found]

    ids = [one.record.record_id, two.record.record_id]
    job, run = filled.job.row_id, filled.run.row_id
    assert await listed(job_row=job) == await listed(ingestion_row=run) == ids[1:]
    assert await listed(job_row=job, show_deleted=True) == ids
    assert await listed(ingestion_row=run, show_deleted=True, after=one.record.row_id) == ids[1:]
    assert await listed(job_row=job, statuses=[RecordStatus.RUNNING, RecordStatus.QUEUED], show_deleted=True) == ids
    assert await listed(job_row=job, statuses=[RecordStatus.FAILED]) == []
    assert await store.read(lambda rows: rows.live_records_of_file(job, one.file_row, one.record.file_id)) == []
    assert await store.write(lambda tx: tx.removed_record_of_file(job, one.file_row, one.record.file_id))
    by_output = await store.read(lambda rows: rows.live_records_of_file(job, -1, two.record.output_file_id))
    assert [row.record.record_id for row in by_output] == ids[1:]
    assert await store.read(lambda rows: rows.record_of_output(OTHER, two.record.output_file_id)) is None


async def test_unresolved__by_name_at_most_two(store: Store, filled: Filled) -> None:
    rows = [await filled.claim(await filled.record(filename=name)) for name in ("a", "b", "b", "b")]
    for row in rows:
        await filled.move(row, Trigger.CANCELLED, status=RecordStatus.CANCELLED, cancelled_at=13, worker_id=None)
    job = filled.job.row_id
    assert await store.write(lambda tx: tx.unresolved_with_name(job, "a")) == [
        (rows[0].record.row_id, rows[0].record.record_id)
    ]
    assert len(await store.write(lambda tx: tx.unresolved_with_name(job, "b"))) == 2
    await store.write(
        lambda tx: tx.mark_record(
            rows[0].record.row_id, deleted_at=None, superseded_by="file-x", output_expired_at=None, sequence=3
        )
    )
    assert await store.write(lambda tx: tx.unresolved_with_name(job, "a")) == []
    assert len(await store.read(lambda r: r.unresolved_records(job, 10))) == 3
