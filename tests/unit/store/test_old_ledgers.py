"""Every schema that was ever released is brought to the newest one, with all that lived in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from obstore import put_async
from obstore.store import MemoryStore

from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.model import JobFilter
from ingest_grpc.store.sqlite.schema import migrations
from tests.factories import ALICE, BOB, Core, StartCore
from tests.old_ledgers import dump, load, stored_schemas


async def bytes_of(path: Path) -> MemoryStore:
    """Bytes for every blob that the ledger keeps: the stored ledgers come without their files."""
    blobs = MemoryStore()
    with closing(sqlite3.connect(path)) as connection:
        for key, size in connection.execute("SELECT blob_key, size_bytes FROM blobs").fetchall():
            await put_async(blobs, key, b"x" * size)
    return blobs


@pytest.fixture(params=stored_schemas())
async def old(request: pytest.FixtureRequest, quick_folder: Path, start_core: StartCore) -> Core:
    ledger = quick_folder / "old" / "ledger.sqlite3"
    load(request.param, ledger)
    return await start_core("old", memory=await bytes_of(ledger))


def test_stored_ledgers__exist_for_the_first_and_the_newest_schema() -> None:
    """Those between were never released by themselves."""
    assert {1, migrations()[-1][0]} <= set(stored_schemas())


async def test_old_ledger__is_whole_after_its_migration(old: Core) -> None:
    await old.check()
    jobs = [
        job.status
        for caller in (ALICE, BOB)
        for job in (await old.jobs.list(caller, JobFilter(), page_size=10, page_token="")).items
    ]
    assert jobs == [
        JobStatus.READY_TO_START,
        JobStatus.FILE_PROCESSING,
        JobStatus.NEEDS_REVIEW,
        JobStatus.CANCELLED,
    ]
    assert await old.keys.any_key()


async def test_old_ledger__is_worked_to_its_end(old: Core) -> None:
    assert await old.reaper.recover() > 0
    old.clock.advance(3600)
    await old.work.admit_due()
    while claims := await old.claim(10):
        for claim in claims:
            await old.succeed(claim)
    await old.add((await newest_job(old)), await old.upload("late.pdf"))
    await old.succeed(await old.claim_one())

    for job in (await old.jobs.list(ALICE, JobFilter(), page_size=10, page_token="")).items:
        assert job.facts.settled


async def newest_job(core: Core) -> str:
    [job] = (await core.jobs.list(ALICE, JobFilter(), page_size=1, page_token="")).items
    return job.job_id


async def test_newest_stored_ledger__has_the_schema_that_its_migrations_make(tmp_path: Path, core: Core) -> None:
    """Fails when a migration that was stored, and so perhaps released, is edited afterwards."""
    load(stored_schemas()[-1], tmp_path / "old.sqlite3")
    await core.stop()
    assert _schema(dump(tmp_path / "old.sqlite3")) == _schema(dump(core.settings.ledger_path))


def _schema(script: str) -> str:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        return "\n".join(
            row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
        )
