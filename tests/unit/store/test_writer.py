import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.store.interface import Commit, Tx, WriteUnit
from ingest_grpc.store.sqlite import store as store_module
from ingest_grpc.store.sqlite import writer as writer_module
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.faults import cancelled_at
from tests.reaching import EVERY_RPC, reaches
from tests.unit.store.doubles import Disk
from tests.unit.store.ledgers import Ledger, note, note_and_do, note_and_raise, notes, task_of


async def reason_of(call: object) -> Reason:
    with pytest.raises(IngestError) as caught:
        await call  # type: ignore[misc]
    return caught.value.reason


# ── group commit ───────────────────────────────────────────────────────────────────────────────────────────


async def test_group_commit__of_many_units_takes_few_commits(ledger: Ledger) -> None:
    names = [str(number) for number in range(1_000)]
    results = await asyncio.gather(*(ledger.store.write(note(name)) for name in names))

    assert results == names
    assert await notes(ledger.store) == names, "in the order of the calls"
    assert len(ledger.commits) <= 1 + -(-1_000 // writer_module.MAX_BATCH)


async def test_group_commit__a_unit_that_raises_disturbs_nobody(ledger: Ledger) -> None:
    results = await asyncio.gather(
        ledger.store.write(note("one")),
        ledger.store.write(note_and_raise("two", KeyError("mine"))),
        ledger.store.write(note("three")),
        return_exceptions=True,
    )

    assert [repr(result) for result in results] == ["'one'", "KeyError('mine')", "'three'"]
    assert await notes(ledger.store) == ["one", "three"]


async def test_group_commit__a_statement_that_fails_disturbs_nobody(ledger: Ledger) -> None:
    one, two, three = await asyncio.gather(
        ledger.store.write(note("same")),
        ledger.store.write(note("same")),
        ledger.store.write(note("other")),
        return_exceptions=True,
    )

    assert (one, three) == ("same", "other")
    assert isinstance(two, sqlite3.IntegrityError)


async def test_group_commit__units_run_again_when_one_raises(ledger: Ledger) -> None:
    runs: list[str] = []

    async def counted(tx: Tx) -> int:
        runs.append("run")
        return len(await tx.api_keys()) + len(runs)

    value, _ = await asyncio.gather(
        ledger.store.write(counted), ledger.store.write(note_and_raise("x", ValueError())), return_exceptions=True
    )
    assert runs == ["run", "run"]
    assert value == 2, "the caller hears what the run that was committed returned"


async def test_group_commit__wakes_only_for_what_was_committed(ledger: Ledger) -> None:
    async def touches(tx: Tx) -> None:
        tx.commit.jobs.add(1)
        tx.commit.stopped.add((("record", 2), 1))

    async def touches_and_raises(tx: Tx) -> None:
        tx.commit.jobs.add(3)
        tx.commit.claimable = tx.commit.delayed = True
        raise ValueError

    await asyncio.gather(ledger.store.write(touches), ledger.store.write(touches_and_raises), return_exceptions=True)
    assert ledger.commits == [Commit(jobs={1}, stopped={(("record", 2), 1)})]


async def test_unit__that_awaits_something_else_is_refused(ledger: Ledger) -> None:
    async def sleeps(tx: Tx) -> None:
        await note("before")(tx)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaited something other"):
        await ledger.store.write(sleeps)
    assert await notes(ledger.store) == []


@pytest.mark.parametrize("statement", ["ROLLBACK", "INSERT OR ROLLBACK INTO ledger VALUES (1, '', 0)"])
async def test_batch__that_the_database_rolled_back_fails_as_a_whole(ledger: Ledger, statement: str) -> None:
    """Units that ran before in the same batch are gone too: none of them may be told that it succeeded."""
    results = await asyncio.gather(
        ledger.store.write(note("before")),
        ledger.store.write(note_and_do("culprit", lambda connection: connection.execute(statement))),
        ledger.store.write(note("after")),
        return_exceptions=True,
    )

    assert [getattr(result, "reason", result) for result in results] == [Reason.STORAGE_UNAVAILABLE] * 3
    assert await notes(ledger.store) == []
    assert await ledger.is_healthy()


async def test_on_commit__comes_before_any_caller_hears_of_it(path: Path) -> None:
    order: list[str] = []
    ledger = Ledger(path, on_commit=lambda commit: order.append("commit"))
    await ledger.store.start()

    async def call(name: str) -> None:
        await ledger.store.write(note(name))
        order.append(name)

    await asyncio.gather(call("one"), call("two"))
    assert order == ["commit", "one", "two"]
    await ledger.store.stop()


async def test_on_commit__that_fails_harms_nobody(path: Path) -> None:
    def broken(commit: Commit) -> None:
        raise ValueError("a listener")

    ledger = Ledger(path, on_commit=broken)
    await ledger.store.start()
    assert await ledger.store.write(note("one")) == "one"
    assert await notes(ledger.store) == ["one"]
    await ledger.store.stop()


# ── shares ─────────────────────────────────────────────────────────────────────────────────────────────────


class SlowUnits:
    """Units that take a batch's whole time by a clock of their own, and what they ran."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ran: list[str] = []

    def now(self) -> float:
        return self.seconds

    def slow(self, name: str, error: Exception | None = None) -> WriteUnit[str]:
        async def unit(tx: Tx) -> str:
            self.seconds += writer_module.BATCH_SECONDS
            self.ran.append(name)
            await note(name)(tx)
            if error is not None:
                raise error
            return name

        return unit


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> SlowUnits:
    units = SlowUnits()
    monkeypatch.setattr(writer_module, "perf_counter", units.now)
    return units


async def test_share__parties_take_turns(ledger: Ledger) -> None:
    names = ["a1", "a2", "a3", "b1", "b2", "c1"]
    results = await asyncio.gather(*(task_of(name[0], ledger.store.write(note(name))) for name in names))

    assert results == names
    assert await notes(ledger.store) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(ledger.commits) == 1


async def test_share__a_batch_ends_when_its_time_is_over(ledger: Ledger, units: SlowUnits) -> None:
    """What was not run comes first in the next one, and whose turn it was."""
    greedy = [task_of("greedy", ledger.store.write(units.slow(str(number)))) for number in range(3)]
    modest = [task_of("modest", ledger.store.write(note(name))) for name in ("x", "y")]

    assert await asyncio.gather(*greedy, *modest) == ["0", "1", "2", "x", "y"]
    assert await notes(ledger.store) == ["0", "x", "1", "y", "2"]
    assert units.ran == ["0", "1", "2"], "each once"
    assert len(ledger.commits) == 3
    assert ledger.store.writes_waiting == 0


async def test_share__a_batch_that_is_run_apart_ends_too(ledger: Ledger, units: SlowUnits) -> None:
    results = await asyncio.gather(
        ledger.store.write(note("quick")),
        ledger.store.write(units.slow("wrong", KeyError("mine"))),
        ledger.store.write(units.slow("one")),
        ledger.store.write(units.slow("two")),
        return_exceptions=True,
    )

    assert [repr(result) for result in results] == ["'quick'", "KeyError('mine')", "'one'", "'two'"]
    assert units.ran == ["wrong", "wrong", "one", "two"]
    assert await notes(ledger.store) == ["quick", "one", "two"]
    assert len(ledger.commits) == 3


async def test_share__what_is_put_back_has_its_place_and_is_run_without_its_caller(
    path: Path, units: SlowUnits
) -> None:
    ledger = Ledger(path, write_queue=3)
    await ledger.store.start()
    writes = [asyncio.create_task(ledger.store.write(units.slow(str(number)))) for number in range(4)]
    await asyncio.sleep(0)
    writes[2].cancel()
    await asyncio.sleep(0)
    await ledger.store.stop()
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert [getattr(result, "reason", type(result).__name__) for result in results] == [
        *("str", "str", "CancelledError", Reason.SERVER_BUSY)
    ]
    assert units.ran == ["0", "1", "2"], "a stop waits for them"


# ── cancelled callers ──────────────────────────────────────────────────────────────────────────────────────


async def test_cancelled_caller__the_unit_is_committed_all_the_same(ledger: Ledger) -> None:
    for suspension in (1, 2):  # a write suspends once
        call = cancelled_at(ledger.store.write(note(f"cancelled at {suspension}")), suspension)
        await asyncio.gather(call, return_exceptions=True)
    await ledger.store.write(note("next"))

    assert await notes(ledger.store) == ["cancelled at 1", "cancelled at 2", "next"]


async def test_cancelled_caller__among_others_of_its_batch(ledger: Ledger) -> None:
    tasks = [asyncio.create_task(ledger.store.write(note(str(number)))) for number in range(5)]
    await asyncio.sleep(0)  # all are queued, none has run
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result).__name__ for result in results] == ["str", "str", "CancelledError", "str", "str"]
    assert await notes(ledger.store) == ["0", "1", "2", "3", "4"]


async def test_cancelled_caller__of_a_unit_that_raises(ledger: Ledger) -> None:
    await asyncio.gather(cancelled_at(ledger.store.write(note_and_raise("x", ValueError())), 1), return_exceptions=True)
    assert await ledger.is_healthy()


# ── the disk and other processes ───────────────────────────────────────────────────────────────────────────


async def test_full_disk__stores_nothing_and_keeps_serving(ledger: Ledger) -> None:
    await ledger.store.write(note("before"))
    limit = await ledger.store._writer.run(
        lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone()[0]
    )
    small, large = await asyncio.gather(
        ledger.store.write(note("small")),
        ledger.store.write(note("large", "x" * limit * 4096)),
        return_exceptions=True,
    )

    for result in (small, large):
        assert isinstance(result, IngestError)
        assert result.reason is Reason.STORAGE_FULL
    assert ledger.store.healthy
    assert await notes(ledger.store) == ["before"]
    await ledger.store._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").fetchone())
    assert await ledger.is_healthy()


async def test_foreign_lock__is_told_and_outlived(ledger: Ledger, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        assert await reason_of(ledger.store.write(note("locked out"))) is Reason.STORAGE_UNAVAILABLE
        assert ledger.store.healthy
        assert await notes(ledger.store) == [], "readers are not locked out"
        foreign.execute("ROLLBACK")
    assert await ledger.is_healthy()
    assert "locked out" not in await notes(ledger.store)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(store_module, "connect_writer", disk.connect)
    monkeypatch.setattr(writer_module, "REOPEN_PAUSE_SECONDS", 0.0)
    return disk


@reaches(Reason.STORAGE_UNAVAILABLE, EVERY_RPC, "an I/O error at a commit, or a locked ledger")
@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "COMMIT"])
async def test_io_error__the_ledger_is_reopened(disk: Disk, ledger: Ledger, statement: str) -> None:
    opened = disk.opened
    disk.failing.add(statement)
    failed = asyncio.create_task(ledger.store.write(note("unknown")))
    assert await reason_of(failed) is Reason.STORAGE_UNAVAILABLE
    disk.failing.clear()
    await ledger.store._writer._queue.join()  # the reopening belongs to the failed batch

    assert disk.opened == opened + 1
    assert await ledger.is_healthy()
    assert "unknown" not in await notes(ledger.store)


async def test_io_error__units_that_waited_run_on_the_new_connection(disk: Disk, path: Path) -> None:
    ledger = Ledger(path)
    await ledger.store.start()
    disk.failing.add("COMMIT")
    writes = [asyncio.create_task(ledger.store.write(note(str(number)))) for number in range(300)]
    first = await asyncio.gather(*writes[: writer_module.MAX_BATCH], return_exceptions=True)
    disk.failing.clear()
    rest = await asyncio.gather(*writes[writer_module.MAX_BATCH :])

    assert {getattr(result, "reason", None) for result in first} == {Reason.STORAGE_UNAVAILABLE}
    assert rest == await notes(ledger.store)
    await ledger.store.stop()


async def test_io_error__writes_are_refused_while_it_is_reopened(disk: Disk, ledger: Ledger) -> None:
    disk.failing.add("COMMIT")
    disk.gone = True
    assert await reason_of(ledger.store.write(note("x"))) is Reason.STORAGE_UNAVAILABLE
    assert not ledger.store.healthy
    assert await reason_of(ledger.store.write(note("y"))) is Reason.STORAGE_UNAVAILABLE
    assert await notes(ledger.store) == [], "reads go on"


async def test_io_error__is_given_up_after_five_failed_reopens(disk: Disk, path: Path) -> None:
    ledger = Ledger(path)
    await ledger.store.start()
    disk.failing.add("COMMIT")
    disk.gone = True
    await reason_of(ledger.store.write(note("x")))
    await ledger.store._writer._queue.join()

    assert disk.refused == writer_module.REOPEN_ATTEMPTS == 5
    assert (ledger.broken, ledger.store.healthy) == (1, False)
    await ledger.store.stop()
    disk.failing.clear()
    disk.gone = False
    again = Ledger(path)
    await again.store.start()  # the lock was released
    await again.store.stop()


# ── the queue and the end ──────────────────────────────────────────────────────────────────────────────────


@reaches(Reason.SERVER_BUSY, EVERY_RPC, "more writes waiting than `write_queue`")
async def test_queue__that_is_full_answers_at_once(path: Path) -> None:
    ledger = Ledger(path, write_queue=2)
    await ledger.store.start()
    results = await asyncio.gather(
        *(ledger.store.write(note(str(number))) for number in range(5)), return_exceptions=True
    )

    assert results[:2] == ["0", "1"]
    assert [getattr(result, "reason", None) for result in results[2:]] == [Reason.SERVER_BUSY] * 3
    assert await ledger.is_healthy()
    await ledger.store.stop()


async def test_stop__finishes_what_was_queued(path: Path) -> None:
    ledger = Ledger(path)
    await ledger.store.start()
    writes = [asyncio.create_task(ledger.store.write(note(str(number)))) for number in range(600)]
    await asyncio.sleep(0)
    await ledger.store.stop()

    assert await asyncio.gather(*writes) == [str(number) for number in range(600)]
    again = Ledger(path)
    await again.store.start()
    assert len(await notes(again.store)) == 600
    await again.store.stop()


async def test_stop__is_idempotent_and_refuses_what_comes_later(store: SqliteStore) -> None:
    await store.stop()
    await store.stop()

    assert not store.healthy
    assert await reason_of(store.write(note("late"))) is Reason.STORAGE_UNAVAILABLE
    assert await reason_of(notes(store)) is Reason.STORAGE_UNAVAILABLE
