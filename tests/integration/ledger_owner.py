"""A process that owns the ledger it is given and says so, then waits to be killed.

usage: ledger_owner.py LEDGER [die]     with `die` it kills itself in the middle of a second migration
"""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

from ingest_grpc.clock import SystemClock
from ingest_grpc.store.sqlite import schema
from ingest_grpc.store.sqlite import store as store_module
from ingest_grpc.store.sqlite.store import SqliteStore

DEADLY = "CREATE TABLE half (x); INSERT INTO half VALUES (1); SELECT die(); INSERT INTO half VALUES (2);"


def connect_deadly(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    connection = schema.connect_writer(path, busy_timeout_seconds)
    connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return connection


async def own(path: Path) -> None:
    store = SqliteStore(path, SystemClock())
    await store.start()
    sys.stdout.write("owned\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[2:] == ["die"]:
        known = schema.migrations()
        vars(schema)["migrations"] = lambda: [*known, (known[-1][0] + 1, DEADLY)]
        vars(store_module)["connect_writer"] = connect_deadly
    asyncio.run(own(Path(sys.argv[1])))
