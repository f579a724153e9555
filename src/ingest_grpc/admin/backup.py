"""Backup: the ledger as of one moment, and all blobs that it names, while the server runs or not."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from ingest_grpc.admin.errors import AdminError, ledger_errors, require_ledger
from ingest_grpc.admin.folders import bring, new_folder, sha256_of, sync_file, write_new
from ingest_grpc.admin.manifest import LEDGER, MANIFEST, Manifest
from ingest_grpc.admin.report import Lines
from ingest_grpc.blobs.factory import BLOBS_FOLDER, local_folder
from ingest_grpc.blobs.hold import held
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.clock import SystemClock
from ingest_grpc.config import Settings
from ingest_grpc.store.sqlite.failures import LedgerDamaged
from ingest_grpc.store.sqlite.schema import connect_reader

HAS_BYTES = "deleted_at IS NULL AND sha256 <> ''"
"""Of a row of blobs: its bytes are wanted, and were not left at the source of an import."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was backed up, and what a person should know about it. `problems` were there before the backup."""

    folder: str
    ledger_id: str
    jobs: int
    records: int
    files: int
    blobs: int
    blob_bytes: int
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Blobs:
    """The blobs of a backup in the making."""

    source: Layout
    target: Layout
    linked: bool = False
    missing: frozenset[str] = frozenset()

    def bring(self, ledger: sqlite3.Connection) -> None:
        """Brings what the snapshot names, and notes what could not be found: bytes that were lost before."""
        gone = set()
        for (key,) in ledger.execute(f"SELECT blob_key FROM blobs WHERE {HAS_BYTES}"):
            try:
                self.linked |= bring(self.source.blob(key), self.target.blob(key))
            except FileNotFoundError:
                gone.add(key)
        self.missing = frozenset(gone)


async def backup(settings: Settings, destination: Path) -> BackupReport:
    """Makes a backup in `destination`, which must be empty or new; it appears there when it is complete.

    The running server is not disturbed. Raises AdminError.
    """
    require_ledger(settings.ledger_path)
    with ledger_errors(settings.ledger_path):
        return await asyncio.to_thread(_backup, settings, destination)


def _backup(settings: Settings, destination: Path) -> BackupReport:
    source = local_folder(settings)
    with new_folder(destination) as folder:
        snapshot = folder / LEDGER
        blobs = None if source is None else _Blobs(Layout(source), Layout(folder / BLOBS_FOLDER))
        if blobs is None:
            take_snapshot(settings.ledger_path, snapshot)
        else:
            _bring_all(settings, snapshot, blobs)
        manifest = _describe(snapshot, blobs)
        write_new(folder / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
    return _report(destination, manifest, blobs)


def _bring_all(settings: Settings, snapshot: Path, blobs: _Blobs) -> None:
    root = blobs.source.root
    there = root.is_dir()  # not before the first start of a server
    # Whatever the snapshot names is there until all is brought, also what is deleted meanwhile.
    with held(root) if there else contextlib.nullcontext():
        take_snapshot(settings.ledger_path, snapshot)
        with opened_snapshot(snapshot) as connection:
            blobs.bring(connection)
    if blobs.missing and not there:
        fix = "Mount it, or correct blobs_url (INGEST_BLOBS_URL)."
        raise AdminError(f"There is no folder {root}, where the bytes of files should be.", fix)


def take_snapshot(ledger: Path, snapshot: Path) -> None:
    """Copies the ledger as of one moment into one file; a connection that cannot write cannot checkpoint.

    In one step, so that it is one read transaction: the server's writes meanwhile are neither delayed nor seen.
    """
    snapshot.unlink(missing_ok=True)
    with contextlib.closing(connect_reader(ledger)) as source, contextlib.closing(sqlite3.connect(snapshot)) as copy:
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one plain file: its hash stays when it is read
        [result] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise AdminError(f"{ledger} is damaged: {result}.", LedgerDamaged.fix)
    snapshot.chmod(0o600)
    sync_file(snapshot)


@contextlib.contextmanager
def opened_snapshot(snapshot: Path) -> Iterator[sqlite3.Connection]:
    """A snapshot to read from; nobody else has it, so nothing is locked and no file is made beside it."""
    with contextlib.closing(sqlite3.connect(f"{snapshot.as_uri()}?immutable=1", uri=True)) as connection:
        yield connection


def _describe(snapshot: Path, blobs: _Blobs | None) -> Manifest:
    with opened_snapshot(snapshot) as connection:
        [ledger_id] = connection.execute("SELECT ledger_id FROM ledger").fetchone()
        count, size = connection.execute(
            f"SELECT count(*), coalesce(sum(size_bytes), 0) FROM blobs WHERE {HAS_BYTES}"
        ).fetchone()
        for key in blobs.missing if blobs else ():
            count -= 1
            size -= connection.execute("SELECT size_bytes FROM blobs WHERE blob_key = ?", (key,)).fetchone()[0]
        jobs, records, files = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("jobs", "file_records", "files")
        )
    return Manifest(
        version=version("ingest-grpc"),
        created_at=SystemClock().now(),
        ledger_id=ledger_id,
        ledger_sha256=sha256_of(snapshot),
        jobs=jobs,
        records=records,
        files=files,
        with_blobs=blobs is not None,
        blobs=count if blobs else 0,
        blob_bytes=size if blobs else 0,
        missing_blobs=tuple(sorted(blobs.missing)) if blobs else (),
    )


def _report(destination: Path, manifest: Manifest, blobs: _Blobs | None) -> BackupReport:
    notes = []
    if blobs is None:
        notes.append("The bytes of files stay in the object store: this backup holds the ledger alone.")
    elif blobs.linked:
        notes.append("Blobs are second names of the same bytes on the same disk: copy the folder to another machine.")
    return BackupReport(
        folder=str(destination),
        ledger_id=manifest.ledger_id,
        jobs=manifest.jobs,
        records=manifest.records,
        files=manifest.files,
        blobs=manifest.blobs,
        blob_bytes=manifest.blob_bytes,
        notes=notes,
        problems=Lines("blobs", (f"blob {key} is missing" for key in manifest.missing_blobs)).told(),
    )
