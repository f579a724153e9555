"""A TCP proxy between a client and a server that cuts connections: the network as it sometimes is."""

import asyncio
import contextlib
from collections.abc import Callable


class CuttingProxy:
    """Forwards to the address that `target` returns; cuts all connections whenever so many bytes went upstream.

    `cuts` are byte counts since the start, ascending; `sent_bytes` counts what went upstream. New connections are
    accepted again at once.
    """

    def __init__(self, target: Callable[[], str], cuts: list[int]) -> None:
        self._target = target
        self._cuts = list(cuts)
        self.sent_bytes = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.made = 0
        self.address = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """All connections end at once, in the middle of whatever they carry."""
        for writer in self._open:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        host, _, port = self._target().rpartition(":")
        self._open.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            # A server that restarts is not there for a while.
            with contextlib.suppress(OSError):
                down, upstream = await asyncio.open_connection(host, int(port))
                self._open.add(upstream)
                await asyncio.gather(self._forward(reader, upstream, counted=True), self._forward(down, writer))
        finally:
            for each in filter(None, (writer, upstream)):
                each.transport.abort()
                self._open.discard(each)
            self._tasks.discard(task)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        while data := await reader.read(64 * 1024):
            if counted:
                self.sent_bytes += len(data)
                if self._cuts and self.sent_bytes >= self._cuts[0]:
                    self._cuts.pop(0)
                    self.made += 1
                    self.cut()
                    return
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("the other side hung up")
