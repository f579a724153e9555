"""Restore: a data folder made of a backup, whole or not at all, with an identity of its own."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest_grpc.admin.backup import HAS_BYTES, opened_snapshot
from ingest_grpc.admin.errors import AdminError, ledger_errors
from ingest_grpc.admin.folders import bring, copy, new_folder, remove, sha256_of, write_new
from ingest_grpc.admin.manifest import LEDGER, Manifest, read_manifest
from ingest_grpc.admin.report import Lines
from ingest_grpc.blobs.factory import BLOBS_FOLDER, local_folder
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.config import Settings
from ingest_grpc.store.sqlite.schema import refuse_newer
from ingest_grpc.store.sqlite.store import ledger_lock


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored; `problems` are blobs that the backup does not hold as they were."""

    data_dir: str
    ledger_id: str
    restored_ledger_id: str
    jobs: int
    records: int
    files: int
    blobs: int
    blob_bytes: int
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def restore(settings: Settings, source: Path) -> RestoreReport:
    """Makes the data folder of a backup; it must be empty or new. Reads and verifies every byte.

    The ledger gets a new id: a watcher that resumes is told LEDGER_RESTORED, not silently given another
    history under its old sequence numbers. Raises AdminError, and then leaves nothing behind.
    """
    with ledger_errors(source / LEDGER):
        return await asyncio.to_thread(_restore, settings, source)


def _restore(settings: Settings, source: Path) -> RestoreReport:
    source = source.absolute()
    manifest = read_manifest(source)
    blob_root = local_folder(settings)
    _refuse_mismatch(manifest, blob_root)
    _refuse_owned(settings.ledger_path)
    with (
        _marked(blob_root),
        new_folder(settings.data_dir) as folder,
        _blob_folder(settings, blob_root, folder) as blobs,
    ):
        ledger = folder / settings.ledger_path.name
        _bring_ledger(source, ledger, manifest)
        ledger_id = _renew(ledger)
        problems = Lines("blobs")
        if blobs is not None:
            _bring_blobs(ledger, Layout(source / BLOBS_FOLDER), Layout(blobs), problems)
    return RestoreReport(
        data_dir=str(settings.data_dir),
        ledger_id=ledger_id,
        restored_ledger_id=manifest.ledger_id,
        jobs=manifest.jobs,
        records=manifest.records,
        files=manifest.files,
        blobs=manifest.blobs,
        blob_bytes=manifest.blob_bytes,
        notes=[_SHARED_BUCKET] if blob_root is None else [],
        problems=problems.told(),
    )


_SHARED_BUCKET = (
    "The files are still those of the object store that the backed-up server used: "
    "never run both servers on it, for either would delete files of the other."
)


def _refuse_mismatch(manifest: Manifest, blob_root: Path | None) -> None:
    if manifest.with_blobs and blob_root is None:
        raise AdminError(
            "The backup holds the bytes of files, but blobs_url names an object store.", "Restore with blobs_url unset."
        )
    if not manifest.with_blobs and blob_root is not None:
        raise AdminError(
            "The backup holds the ledger alone; the bytes of its files are in an object store.",
            "Set blobs_url (INGEST_BLOBS_URL) to that store.",
        )


def _refuse_owned(ledger: Path) -> None:
    """Says that a server runs there, which is more than that the folder is not empty."""
    if ledger.with_suffix(".lock").exists():
        lock = ledger_lock(ledger)
        lock.acquire()
        lock.release()


@contextlib.contextmanager
def _blob_folder(settings: Settings, root: Path | None, folder: Path) -> Iterator[Path | None]:
    """Where the blobs go: with the ledger, or into a folder of their own if the settings name one elsewhere."""
    if root is None:
        yield None
    elif root.absolute().is_relative_to(settings.data_dir.absolute()):
        yield folder / root.absolute().relative_to(settings.data_dir.absolute())
    else:
        with new_folder(root) as own:
            write_new(own / _MARK, os.fsencode(settings.ledger_path.absolute()))
            yield own


@contextlib.contextmanager
def _marked(root: Path | None) -> Iterator[None]:
    """A blob folder of its own is in place before the ledger. Until that is there too it bears a mark, by which the
    next restore knows, and clears, what a crash in between has left."""
    if root is None:
        yield
        return
    _clear_unfinished(root)
    try:
        yield
    except BaseException:
        _clear_unfinished(root)
        raise
    remove(root / _MARK)


def _clear_unfinished(root: Path) -> None:
    """Empties a blob folder whose mark names a ledger that is not there; the mark goes last.

    One that a server has used is left alone: its ledger was there, and may only have been moved.
    """
    mark = root / _MARK
    if Layout(root).staging.exists():
        return
    if mark.is_file() and not Path(os.fsdecode(mark.read_bytes())).exists():
        for shard in Layout(root).shards:
            shutil.rmtree(shard, ignore_errors=True)
        mark.unlink()


_MARK = ".restoring"
"""Holds the path of the ledger that is still to come."""


def _bring_ledger(source: Path, ledger: Path, manifest: Manifest) -> None:
    try:
        sha256 = copy(source / LEDGER, ledger)
    except FileNotFoundError:
        raise AdminError(f"{source} has no {LEDGER}.", "Use another backup.") from None
    if sha256 != manifest.ledger_sha256:
        raise AdminError(f"{source / LEDGER} is not what its manifest says: it is damaged.", "Use another backup.")


def _renew(ledger: Path) -> str:
    """Gives the ledger a new identity; returns it. Raises NewerSchema for a ledger from the future."""
    ledger_id = str(uuid.uuid4())
    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        refuse_newer(connection)
        connection.execute("UPDATE ledger SET ledger_id = ?", (ledger_id,))
    return ledger_id


def _bring_blobs(ledger: Path, source: Layout, target: Layout, problems: Lines) -> None:
    """Brings every blob that the ledger names; adds what is wrong with some.

    A lost blob does not stop the restore: the other files, and every job's history, are worth having.
    """
    with opened_snapshot(ledger) as connection:
        for key, sha256 in connection.execute(f"SELECT blob_key, sha256 FROM blobs WHERE {HAS_BYTES}"):
            try:
                bring(source.blob(key), target.blob(key))
            except FileNotFoundError:
                problems.add(f"blob {key} is missing")
                continue
            if sha256_of(target.blob(key)) != sha256:
                problems.add(f"blob {key} is damaged: its bytes do not have the SHA-256 of its row")
