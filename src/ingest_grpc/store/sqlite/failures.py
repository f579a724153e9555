"""What SQLite fails with: one unit's own statement, the whole database for a moment, or the connection for good."""

import sqlite3

from ingest_grpc.errors import IngestError, Reason

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BROKEN = _DAMAGE | {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_OF_DATABASE = _BROKEN | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}


class LedgerDamaged(Exception):
    """The file holds what no ledger can hold."""

    fix = "The ledger is damaged: keep the folder, and restore the last good backup with 'ingest-grpc admin restore'."


class RolledBack(Exception):
    """The database ended the transaction by itself."""


def is_of_database(error: BaseException) -> bool:
    """Everything failed, not a statement of one unit: running it again would fail again."""
    return isinstance(error, RolledBack) or _primary_code(error) in _OF_DATABASE


def is_broken(error: BaseException) -> bool:
    """Nothing is known of the connection's state any more."""
    return _primary_code(error) in _BROKEN


def is_damage(error: BaseException) -> bool:
    """The file holds what no database can hold: trying again is of no use."""
    return _primary_code(error) in _DAMAGE


def explain(error: Exception) -> IngestError:
    """What a caller is told: full = nothing was stored, anything else = unknown."""
    if _primary_code(error) == sqlite3.SQLITE_FULL:
        return IngestError(Reason.STORAGE_FULL, retry_after_seconds=5.0)
    return IngestError(Reason.STORAGE_UNAVAILABLE, retry_after_seconds=1.0)


def _primary_code(error: BaseException) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
