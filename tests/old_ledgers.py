"""Ledgers as older versions of the service left them, as SQL text in tests/data.

A stored ledger is never made anew once its schema was released: that is the point of it. Until then
`python -m tests.old_ledgers` writes the one of the newest schema.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ingest_grpc.errors import Reason
from ingest_grpc.model import Scope
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.store.sqlite.schema import migrations
from tests.factories import BOB, Core, request

DATA = Path(__file__).parent / "data"


def stored_schemas() -> list[int]:
    """Schemas of which a ledger is stored."""
    return sorted(int(path.stem.removeprefix("ledger_schema_")) for path in DATA.glob("ledger_schema_*.sql"))


def load(schema: int, path: Path) -> None:
    """Makes the stored ledger of a schema at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"ledger_schema_{schema}.sql").read_text())


def dump(path: Path) -> str:
    """A stopped ledger as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return "\n".join([*connection.iterdump(), f"PRAGMA user_version = {version};", ""])


async def live(core: Core) -> None:
    """Leaves a bit of everything: each status, a back-off, Markdown, removed and superseded records, keys, requests."""
    created = await core.create(*await core.uploads(6), await core.markdown(), request=request("create"))
    job_id = created.job.job.job_id
    done, failed, retried, orphaned, _running = await core.claim(5)
    core.clock.advance(1.5)
    await core.succeed(done)
    await core.fail(failed)
    await core.retry(retried, 30.0)
    await core.orphan(orphaned)
    await core.add(job_id, await core.upload(failed.record.filename, b"corrected"))

    resolved = (await core.create(await core.upload("report.pdf"))).job.job.job_id
    await core.fail(await _claim_of(core, resolved), Reason.EMPTY_FILE)
    await core.add(resolved, await core.upload("report.pdf", b"corrected"))
    await core.succeed(await _claim_of(core, resolved))

    cancelled = await core.create(*await core.uploads(2, BOB), caller=BOB)
    await core.cancel(cancelled.job.job.job_id, BOB)
    record_id = cancelled.results[0].record_id
    assert record_id is not None
    await core.remove(cancelled.job.job.job_id, records=[record_id], caller=BOB)
    await core.create(caller=BOB)
    key, _ = await core.keys.create("team-a", "alice", [Scope.WRITE])
    await core.keys.create("team-b", "bob", [Scope.READ])
    await core.keys.revoke(key.key_id)


async def _claim_of(core: Core, job_id: str) -> RecordRow:
    while True:
        claim = await core.claim_one()
        if claim.record.job_id == job_id:
            return claim


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        core = Core(Path(folder))
        await core.start()
        await live(core)
        await core.stop()
        target = DATA / f"ledger_schema_{migrations()[-1][0]}.sql"
        target.write_text(dump(core.settings.ledger_path))


if __name__ == "__main__":
    asyncio.run(_main())
