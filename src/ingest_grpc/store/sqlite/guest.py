"""Short visits to a ledger that another process owns; see docs/decisions/0004-keys-on-a-live-server.md."""

import asyncio
import contextlib
from pathlib import Path
from typing import TypeVar, cast

from ingest_grpc.store.interface import ReadUnit, WriteUnit
from ingest_grpc.store.sqlite.readers import snapshot
from ingest_grpc.store.sqlite.schema import check_schema, connect_guest, connect_reader
from ingest_grpc.store.sqlite.writer import run_batch

T = TypeVar("T")


class GuestStore:
    """Runs units as a Store does, each on a connection of its own. Nobody here is woken by what they change.

    For a few rows that the owner looks up anew anyway (API keys), never for jobs or records: the owner's
    caches and watchers do not hear of these commits. Raises WrongSchema and sqlite3.Error.
    """

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds

    async def read(self, unit: ReadUnit[T]) -> T:
        """Runs a unit on one consistent snapshot."""
        return await asyncio.to_thread(self._look, unit)

    async def write(self, unit: WriteUnit[T]) -> T:
        """Runs a unit in a transaction and returns its result once it is durable."""
        return await asyncio.to_thread(self._visit, unit)

    def _look(self, unit: ReadUnit[T]) -> T:
        with contextlib.closing(connect_reader(self._path)) as connection:
            check_schema(connection)
            return snapshot(connection, unit)

    def _visit(self, unit: WriteUnit[T]) -> T:
        with contextlib.closing(connect_guest(self._path, self._busy_timeout_seconds)) as connection:
            [outcome] = run_batch(connection, [unit]).outcomes
        if outcome.error is not None:
            raise outcome.error
        return cast(T, outcome.value)
