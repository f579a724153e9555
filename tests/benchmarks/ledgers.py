"""Ledgers with a long history, for benchmarks of what must not grow with it.

usage: python -m tests.benchmarks.ledgers RECORDS

One job of ten records is taken through the product itself: added, claimed, failed once, tried again, completed. Its
rows are then copied as often as it takes, with ids of their own, in SQL: a million records with five million events
take a few minutes and gigabytes. 500 queued records follow, again through the product. `ingest-grpc admin check` finds
nothing to say about the result. It is made once and kept in $XDG_CACHE_HOME/ingest-grpc-bench (default ~/.cache),
outside of the repository.
"""

import asyncio
import os
import re
import shutil
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import Caller, NewJob, Scope
from ingest_grpc.store.sqlite.schema import connect_writer, migrations
from ingest_grpc.worker.janitor import DAY_SECONDS
from tests.factories import Core, to_add

RECORDS_PER_JOB = 10
QUEUED = 500
TEAM = "bench"
OWNER = Caller(TEAM, TEAM, frozenset(Scope), "key-bench")

_TABLES = ("files", "jobs", "ingestion_jobs", "file_records", "events")
"""What is copied, parents first. Blobs are not: equal bytes of a team are stored once."""

_REFERENCES = {"job": "jobs", "ingestion_job": "ingestion_jobs", "file": "files"}
_UUID = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-)[0-9a-f]{12}")
_TAIL = "f" * 12
"""Stands in the copied rows for the last digits of every id, which say which copy it is."""


def prepared(records: int) -> Path:
    """A data folder with about so many completed records and 500 queued ones, made now if it was not made before."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ingest-grpc-bench"
    folder = cache / f"schema-{migrations()[-1][0]}-records-{records}"
    if not folder.exists():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(making, ignore_errors=True)
        try:
            with ThreadPoolExecutor(1) as thread:  # asked for within a running loop too
                thread.submit(lambda: asyncio.run(_make(making, records // RECORDS_PER_JOB))).result()
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return folder


async def _make(folder: Path, jobs: int) -> None:
    ledger = await _template(folder)
    with closing(connect_writer(ledger, 10.0)) as connection:
        _copy(connection, jobs - 1)
    await _queue(folder)


async def _template(folder: Path) -> Path:
    """A ledger with one job that went through everything."""
    core = Core(folder)
    await core.start()
    files = [await core.upload(f"{number}.pdf", b"the same bytes", OWNER) for number in range(RECORDS_PER_JOB)]
    new = NewJob(name="finished", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files))
    await core.jobs.create(OWNER, new, None)
    for claim in await core.claim_records(RECORDS_PER_JOB):
        await core.retry(claim, after_seconds=1.0)
    core.clock.advance(DAY_SECONDS)
    await core.work.admit_due()
    for claim in await core.claim_records(RECORDS_PER_JOB):
        await core.succeed(claim)
    await core.stop()
    return core.settings.ledger_path


async def _queue(folder: Path) -> None:
    """A job whose records wait: none of their bytes were converted before."""
    core = Core(folder)
    await core.start()
    files = [await core.upload(f"queued-{number}.pdf", f"waits {number}".encode(), OWNER) for number in range(QUEUED)]
    new = NewJob(name="queued", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files))
    await core.jobs.create(OWNER, new, None)
    await core.stop()


def _copy(connection: sqlite3.Connection, copies: int) -> None:
    """Indexes and triggers come after the rows: sorted once instead of being kept in order all the time."""
    later = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    definitions = connection.execute(later).fetchall()
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("PRAGMA wal_autocheckpoint = 100000")
    strides = {name: connection.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in _TABLES}
    for row in definitions:
        connection.execute(f"DROP {row['type']} {row['name']}")
    for table in _TABLES:
        _copy_rows(connection, table, strides, copies)
    for row in definitions:
        connection.execute(row["sql"])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy_rows(connection: sqlite3.Connection, table: str, strides: dict[str, int], copies: int) -> None:
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    columns = list(rows[0])
    connection.execute(f"CREATE TEMP TABLE template_{table} AS SELECT * FROM {table} LIMIT 0")
    connection.executemany(
        f"INSERT INTO template_{table} VALUES ({', '.join('?' * len(columns))})",
        [[_marked(value) for value in row.values()] for row in rows],
    )
    texts = {column for row in rows for column, value in row.items() if isinstance(value, str) and _UUID.search(value)}

    def copied(column: str) -> str:
        if column == "id" or column in _REFERENCES:
            return f"{column} + copy * {strides[_REFERENCES.get(column, table)]}"
        if column in texts:
            return f"replace({column}, '{_TAIL}', printf('%012x', copy))"
        return column

    connection.execute("BEGIN")
    connection.execute(
        f"""
        WITH RECURSIVE copies (copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < ?)
        INSERT INTO {table} ({", ".join(columns)})
        SELECT {", ".join(map(copied, columns))} FROM copies CROSS JOIN template_{table}
        """,
        (copies,),
    )
    connection.execute("COMMIT")


def _marked(value: object) -> object:
    return _UUID.sub(rf"\g<1>{_TAIL}", value) if isinstance(value, str) else value


if __name__ == "__main__":
    print(prepared(int(sys.argv[1])))
