import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator

import aiosqlite
import pytest

from ingest_grpc.store.sqlite.hop import drive, hop
from tests.faults import cancelled_at


@pytest.fixture
async def connection() -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(":memory:", isolation_level=None) as connection:
        yield connection


async def test_hop__runs_on_the_connections_thread_with_the_raw_connection(connection: aiosqlite.Connection) -> None:
    async with connection.execute("SELECT 1"):
        pass
    [first, second] = [await hop(connection, lambda raw: (type(raw), threading.current_thread())) for _ in range(2)]
    assert first == second
    assert first[0] is sqlite3.Connection
    assert first[1] is not threading.current_thread()


async def test_hop__raises_what_the_function_raises(connection: aiosqlite.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await hop(connection, lambda raw: raw.execute("SELECT * FROM nowhere"))


async def test_hop__one_suspension_however_many_statements(connection: aiosqlite.Connection) -> None:
    def many(raw: sqlite3.Connection) -> int:
        return sum(raw.execute("SELECT 1").fetchone()[0] for _ in range(100))

    assert await cancelled_at(hop(connection, many), 2) == 100, "there is no second suspension to cancel at"


async def test_hop__of_a_cancelled_caller_runs_to_its_end(connection: aiosqlite.Connection) -> None:
    done: list[str] = []
    hopping = cancelled_at(hop(connection, lambda raw: done.append("done")), 1)
    assert isinstance((await asyncio.gather(hopping, return_exceptions=True))[0], asyncio.CancelledError)
    await hop(connection, lambda raw: None)
    assert done == ["done"]


def test_drive__returns_what_the_unit_returns() -> None:
    async def inner() -> int:
        return 1

    async def unit() -> int:
        return await inner() + 1

    assert drive(unit()) == 2


def test_drive__refuses_a_unit_that_waits() -> None:
    ended: list[str] = []

    async def unit() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("ended")

    with pytest.raises(RuntimeError, match="awaited something other"):
        drive(unit())
    assert ended == ["ended"], "nothing of it is left suspended"
