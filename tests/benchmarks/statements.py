"""Records the statements that units run, and runs them again on raw sqlite3, without what stood around them."""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_grpc.store.interface import Tx
from ingest_grpc.store.sqlite.row_cache import RowCache
from ingest_grpc.store.sqlite.writer import run_batch


@dataclass(frozen=True, slots=True)
class Statement:
    """One call of a cursor; `many` = once for each of the parameter sets."""

    sql: str
    parameters: Any
    many: bool


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> "_Cursor":
        _log.append(Statement(sql, parameters, many=False))
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> "_Cursor":
        parameters = list(parameters)
        _log.append(Statement(sql, parameters, many=True))
        return super().executemany(sql, parameters)


class _Connection(sqlite3.Connection):
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return self.cursor(_Cursor).execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        return self.cursor(_Cursor).executemany(sql, parameters)


_log: list[Statement] = []


def recorded(ledger: Path, units: Sequence[Callable[[Tx], Awaitable[None]]]) -> list[list[Statement]]:
    """The statements of each unit, run one after the other on `ledger`."""
    found, cache = [], RowCache()
    with closing(sqlite3.connect(ledger, isolation_level=None, factory=_Connection)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = OFF")
        for unit in units:
            _log.clear()
            [outcome] = run_batch(connection, [unit], cache=cache).outcomes
            assert outcome.error is None, outcome.error
            # Without BEGIN, the look at the version and COMMIT, which are the batch's.
            found.append(_log[2:-1])
    return found


def replay(connection: sqlite3.Connection, units: Sequence[Sequence[Statement]], batch: int) -> None:
    """The statements of all units, `batch` units per transaction, as fast as sqlite3 runs them."""
    connection.row_factory = None
    cursor = connection.cursor()
    for start in range(0, len(units), batch):
        cursor.execute("BEGIN IMMEDIATE")
        for unit in units[start : start + batch]:
            for statement in unit:
                if statement.many:
                    cursor.executemany(statement.sql, statement.parameters)
                else:
                    cursor.execute(statement.sql, statement.parameters).fetchall()
        cursor.execute("COMMIT")
