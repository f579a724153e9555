"""A ledger on which units leave notes, the least that can be written and read back: remembered requests."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ingest_grpc.clock import ManualClock
from ingest_grpc.party import Party, current_party
from ingest_grpc.store.interface import Commit, Rows, StoredRequest, Tx, WriteUnit
from ingest_grpc.store.sqlite.store import SqliteStore

T = TypeVar("T")


def task_of(party: Party, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task that does a call for this party."""
    context = copy_context()
    context.run(current_party.set, party)
    return asyncio.create_task(call, context=context)


class Ledger:
    """A store and what it told its listeners; all that were `made` are stopped at the end of a test."""

    made: ClassVar[list["Ledger"]] = []

    def __init__(self, path: Path, **options: Any) -> None:
        self.made.append(self)
        self.commits: list[Commit] = []
        self.broken = 0
        options = {"readers": 1, "busy_timeout_seconds": 0.05, "on_commit": self.commits.append, **options}
        self.store = SqliteStore(path, ManualClock(), on_broken=self._on_broken, **options)

    def _on_broken(self) -> None:
        self.broken += 1

    async def is_healthy(self) -> bool:
        """Whether a write goes through and can be read by the next reader."""
        name = f"healthy-{len(self.commits)}"
        await self.store.write(note(name))
        return name in await notes(self.store)


def note(name: str, text: str = "") -> WriteUnit[str]:
    """A unit that writes a note and returns its name."""

    async def unit(tx: Tx) -> str:
        await tx.insert_request("team", "note", name, StoredRequest(b"", text), 0)
        return name

    return unit


def note_and_raise(name: str, error: Exception) -> WriteUnit[str]:
    async def unit(tx: Tx) -> str:
        await note(name)(tx)
        raise error

    return unit


def note_and_do(name: str, act: Callable[[Any], object]) -> WriteUnit[str]:
    """A unit that writes a note and then does something else to the connection itself."""

    async def unit(tx: Tx) -> str:
        await note(name)(tx)
        act(tx._connection)  # type: ignore[attr-defined]
        return name

    return unit


async def notes(store: SqliteStore) -> list[str]:
    return await store.read(all_notes)


async def all_notes(rows: Rows) -> list[str]:
    found = rows._connection.execute("SELECT request_id FROM requests ORDER BY id")  # type: ignore[attr-defined]
    return [row[0] for row in found]
