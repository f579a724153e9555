"""Check: recounts everything in the ledger, compares it with the stored blobs, and mends what is safe to mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ingest_grpc.admin.errors import ledger_errors, require_ledger
from ingest_grpc.admin.examine import examine
from ingest_grpc.admin.index_check import examine_index
from ingest_grpc.admin.repair import mend
from ingest_grpc.blobs.factory import open_blobs
from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.clock import MICROSECONDS, Clock, SystemClock
from ingest_grpc.config import Settings
from ingest_grpc.store.sqlite.store import SqliteStore

UNDER_WAY_SECONDS = 3_600
"""Bytes younger than this that no row names may belong to an upload under way, as long as a server may run."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How much was checked by kind, what is wrong (after the repair, if there was one), and what was mended."""

    checked: dict[str, int]
    problems: list[str]
    repaired: list[str] = field(default_factory=list)


async def check(settings: Settings, repair: bool = False, clock: Clock | None = None) -> CheckReport:
    """Examines a data folder, while its server runs or not; changes nothing unless `repair`.

    Raises AdminError, with `repair` also while a server owns the ledger. The snapshot that is checked keeps
    SQLite from reusing its log meanwhile: on a busy server that file grows until the check ends.
    """
    require_ledger(settings.ledger_path)
    clock = clock or SystemClock()
    with ledger_errors(settings.ledger_path):
        async with _opened(settings) as blobs:
            if repair:
                return await _repair(settings, blobs, clock)
            found = await examine(settings, blobs, before=clock.now() - UNDER_WAY_SECONDS * MICROSECONDS)
            chunks, differences = await asyncio.to_thread(_examine_index, settings)
            return CheckReport({**found.checked, "chunks": chunks}, found.problems + differences)


async def _repair(settings: Settings, blobs: Blobs, clock: Clock) -> CheckReport:
    """Check, mend, check again; as the ledger's owner, so nothing is under way and everything counts."""
    store = SqliteStore(settings.ledger_path, clock, readers=1)
    await store.start()
    try:
        found = await examine(settings, blobs, before=clock.now() + UNDER_WAY_SECONDS * MICROSECONDS)
        repaired, refused = await mend(settings, store, blobs, clock, found)
        left = await examine(settings, blobs, before=clock.now() + UNDER_WAY_SECONDS * MICROSECONDS)
    finally:
        await store.stop()
    chunks, differences = await asyncio.to_thread(_examine_index, settings)
    return CheckReport({**left.checked, "chunks": chunks}, left.problems + refused + differences, repaired)


def _examine_index(settings: Settings) -> tuple[int, list[str]]:
    """(chunks, problems): the ledger is the truth, and a server that starts makes the index follow it."""
    chunks, differences = examine_index(settings)
    return chunks, [f"{each} (the next start of the server mends it)" for each in differences]


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Blobs]:
    blobs = await asyncio.to_thread(open_blobs, settings)
    try:
        yield blobs
    finally:
        await blobs.stop()
