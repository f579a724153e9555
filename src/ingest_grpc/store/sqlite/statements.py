"""The named statements of store/sql, and how one connection runs them."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import aiosql
from aiosql.types import SQLOperationType

T = TypeVar("T")

Row = Mapping[str, Any]
"""A row's values by column. A dict, because sqlite3.Row compares names one by one at each access."""


def row_of(row: sqlite3.Row) -> Row:
    """The values of a row by column."""
    return dict(zip(row.keys(), row, strict=False))


@dataclass(frozen=True, slots=True)
class Statement:
    """The text of a statement, and whether what it writes is one new row."""

    sql: str
    inserts_one: bool


@cache
def statements() -> Mapping[str, Statement]:
    """All named statements of store/sql."""
    folder = resources.files("ingest_grpc.store") / "sql"
    with resources.as_file(folder) as path:
        queries = aiosql.from_path(path, "sqlite3", mandatory_parameters=False)
    found = {name: getattr(queries, name) for name in queries.available_queries if not name.endswith("_cursor")}
    return {
        name: Statement(query.sql, query.operation is SQLOperationType.INSERT_RETURNING)
        for name, query in found.items()
    }


class Statements:
    """Runs statements on one connection, inside a transaction that somebody else began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._statements = statements()

    def _one(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> T | None:
        row = self._execute(self._statements[name].sql, parameters).fetchone()
        return None if row is None else make(row_of(row))

    def _the(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> T:
        """A row that an integer key names: it is there, or the ledger is broken."""
        found = self._one(name, make, **parameters)
        if found is None:
            raise LookupError(f"{name}: no row for {parameters}")
        return found

    def _all(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> list[T]:
        cursor = self._execute(self._statements[name].sql, parameters)
        columns = [column[0] for column in cursor.description]
        return [make(dict(zip(columns, row, strict=False))) for row in cursor]

    def _value(self, name: str, /, **parameters: Any) -> Any:
        """The only column of the only row; None where there is no row."""
        row = self._execute(self._statements[name].sql, parameters).fetchone()
        return None if row is None else row[0]

    def _write(self, name: str, /, **parameters: Any) -> int:
        """Rows changed, or the new row's key where the statement is named so."""
        statement = self._statements[name]
        cursor = self._execute(statement.sql, parameters)
        return (cursor.lastrowid or 0) if statement.inserts_one else cursor.rowcount

    def _write_many(self, name: str, rows: list[Row]) -> None:
        self._connection.executemany(self._statements[name].sql, rows)
