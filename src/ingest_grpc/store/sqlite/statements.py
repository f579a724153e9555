"""The named statements of store/sql, and how one connection runs them."""

import sqlite3
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import aiosql

T = TypeVar("T")


@cache
def statements() -> Any:
    """All named statements of store/sql."""
    folder = resources.files("ingest_grpc.store") / "sql"
    with resources.as_file(folder) as path:
        return aiosql.from_path(path, "sqlite3", mandatory_parameters=False)


class Statements:
    """Runs statements on one connection, inside a transaction that somebody else began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql = statements()

    def _one(self, name: str, make: Callable[[sqlite3.Row], T], /, **parameters: Any) -> T | None:
        row = getattr(self._sql, name)(self._connection, **parameters)
        return None if row is None else make(row)

    def _the(self, name: str, make: Callable[[sqlite3.Row], T], /, **parameters: Any) -> T:
        """A row that an integer key names: it is there, or the ledger is broken."""
        found = self._one(name, make, **parameters)
        if found is None:
            raise LookupError(f"{name}: no row for {parameters}")
        return found

    def _all(self, name: str, make: Callable[[sqlite3.Row], T], /, **parameters: Any) -> list[T]:
        return [make(row) for row in getattr(self._sql, name)(self._connection, **parameters)]

    def _value(self, name: str, /, **parameters: Any) -> Any:
        """The only column of the only row; None where there is no row."""
        return self._one(name, lambda row: row[0], **parameters)

    def _write(self, name: str, /, **parameters: Any) -> int:
        """Rows changed, or the new row's key where the statement is named so."""
        return int(getattr(self._sql, name)(self._connection, **parameters))
