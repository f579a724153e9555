"""The bare thing: a grpc.aio server on uvloop that does the least that each benchmark's task needs, and no more.

usage: python -m tests.benchmarks.bare FOLDER

Prints its address, then serves until it is killed. No interceptor, no checks, bytes in and bytes out.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import grpc
import grpc.aio
import uvloop

SERVICE = "bare.Bare"
OPTIONS = [("grpc.server.max_pending_requests", 10_000), ("grpc.server.max_pending_requests_hard_limit", 10_000)]
"""As ours: without them a burst of ten thousand watchers is refused."""


class Bare:
    """Each method is one task."""

    def __init__(self, folder: Path, ledger: aiosqlite.Connection) -> None:
        self._folder = folder
        self._ledger = ledger
        self._kept = b""
        self._fired = 0
        self._next = asyncio.Event()

    async def keep(self, message: bytes, _context: Any) -> bytes:
        """Remembers what `echo` answers."""
        self._kept = message
        return b""

    async def echo(self, _message: bytes, _context: Any) -> bytes:
        return self._kept

    async def upload(self, messages: AsyncIterator[bytes], _context: Any) -> bytes:
        """Writes and hashes what comes, makes it durable, and answers the hash."""
        path = self._folder / "upload"
        digest = hashlib.sha256()
        with path.open("wb", buffering=0) as file:
            async for message in messages:
                file.write(message)
                digest.update(message)
            os.fsync(file.fileno())
        path.unlink()
        return digest.digest()

    async def watch(self, _message: bytes, context: Any) -> None:
        """Says that it watches, then sends each message that is fired."""
        seen = self._fired
        await context.write(b"")
        while True:
            if seen == self._fired:
                await self._next.wait()
            seen = self._fired
            await context.write(self._kept)

    async def fire(self, message: bytes, _context: Any) -> bytes:
        """One message to all watchers."""
        self._kept = message
        self._fired += 1
        self._next.set()
        self._next = asyncio.Event()
        return b""

    async def commit(self, message: bytes, context: Any) -> bytes:
        """One durable row, then one message to all watchers."""
        await self._ledger.execute("INSERT INTO events (data) VALUES (?)", (message,))
        await self._ledger.commit()
        return await self.fire(message, context)


async def serve(folder: Path) -> None:
    ledger = await aiosqlite.connect(folder / "bare.sqlite3")
    await ledger.execute("PRAGMA journal_mode = WAL")
    await ledger.execute("PRAGMA synchronous = FULL")
    await ledger.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, data BLOB)")
    bare = Bare(folder, ledger)
    server = grpc.aio.server(options=OPTIONS)
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "keep": grpc.unary_unary_rpc_method_handler(bare.keep),
        "echo": grpc.unary_unary_rpc_method_handler(bare.echo),
        "fire": grpc.unary_unary_rpc_method_handler(bare.fire),
        "commit": grpc.unary_unary_rpc_method_handler(bare.commit),
        "upload": grpc.stream_unary_rpc_method_handler(bare.upload),
        "watch": grpc.unary_stream_rpc_method_handler(bare.watch),
    }
    server.add_registered_method_handlers(SERVICE, handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
