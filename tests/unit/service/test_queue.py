"""The fair queue: who is next, and what a waiting record is told about its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import Caller, File
from ingest_grpc.service.queue import STEP, QueueTail
from ingest_grpc.store.interface import Tx
from ingest_grpc.store.sqlite.tx import SqliteTx
from tests.factories import ALICE, BOB, Core, to_add


async def insert_files(core: Core, caller: Caller, count: int) -> list[File]:
    """Files of one shared blob, by the thousand."""
    first = await core.upload("template.pdf", caller=caller)

    async def unit(tx: Tx) -> list[File]:
        copies = [first.model_copy(update={"file_id": new_id(Prefix.FILE)}) for _ in range(count)]
        return [await tx.insert_file(copy, shareable=True) for copy in copies]

    return await core.store.write(unit)


async def queue_up(core: Core, caller: Caller, count: int) -> str:
    files = await insert_files(core, caller, count)
    job_id = (await core.create(caller=caller)).job.job.job_id
    for start in range(0, count, 1_000):
        await core.jobs.add_files(
            caller,
            job_id,
            to_add(*files[start : start + 1_000]),
            method=None,
            allow_partial=False,
            request=None,
        )
    return job_id


async def places(core: Core, job_id: str, caller: Caller) -> list[int]:
    row_id = (await core.job(job_id, caller)).row_id
    return [one.position for one in await core.store.read(lambda rows: rows.positions(row_id, 100))]


@pytest.mark.slow
async def test_a_team_that_comes_late_is_served_next_to_one_with_five_thousand_files(core: Core) -> None:
    await queue_up(core, ALICE, 5_000)
    await core.claim_records(100)
    bobs = await queue_up(core, BOB, 5)

    assert await places(core, bobs, BOB) == [2, 4, 6, 8, 10]
    [run] = (await core.jobs.get_detail(BOB, bobs)).ingestion_jobs
    assert [record.queue_position for record in run.records] == [2, 4, 6, 8, 10]
    claimed = [claim.record.team_id for _ in range(10) for claim in await core.claim_records(1)]
    assert claimed == ["team-a", "team-b"] * 5


async def test_a_team_alone_is_served_in_the_order_of_its_calls(core: Core) -> None:
    first = await core.create(*await core.uploads(3, prefix="first-"))
    second = await core.create(*await core.uploads(3, prefix="second-"))
    assert await places(core, first.job.job.job_id, ALICE) == [1, 2, 3]
    assert await places(core, second.job.job.job_id, ALICE) == [4, 5, 6]
    names = [claim.record.filename for claim in await core.claim(6)]
    assert names == [f"{call}-{number}.pdf" for call in ("first", "second") for number in (1, 2, 3)]


async def test_an_idle_time_earns_nothing(core: Core) -> None:
    """A team that was away does not get all its unused turns at once."""
    await core.create(*await core.uploads(20))
    await core.claim(10)
    await core.create(*await core.uploads(10, BOB), caller=BOB)
    assert [claim.record.team_id for claim in await core.claim(6)] == ["team-a", "team-b"] * 3


async def test_a_delayed_record_has_no_place_and_a_requeued_one_its_old_turn(core: Core) -> None:
    created = await core.create(*await core.uploads(4))
    job_id = created.job.job.job_id
    one, two = await core.claim(2)
    await core.retry(one, after_seconds=10.0)
    await core.orphan(two)

    assert await places(core, job_id, ALICE) == [1, 2, 3]
    assert (await core.claim_one()).record.record_id == two.record.record_id
    core.clock.advance(10.0)
    await core.work.admit_due()
    assert (await core.claim_one()).record.record_id == one.record.record_id


async def test_positions__in_the_full_view(core: Core) -> None:
    await core.create(*await core.uploads(2))
    created = await core.create(*await core.uploads(2, prefix="x"))
    [run] = (await core.jobs.get_detail(ALICE, created.job.job.job_id)).ingestion_jobs
    assert [record.queue_position for record in run.records] == [3, 4]
    await core.claim(3)
    [run] = (await core.jobs.get_detail(ALICE, created.job.job.job_id)).ingestion_jobs
    assert [record.queue_position for record in run.records] == [None, 1]


async def test_positions__are_those_of_every_record_of_a_reply(core: Core) -> None:
    job_id = await queue_up(core, ALICE, 150)
    await queue_up(core, BOB, 3)
    row_id = (await core.job(job_id)).row_id

    expected = [one.position for one in await core.store.read(lambda rows: rows.positions(row_id, 1_000))]
    assert expected == [1, 3, 5, *range(7, 154)]
    [run] = (await core.jobs.get_detail(ALICE, job_id)).ingestion_jobs
    listed = await core.ingestion.list_records(
        ALICE,
        job_id=job_id,
        ingestion_job_id=None,
        statuses=(),
        show_deleted=False,
        page_size=1_000,
        page_token="",
    )
    for records in (run.records, listed.items):
        assert [record.queue_position for record in records] == expected


async def test_positions__with_several_priorities_equal_the_count(core: Core) -> None:
    """Nothing sets a priority yet; the order by it is there and must hold."""
    for caller in (ALICE, BOB, ALICE):
        await core.create(*await core.uploads(4, caller), caller=caller)

    async def unit(tx: Tx) -> None:
        assert isinstance(tx, SqliteTx)
        tx._connection.execute("UPDATE file_records SET priority = id % 3")

    await core.store.write(unit)
    await core.check()
    claims = await core.claim_records(12)
    keys = [(-claim.priority, claim.fair_tag, claim.record.row_id) for claim in claims]
    assert keys == sorted(keys)
    await core.check()


class Tags:
    """The two numbers of a ledger that a tail begins with."""

    def __init__(self, virtual_time: int, own: int | None) -> None:
        self._virtual_time, self._own = virtual_time, own

    async def virtual_time(self, priority: int) -> int:
        return self._virtual_time

    async def greatest_queued_tag(self, team: str, priority: int) -> int | None:
        return self._own


@given(st.integers(0, 2**50), st.none() | st.integers(0, 2**50), st.integers(1, 5))
async def test_tail__begins_behind_the_clock_and_the_teams_own_last(now: int, own: int | None, count: int) -> None:
    tail = await QueueTail.of(Tags(now, own), "team", 0)  # type: ignore[arg-type]
    start = max(now, own or 0)
    assert [tail.next() for _ in range(count)] == [start + STEP * number for number in range(1, count + 1)]
