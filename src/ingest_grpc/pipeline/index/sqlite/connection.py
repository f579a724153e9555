"""Connections to the index file, and what their errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.index.interface import IndexUnavailable, IndexUnusable

if TYPE_CHECKING:
    import apsw

SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 10_000
CACHE_KIB = 8 * 1024
WAL_LIMIT_BYTES = 64 * 1024 * 1024


class ExtensionMissing(IndexUnavailable):
    """What reads vectors is not there."""

    fix = "Run scripts/setup: it installs what the server needs."


def open_writer(path: Path) -> "apsw.Connection":
    """The one connection that writes. Makes the file and its tables where there are none.

    Commits are durable (WAL, synchronous = FULL): a swap must survive a power cut before the ledger says so.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # SQLite would let everyone read it; -wal and -shm are as it is
        path.touch(mode=0o600, exist_ok=False)
    with translated_errors():
        connection = _connect(path, read_only=False)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.pragma("journal_size_limit", WAL_LIMIT_BYTES)
        version = connection.pragma("user_version")
        if version not in (0, SCHEMA_VERSION):
            connection.close()
            raise IndexUnusable(f"{path} was made by another version ({version}, not {SCHEMA_VERSION})")
        if version == 0:
            schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
            with immediate(connection):
                connection.execute(schema)
                connection.pragma("user_version", SCHEMA_VERSION)
    return connection


def open_reader(path: Path) -> "apsw.Connection":
    """A connection that only reads; the file must exist."""
    with translated_errors():
        return _connect(path, read_only=True)


def _connect(path: Path, *, read_only: bool) -> "apsw.Connection":
    # Here and not above: the client and every command would pay for a library that only a server uses.
    import apsw  # noqa: PLC0415

    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.pragma("cache_size", -CACHE_KIB)
    connection.enable_load_extension(True)
    connection.load_extension(_vector_extension())
    connection.enable_load_extension(False)
    return connection


def _vector_extension() -> str:
    """What `sqlite_vec.loadable_path()` says. Importing it would import numpy: 0.2 s and 20 MB at every start."""
    package = find_spec("sqlite_vec")
    if package is None or not package.submodule_search_locations:
        raise ExtensionMissing("the package sqlite-vec is not installed")
    return str(Path(package.submodule_search_locations[0]) / "vec0")


@contextmanager
def immediate(connection: "apsw.Connection") -> Iterator[None]:
    """A transaction that may write from its start: one that began by reading is refused at once, not in turn."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if not connection.get_autocommit():
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: "apsw.Connection") -> Iterator[None]:
    """All reads inside see one state."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if not connection.get_autocommit():
            connection.execute("ROLLBACK")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns what the disk or another process did to us into IndexUnavailable; our own mistakes stay what they are."""
    import apsw  # noqa: PLC0415

    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise IndexUnusable(_told(error)) from error
    except (
        apsw.BusyError,
        apsw.CantOpenError,
        apsw.FullError,
        apsw.IOError,
        apsw.LockedError,
        apsw.NoMemError,
        apsw.ReadOnlyError,
    ) as error:
        raise IndexUnavailable(_told(error)) from error


def _told(error: Exception) -> str:
    return f"the index of knowledge bases failed: {type(error).__name__}: {error}"
