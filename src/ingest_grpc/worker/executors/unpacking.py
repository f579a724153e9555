"""Receives the members of an archive from the child that unpacks it; the frames are those of pipeline.parse.members.

Nothing the child sends is believed: lengths are bounded, bytes are counted by who takes them, and a stream that is
not of the form is the child's crash.
"""

import asyncio
import contextlib
import fcntl
import io
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ingest_grpc.pipeline.parse.members import ABORTED, LENGTH, MAX_FRAME_BYTES, MAX_HEADER_BYTES
from ingest_grpc.worker.executors.interface import MemberSink


class StreamBroken(Exception):
    """What the child sends is not of the form, or ends in the middle of a member."""


@dataclass(slots=True)
class MemberPipe:
    """A pipe: the child writes to `descriptor`, its bytes arrive at `reader`."""

    reader: asyncio.StreamReader
    descriptor: int
    file: io.FileIO
    transport: asyncio.ReadTransport

    def finish(self) -> None:
        """The reader ends with what is in the pipe now: a child that has answered may still hold the other end."""
        if not self.transport.is_closing():
            with contextlib.suppress(BlockingIOError):
                left = os.read(self.file.fileno(), fcntl.fcntl(self.file, fcntl.F_GETPIPE_SZ))
                self.reader.feed_data(left)
            self.transport.close()


@contextlib.asynccontextmanager
async def member_pipe() -> AsyncIterator[MemberPipe]:
    """A pipe whose ends are closed on leaving."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    reader = asyncio.StreamReader(limit=2 * MAX_FRAME_BYTES)
    file = os.fdopen(reading, "rb", buffering=0)
    transport = None
    try:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        yield MemberPipe(reader, writing, file, transport)
    finally:
        os.close(writing)
        if transport is None:
            file.close()
        else:
            transport.close()


async def receive(reader: asyncio.StreamReader, sink: MemberSink) -> None:
    """Hands every member to `sink` until the stream ends between two. StreamBroken, or what the sink raises."""
    try:
        while prefix := await reader.read(1):
            length = LENGTH.unpack(prefix + await reader.readexactly(LENGTH.size - 1))[0]
            await sink.begin(_path(await _frame(reader, length, MAX_HEADER_BYTES)))
            await _content(reader, sink)
    except asyncio.IncompleteReadError:
        raise StreamBroken("the stream ends inside a member") from None


async def _content(reader: asyncio.StreamReader, sink: MemberSink) -> None:
    while (length := LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]) not in (0, ABORTED):
        await sink.write(await _frame(reader, length, MAX_FRAME_BYTES))
    if length:
        await sink.abort()
    else:
        await sink.end()


async def _frame(reader: asyncio.StreamReader, length: int, most: int) -> bytes:
    if length > most:
        raise StreamBroken(f"a frame of {length} bytes is announced")
    return await reader.readexactly(length)


def _path(header: bytes) -> str:
    try:
        value = json.loads(header)
        path = value["path"]
        if not isinstance(path, str):
            raise TypeError("not a string")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StreamBroken(f"an unreadable header: {error}") from None
    return path.encode("utf-8", "replace").decode("utf-8")
