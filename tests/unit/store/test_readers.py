import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.store.interface import Rows
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.faults import cancelled_at
from tests.unit.store.doubles import disk_error
from tests.unit.store.ledgers import Ledger, all_notes, note, notes, task_of


class HeldRead:
    """A read that stands still in the middle of its snapshot, on its reader's thread."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    async def unit(self, rows: Rows) -> tuple[list[str], list[str]]:
        before = await all_notes(rows)
        self.entered.set()
        assert self.released.wait(10)
        return before, await all_notes(rows)

    async def is_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


async def test_read__sees_one_snapshot(store: SqliteStore) -> None:
    held = HeldRead()
    reading = asyncio.create_task(store.read(held.unit))
    await held.is_entered()
    await store.write(note("meanwhile"))
    held.released.set()

    assert await reading == ([], [])
    assert await notes(store) == ["meanwhile"]


async def test_read__cannot_write_whatever_a_statement_says(store: SqliteStore) -> None:
    async def writes(rows: Rows) -> None:
        rows._connection.execute("DELETE FROM ledger")  # type: ignore[attr-defined]

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(writes)
    assert await store.read(lambda rows: rows.ledger_id())


async def test_read__that_raises_gives_its_reader_back_clean(store: SqliteStore) -> None:
    async def raises(rows: Rows) -> None:
        await all_notes(rows)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await store.read(raises)
    await store.write(note("later"))
    assert await notes(store) == ["later"]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_CORRUPT])
async def test_read__that_the_disk_fails_is_worth_another_try(store: SqliteStore, code: int) -> None:
    async def fails(rows: Rows) -> None:
        rows._connection.execute("ROLLBACK")  # type: ignore[attr-defined]  # as SQLite does by itself
        raise disk_error(code)

    with pytest.raises(IngestError) as caught:
        await store.read(fails)
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert await notes(store) == []


async def test_read__whose_statement_is_wrong_is_not(store: SqliteStore) -> None:
    async def wrong(rows: Rows) -> None:
        rows._connection.execute("SELECT * FROM nowhere")  # type: ignore[attr-defined]

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await store.read(wrong)


async def test_read__cancelled_in_the_middle_leaves_no_stale_reader(ledger: Ledger) -> None:
    """The only reader is given back while the cancelled read still stands in its snapshot on the thread."""
    held = HeldRead()
    reading = asyncio.create_task(ledger.store.read(held.unit))
    await held.is_entered()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await ledger.store.write(note("newer"))
    fresh = asyncio.create_task(notes(ledger.store))
    await asyncio.sleep(0)
    held.released.set()

    assert await fresh == ["newer"]


async def test_read__cancelled_at_every_await_leaves_no_stale_reader(store: SqliteStore) -> None:
    for suspension in range(1, 4):
        await asyncio.gather(cancelled_at(notes(store), suspension), return_exceptions=True)
        await store.write(note(str(suspension)))
        assert await notes(store) == [str(number) for number in range(1, suspension + 1)]
    assert len(store._readers._idle) == 1


async def test_read__cancelled_while_it_waits_for_a_reader(store: SqliteStore) -> None:
    held = HeldRead()
    reading = asyncio.create_task(store.read(held.unit))
    await held.is_entered()
    waiting = asyncio.create_task(notes(store))
    await asyncio.sleep(0)
    waiting.cancel()
    held.released.set()
    await asyncio.gather(reading, waiting, return_exceptions=True)

    assert waiting.cancelled()
    assert await notes(store) == []
    assert len(store._readers._idle) == 1


async def test_read__cancelled_when_its_turn_has_just_come(store: SqliteStore) -> None:
    held = HeldRead()

    async def reads_and_cancels() -> None:
        await store.read(held.unit)  # gives the reader to the one that waits, which did not run since
        waiting.cancel()

    reading = asyncio.create_task(reads_and_cancels())
    await held.is_entered()
    waiting = asyncio.create_task(notes(store))
    await asyncio.sleep(0)
    held.released.set()
    await asyncio.gather(reading, waiting, return_exceptions=True)

    assert waiting.cancelled()
    assert await notes(store) == []
    assert len(store._readers._idle) == 1


# ── shares ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_share__one_party_has_half_of_the_readers_and_the_others_go_on(path: Path) -> None:
    ledger = Ledger(path, readers=4)
    await ledger.store.start()
    helds = [HeldRead() for _ in range(5)]
    readings = [task_of("greedy", ledger.store.read(held.unit)) for held in helds]
    for held in helds[:2]:
        await held.is_entered()

    assert await asyncio.gather(*(task_of("modest", notes(ledger.store)) for _ in range(5))) == [[]] * 5
    assert await notes(ledger.store) == [], "the server's own reads are one more party"
    assert [held.entered.is_set() for held in helds] == [True, True, False, False, False]
    assert not any(reading.done() for reading in readings)
    for held in helds:
        held.released.set()
    assert await asyncio.gather(*readings) == [([], [])] * 5


async def test_share__parties_that_wait_take_turns(ledger: Ledger) -> None:
    order: list[str] = []
    held = HeldRead()
    reading = asyncio.create_task(ledger.store.read(held.unit))
    await held.is_entered()

    async def read(name: str) -> None:
        async def unit(rows: Rows) -> None:
            order.append(name)

        await ledger.store.read(unit)

    waiting = [task_of(name[0], read(name)) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    await asyncio.sleep(0)
    held.released.set()
    await asyncio.gather(reading, *waiting)

    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_share__a_cancelled_read_counts_until_it_has_ended(path: Path) -> None:
    """Its thread stands in it still: nobody else's read may be put behind it, and the party gets no other thread."""
    ledger = Ledger(path, readers=2)
    await ledger.store.start()
    held = HeldRead()
    reading = task_of("greedy", ledger.store.read(held.unit))
    await held.is_entered()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert ledger.store._readers._held == {"greedy": 1}
    again = task_of("greedy", notes(ledger.store))

    assert await task_of("modest", notes(ledger.store)) == []
    assert not again.done()
    held.released.set()
    assert await again == []
    assert ledger.store._readers._held == {}


async def test_stop__lets_running_and_waiting_reads_end(store: SqliteStore) -> None:
    await store.write(note("one"))
    held = HeldRead()
    reading = asyncio.create_task(store.read(held.unit))
    await held.is_entered()
    waiting = asyncio.create_task(notes(store))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(store.stop())
    await asyncio.sleep(0)
    with pytest.raises(IngestError) as caught:
        await notes(store)
    held.released.set()
    await stopping

    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert await reading == (["one"], ["one"])
    assert await waiting == ["one"]
