"""Looks at a ledger and its blobs without changing anything: the statements in sql/, one line per problem."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any

import aiosql

from ingest_grpc.admin.report import MAX_NAMED, Lines
from ingest_grpc.blobs.factory import local_folder
from ingest_grpc.blobs.interface import Blobs, ListedBlob
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.blobs.threads import Threads
from ingest_grpc.config import Settings
from ingest_grpc.lifecycle import (
    JobFacts,
    JobType,
    RecordStatus,
    Tally,
    ingestion_job_status,
    job_status,
)
from ingest_grpc.store.sqlite.schema import check_schema, connect_reader

MAX_REPAIRS = 100_000
"""Things of one kind that one repair mends, so that its list fits into memory; the next run mends the rest."""

BATCH = 1_000


@dataclass(slots=True)
class Findings:
    """What was looked at and what is wrong; rows of what is to be recounted and of what is stuck, keys of orphans."""

    checked: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    jobs: set[int] = field(default_factory=set)
    stuck: set[int] = field(default_factory=set)
    stuck_alignments: set[int] = field(default_factory=set)
    knowledge_bases: set[int] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)

    def add(self, kind: str, found: Iterable[sqlite3.Row]) -> None:
        """Takes in the rows of one kind of problem."""
        lines = Lines(kind)
        repairs = (
            *(("job", self.jobs), ("stuck", self.stuck), ("stuck_alignment", self.stuck_alignments)),
            ("knowledge_base", self.knowledge_bases),
        )
        for row in found:
            lines.add(row["problem"])
            for column, targets in repairs:
                if column in row.keys() and len(targets) < MAX_REPAIRS:  # noqa: SIM118 - a Row's `in` looks at values
                    targets.add(row[column])
        self.problems += lines.told()

    async def add_blobs(self, kind: str, found: AsyncIterator[tuple[str, str]]) -> None:
        """Takes in (key, problem) of one kind of problem with blobs."""
        lines = Lines(kind)
        async for key, problem in found:
            lines.add(problem)
            if kind == "orphans" and len(self.orphans) < MAX_REPAIRS:
                self.orphans.add(key)
        self.problems += lines.told()


@cache
def _statements(file: str) -> Any:
    with resources.as_file(resources.files("ingest_grpc.admin") / "sql" / file) as path:
        return aiosql.from_path(path, "sqlite3", mandatory_parameters=False)


async def examine(settings: Settings, blobs: Blobs, before: int) -> Findings:
    """Checks the ledger on one snapshot, then the blobs against it. `before` is a time in UTC microseconds.

    An orphan that was written later may belong to an upload whose row is still to come, and bytes of a blob
    that was deleted later may be going right now: neither is a problem yet. Raises WrongSchema, sqlite3.Error.
    """
    threads = Threads()
    try:
        async with _connection(settings, threads) as connection, _connection(settings, threads) as present:
            findings = await threads.run(_examine_ledger, connection)
            findings.checked["stored blobs"] = await _list_blobs(connection, blobs, threads)
            judge = _Judge(settings, present, blobs)
            for kind in ("missing", "wrong_size", "orphans", "lingering"):
                suspected = _suspected(kind, connection, before, threads)
                await findings.add_blobs(kind, judge.confirmed(kind, suspected))
    finally:
        await threads.stop()
    return findings


@asynccontextmanager
async def _connection(settings: Settings, threads: Threads) -> AsyncIterator[sqlite3.Connection]:
    """A connection that cannot change the ledger, but can fill temporary tables, which lie in a file of their own."""
    connection = await threads.run(connect_reader, settings.ledger_path)
    try:
        await threads.run(_ready, connection)
        yield connection
    finally:
        # The threads run every call to its end, also for a cancelled caller: nothing uses it any more.
        connection.close()


def _ready(connection: sqlite3.Connection) -> None:
    check_schema(connection)
    connection.execute("PRAGMA query_only = OFF")
    connection.execute("PRAGMA temp_store = FILE")
    for name, arguments, function in _FUNCTIONS:
        connection.create_function(name, arguments, function, deterministic=True)


# ── the ledger in itself ───────────────────────────────────────────────────────────────────────────────────


def _examine_ledger(connection: sqlite3.Connection) -> Findings:
    findings = Findings()
    counts = _statements("counts.sql")
    connection.execute("BEGIN")
    try:
        findings.problems += _damage(connection)
        for step in ("create_counted", "count_records", "create_counted_jobs", "count_jobs"):
            getattr(counts, step)(connection)
        totals = counts.totals(connection)
        findings.checked = {name.replace("_", " "): totals[name] for name in totals.keys()}  # noqa: SIM118
        for statements in map(_statements, ("ledger.sql", "alignments.sql", "knowledge_bases.sql")):
            for kind in _names(statements):
                findings.add(kind, getattr(statements, kind)(connection))
    finally:
        connection.execute("ROLLBACK")
    return findings


def _names(statements: Any) -> list[str]:
    return [name for name in statements.available_queries if not name.endswith("_cursor")]


def _damage(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong with its file."""
    lines = [line for (line,) in connection.execute(f"PRAGMA integrity_check({MAX_NAMED})")]
    damage = [f"the ledger file is damaged: {line}" for line in lines if line != "ok"]
    references = Lines("references")
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        references.add(f"row {row} of {table} refers to a row of {parent} that is gone")
    return damage + references.told()


