"""A process that owns a ledger as a server does. Reads commands from stdin, answers each with one line.

`who SECRET` authenticates, `fill BYTES` lets the write-ahead log grow without a checkpoint, `end` stops.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

from ingest_grpc.clock import SystemClock
from ingest_grpc.errors import IngestError
from ingest_grpc.service.keys import KeyService
from ingest_grpc.store.sqlite.store import SqliteStore


def _fill(connection: sqlite3.Connection, size: int) -> int:
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE filler (bytes BLOB) STRICT")
    connection.execute("INSERT INTO filler VALUES (?)", (bytes(size),))
    connection.execute("COMMIT")
    return size


async def _answer(store: SqliteStore, command: str, argument: str) -> str:
    if command == "who":
        try:
            return (await KeyService(store, SystemClock()).authenticate(argument)).user_id
        except IngestError as error:
            return error.reason
    return str(await store._writer.run(lambda connection: _fill(connection, int(argument))))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.start()
    _say("ready")
    while (line := await asyncio.to_thread(sys.stdin.readline)) not in ("", "end\n"):
        command, _, argument = line.strip().partition(" ")
        _say(await _answer(store, command, argument))
    await store.stop()


if __name__ == "__main__":
    asyncio.run(main())
