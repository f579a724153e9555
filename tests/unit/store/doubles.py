"""A disk under the ledger that fails on command: put where the writer opens its connection."""

import sqlite3
from pathlib import Path
from typing import Any

from ingest_grpc.store.sqlite.schema import connect_writer


def disk_error(code: int = sqlite3.SQLITE_IOERR_FSYNC) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


class Disk:
    """`failing` statements fail; while it is `gone` nothing can be opened. Counts what was opened."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.gone = False
        self.opened = 0
        self.refused = 0

    def connect(self, path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
        if self.gone:
            self.refused += 1
            raise disk_error(sqlite3.SQLITE_CANTOPEN)
        self.opened += 1
        connection: Any = _OnDisk(connect_writer(path, busy_timeout_seconds), self)
        return connection  # type: ignore[no-any-return]


class _OnDisk:
    """A connection whose statements the disk may fail; everything else passes through."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection = connection
        self._disk = disk

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement in self._disk.failing:
            raise disk_error()
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
