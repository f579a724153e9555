"""Opens a ledger file: pragmas, migrations, and the tables that are derived from code."""

import sqlite3
import uuid
from importlib import resources
from pathlib import Path

from ingest_grpc.clock import Clock
from ingest_grpc.lifecycle import TRANSITIONS

OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables and RETURNING need it."""

READER_CACHE_KIB = 8 * 1024
"""For each reader: holds the inner pages of the indexes of a ledger with millions of rows. SQLite's own 2 MiB do not,
and a page of a list took twice as long there."""


def connect_writer(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    """The one connection that writes and checkpoints."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed")
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=busy_timeout_seconds
    )
    _prepare(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """What the store's statements need: rows by name, and `casefold`, since `lower` of SQLite knows ASCII only."""
    connection.row_factory = sqlite3.Row
    connection.create_function("casefold", 1, str.casefold, deterministic=True)


def prove_durable(connection: sqlite3.Connection) -> None:
    """Commits a change that changes nothing. Raises sqlite3.Error if the disk does not take it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Written even though it is the same: what would be left out of an UPDATE is not left out here.
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, whatever a statement says."""
    connection = sqlite3.connect(
        f"{_uri(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    _prepare(connection)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = {-READER_CACHE_KIB}")
    return connection


def connect_guest(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    """A connection that writes beside the ledger's owner and never checkpoints, see docs/decisions/0004.

    Raises WrongSchema unless the ledger has the newest schema: a guest never migrates.
    """
    connection = sqlite3.connect(f"{_uri(path)}?mode=rw", uri=True, isolation_level=None, timeout=busy_timeout_seconds)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        check_schema(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _uri(path: Path) -> str:
    """Quoted: a folder's name may hold a "?" or a "#"."""
    return path.absolute().as_uri()


class WrongSchema(RuntimeError):
    """The ledger was written by an older version of the service, or, as NewerSchema, by a newer one."""

    fix = "Use the ingest-grpc that wrote it, or start the server of this version once: it brings it up to date."


class NewerSchema(WrongSchema):
    """The ledger was written by a newer version of the service: there is no way back."""

    fix = "Use the ingest-grpc that wrote it, or restore a backup that this version made."


def check_schema(connection: sqlite3.Connection) -> None:
    """Raises WrongSchema unless the ledger has the newest schema."""
    version, newest = refuse_newer(connection), migrations()[-1][0]
    if version != newest:
        raise WrongSchema(f"the ledger has schema {version}, this version knows {newest}")


def migrations() -> list[tuple[int, str]]:
    """(number, script) of every migration, in order."""
    folder = resources.files("ingest_grpc.store") / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [(int(entry.name[:4]), entry.read_text()) for entry in scripts]


def migrate(connection: sqlite3.Connection, clock: Clock) -> None:
    """Brings a ledger of any age to the newest schema; each step is one transaction, so a kill loses nothing.

    Raises NewerSchema when the ledger was written by a newer version of the service.
    """
    version = refuse_newer(connection)
    for number, script in migrations():
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    _derive(connection, clock)


def refuse_newer(connection: sqlite3.Connection) -> int:
    """The schema of the ledger. Raises NewerSchema when a newer version of the service wrote it."""
    version, newest = int(connection.execute("PRAGMA user_version").fetchone()[0]), migrations()[-1][0]
    if version > newest:
        raise NewerSchema(f"the ledger has schema {version}, this version knows {newest}")
    return version


def _derive(connection: sqlite3.Connection, clock: Clock) -> None:
    """The identity of a new ledger, and the guard's table as the lifecycle has it today."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO ledger (id, ledger_id, created_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        (str(uuid.uuid4()), clock.now()),
    )
    connection.execute("DELETE FROM transitions")
    connection.executemany(
        "INSERT INTO transitions (from_status, trigger, to_status) VALUES (?, ?, ?)",
        [(before or "", trigger, after) for (before, trigger), after in TRANSITIONS.items()],
    )
    connection.execute("COMMIT")
