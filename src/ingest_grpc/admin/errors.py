"""How an administrative command fails: what is wrong, and what the operator can do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_grpc.store.interface import LedgerLocked
from ingest_grpc.store.sqlite.failures import LedgerDamaged, is_damage
from ingest_grpc.store.sqlite.schema import WrongSchema


class AdminError(Exception):
    """`message` says what is wrong, `fix` what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@contextmanager
def ledger_errors(ledger: Path) -> Iterator[None]:
    """Raises AdminError for whatever opening, reading and writing a ledger can raise."""
    try:
        yield
    except LedgerLocked as error:
        raise AdminError(f"{error}.", "Stop the server that owns it, then try again.") from error
    except WrongSchema as error:
        raise AdminError(f"{ledger}: {error}.", error.fix) from error
    except LedgerDamaged as error:
        raise AdminError(f"{error}.", error.fix) from error
    except sqlite3.Error as error:
        fix = "Check the path, its permissions and the free space; 'ingest-grpc admin check' looks for damage."
        if is_damage(error):
            fix = LedgerDamaged.fix
        raise AdminError(f"{ledger}: {error}.", fix) from error


def require_ledger(ledger: Path) -> None:
    """Raises AdminError unless there is a ledger."""
    if not ledger.is_file():
        fix = "Name the server's data folder with --data-dir or INGEST_DATA_DIR."
        raise AdminError(f"There is no ledger in {ledger.parent}.", fix)
