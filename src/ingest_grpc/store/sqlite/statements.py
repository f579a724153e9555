"""The named statements of store/sql, and how one connection runs them."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any, TypeVar

import aiosql
from aiosql.types import SQLOperationType

T = TypeVar("T")

Row = Mapping[str, Any]
"""A row's values by column. A dict, because sqlite3.Row compares names one by one at each access."""


def row_of(row: sqlite3.Row) -> Row:
    """The values of a row by column."""
    return dict(zip(row.keys(), row, strict=False))


_PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")
_CHANGED = re.compile(r"\b(?:UPDATE|DELETE FROM)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """The text of a statement, with its parameters by name and by position: sqlite3 binds by name a tenth as fast.

    `values` takes the parameters by name to those by position; `inserts_one` says whether what it writes is one new
    row; `words` are all words in the text, among them the tables that it reads but for those of views; `changes` are
    the tables whose rows it changes or removes.
    """

    sql: str
    inserts_one: bool
    positional: str
    values: Callable[[Row], Sequence[Any]]
    words: frozenset[str]
    changes: frozenset[str]

    @classmethod
    def of(cls, sql: str, *, inserts_one: bool) -> "Statement":
        """A statement, with what its text tells of it."""
        words, changes = frozenset(re.findall(r"\w+", sql)), frozenset(_CHANGED.findall(sql))
        return cls(sql, inserts_one, _PARAMETER.sub("?", sql), _values(_PARAMETER.findall(sql)), words, changes)


def _values(names: list[str]) -> Callable[[Row], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: [parameters[name] for name in names]


@cache
def statements() -> Mapping[str, Statement]:
    """All named statements of store/sql."""
    folder = resources.files("ingest_grpc.store") / "sql"
    with resources.as_file(folder) as path:
        queries = aiosql.from_path(path, "sqlite3", mandatory_parameters=False)
    found = {name: getattr(queries, name) for name in queries.available_queries if not name.endswith("_cursor")}
    return {
        name: Statement.of(query.sql, inserts_one=query.operation is SQLOperationType.INSERT_RETURNING)
        for name, query in found.items()
    }


class Statements:
    """Runs statements on one connection, inside a transaction that somebody else began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._statements = statements()

    def _run(self, name: str, parameters: Row) -> sqlite3.Cursor:
        statement = self._statements[name]
        return self._execute(statement.positional, statement.values(parameters))

    def _one(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> T | None:
        row = self._run(name, parameters).fetchone()
        return None if row is None else make(row_of(row))

    def _the(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> T:
        """A row that an integer key names: it is there, or the ledger is broken."""
        found = self._one(name, make, **parameters)
        if found is None:
            raise LookupError(f"{name}: no row for {parameters}")
        return found

    def _all(self, name: str, make: Callable[[Row], T], /, **parameters: Any) -> list[T]:
        cursor = self._run(name, parameters)
        columns = [column[0] for column in cursor.description]
        return [make(dict(zip(columns, row, strict=False))) for row in cursor]

    def _value(self, name: str, /, **parameters: Any) -> Any:
        """The only column of the only row; None where there is no row."""
        row = self._run(name, parameters).fetchone()
        return None if row is None else row[0]

    def _write(self, name: str, /, **parameters: Any) -> int:
        """Rows changed, or the new row's key where the statement is named so."""
        return self._write_row(name, parameters)

    def _write_row(self, name: str, parameters: Row) -> int:
        cursor = self._run(name, parameters)
        return (cursor.lastrowid or 0) if self._statements[name].inserts_one else cursor.rowcount

    def _write_many(self, name: str, rows: list[Row]) -> None:
        statement = self._statements[name]
        self._connection.executemany(statement.positional, map(statement.values, rows))