def _tally_words(*counts: int) -> str:
    """For example "2 completed, 1 failed"."""
    words = ("queued", "running", "completed", "failed", "cancelled", "unresolved")
    return ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True) if count) or "none"


def _ingestion_job_status(queued: int, running: int, completed: int, failed: int, cancelled: int, claimed: int) -> str:
    tally = Tally(queued, running, completed, failed, cancelled)
    return ingestion_job_status(tally, ever_claimed=bool(claimed))


def _job_status(job_type: str, *facts_and_alignment: Any) -> str:
    *facts, alignment = facts_and_alignment
    (
        *counts,
        markdown_files,
        expired_outputs,
        archives,
        has_system_prompt,
        has_knowledge_base,
        cancelled,
        ever_active,
    ) = facts
    return job_status(
        JobFacts(
            job_type=JobType(job_type),
            tally=Tally(*counts),
            markdown_files=markdown_files,
            expired_outputs=expired_outputs,
            archives=archives,
            has_system_prompt=bool(has_system_prompt),
            has_knowledge_base=bool(has_knowledge_base),
            cancelled=bool(cancelled),
            ever_active=bool(ever_active),
            alignment=RecordStatus(alignment) if alignment else None,
        )
    )


_FUNCTIONS: tuple[tuple[str, int, Callable[..., str]], ...] = (
    ("tally", 6, _tally_words),
    ("ingestion_job_status", 6, _ingestion_job_status),
    ("job_status", 15, _job_status),
)
"""What the statements ask of lifecycle.py, so that there is no second definition of a status."""


# ── the ledger and the blobs ───────────────────────────────────────────────────────────────────────────────


async def _list_blobs(connection: sqlite3.Connection, blobs: Blobs, threads: Threads) -> int:
    """Puts the listing of the blob store into a temporary table; returns how many blobs it has."""
    _statements("counts.sql").create_stored(connection)
    count, batch = 0, list[ListedBlob]()
    async for blob in blobs.listing():
        count += 1
        batch.append(blob)
        if len(batch) == BATCH:
            await threads.run(_insert, connection, batch)
            batch = []
    await threads.run(_insert, connection, batch)
    return count


def _insert(connection: sqlite3.Connection, batch: list[ListedBlob]) -> None:
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT OR REPLACE INTO stored VALUES (?, ?, ?)",
        [(blob.key, blob.size_bytes, blob.written_at) for blob in batch],
    )
    connection.execute("COMMIT")


async def _suspected(
    kind: str, connection: sqlite3.Connection, before: int, threads: Threads
) -> AsyncIterator[tuple[str, str]]:
    """(key, problem) by the ledger and the listing alone."""
    rows = getattr(_statements("blobs.sql"), kind)(connection, before=before)
    while batch := await threads.run(lambda: [(row["blob_key"], row["problem"]) for row in islice(rows, BATCH)]):
        for suspicion in batch:
            yield suspicion


class _Judge:
    """Holds suspicions against the present: the server goes on while its blobs are listed.

    `present` is a connection of its own: one that still reads suspicions would see the ledger as it was.
    """

    def __init__(self, settings: Settings, present: sqlite3.Connection, blobs: Blobs) -> None:
        folder = local_folder(settings)
        self._layout = None if folder is None else Layout(folder)
        self._present = present
        self._blobs = blobs
        self._sql = _statements("blobs.sql")

    async def confirmed(self, kind: str, suspected: AsyncIterator[tuple[str, str]]) -> AsyncIterator[tuple[str, str]]:
        """The suspicions that hold."""
        async for key, problem in suspected:
            if await self._holds(kind, key):
                yield key, problem

    async def _holds(self, kind: str, key: str) -> bool:
        match kind:
            case "missing":
                # The bytes first: of a blob that was deleted in between, the row then says so.
                return not await self._blobs.exists(key) and self._asked("is_live", key)
            case "orphans":
                # The note first: once it is gone the row is there, or the bytes are gone as well.
                return not self._is_staged(key) and not self._asked("is_named", key) and await self._blobs.exists(key)
            case "lingering":
                return await self._blobs.exists(key)
        return True

    def _asked(self, question: str, key: str) -> bool:
        return bool(getattr(self._sql, question)(self._present, blob_key=key)[0])

    def _is_staged(self, key: str) -> bool:
        """Whether the blob store itself remembers that the ledger may not know this blob: the next start asks."""
        return self._layout is not None and self._layout.staged(key).exists()
