"""A gRPC client on a bare socket that costs so little that the server, not the client, is what is measured.

It speaks the part of HTTP/2 (RFC 9113) and gRPC that the benchmarks need: headers go out as literals, those that
come in are skipped, flow control is opened wide once. A call that ends without a message counts as refused.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Self, cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _WINDOW = 0, 1, 3, 4, 6, 8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_POST, _AUTHORITY, _PATH = b"\x83\x86", b"\x01", b"\x04"
"""Of HPACK's static table (RFC 7541, appendix A): method POST and scheme http; the names of the other two."""

_WIDE_OPEN = 2**31 - 1
_DEFAULT_WINDOW = 65_535

OnMessage = Callable[[bytes], None]
OnEnd = Callable[[], None]


class _Stream:
    __slots__ = ("data", "on_end", "on_message")

    def __init__(self, on_message: OnMessage, on_end: OnEnd) -> None:
        self.data = b""
        self.on_message = on_message
        self.on_end = on_end


class Connection(asyncio.Protocol):
    """One connection with many calls at once. When it is `lost`, its calls have ended."""

    def __init__(self, secret: str) -> None:
        self._headers = _literal(b"content-type", b"application/grpc") + _literal(b"te", b"trailers")
        if secret:
            self._headers += _literal(b"authorization", b"Bearer " + secret.encode())
        self._streams: dict[int, _Stream] = {}
        self._next_id = 1
        self._received = b""
        self._outgoing = bytearray()
        self.lost = False

    @classmethod
    async def open(cls, address: str, secret: str = "") -> Self:
        host, _, port = address.rpartition(":")
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(secret), host, int(port))
        return connection

    def close(self) -> None:
        """Nobody hears any more of the calls that still run."""
        self._streams.clear()
        self._transport.abort()

    # ── calls ──────────────────────────────────────────────────────────────────────────────────────────

    def start(self, path: str, message: bytes, on_message: OnMessage, on_end: OnEnd) -> None:
        """Begin a call with one request message; it goes out with `flush`, or once what came in is handled."""
        stream_id, self._next_id = self._next_id, self._next_id + 2
        self._streams[stream_id] = _Stream(on_message, on_end)
        headers = _POST + _AUTHORITY + _text(b"localhost") + _PATH + _text(path.encode()) + self._headers
        self._outgoing += _frame(_HEADERS, _END_HEADERS, stream_id, headers)
        self._outgoing += _frame(_DATA, _END_STREAM, stream_id, struct.pack("!BI", 0, len(message)) + message)

    def flush(self) -> None:
        self._transport.write(bytes(self._outgoing))
        self._outgoing.clear()

    async def call(self, path: str, message: bytes = b"") -> bytes:
        """A unary call's reply; RuntimeError if there is none."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        replies: list[bytes] = []
        self.start(path, message, replies.append, lambda: done.set_result(None))
        self.flush()
        async with asyncio.timeout(30):
            await done
        if not replies:
            raise RuntimeError(f"{path} was refused")
        return replies[0]

    # ── what the loop calls ────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        wide = struct.pack("!HI", 0x4, _WIDE_OPEN)  # SETTINGS_INITIAL_WINDOW_SIZE
        more = struct.pack("!I", _WIDE_OPEN - _DEFAULT_WINDOW)
        self._transport.write(_PREFACE + _frame(_SETTINGS, 0, 0, wide) + _frame(_WINDOW, 0, 0, more))

    def connection_lost(self, error: Exception | None) -> None:
        """Calls that still run have ended without an answer."""
        self.lost = True
        while self._streams:
            self._streams.popitem()[1].on_end()

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        at, end = 0, len(received)
        while end - at >= 9:
            stop = at + 9 + int.from_bytes(received[at : at + 3], "big")
            if stop > end:
                break
            stream_id = int.from_bytes(received[at + 5 : at + 9], "big")
            self._frame_received(received[at + 3], received[at + 4], stream_id, received[at + 9 : stop])
            at = stop
        self._received = received[at:]
        if self._outgoing:
            self.flush()

    def _frame_received(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == _DATA:
            self._message_bytes(self._streams[stream_id], payload)
        elif kind == _SETTINGS and not flags & _ACK:
            self._outgoing += _frame(_SETTINGS, _ACK, 0, b"")
        elif kind == _PING and not flags & _ACK:
            self._outgoing += _frame(_PING, _ACK, 0, payload)
        ends = kind == _RESET or (kind in (_DATA, _HEADERS) and flags & _END_STREAM)
        # A server may end a stream and then reset it.
        if ends and (stream := self._streams.pop(stream_id, None)) is not None:
            stream.on_end()

    @staticmethod
    def _message_bytes(stream: _Stream, payload: bytes) -> None:
        """Whole messages of what has come of a stream: a flag, four bytes of length, the message."""
        data = stream.data + payload if stream.data else payload
        while len(data) >= 5 and len(data) >= (stop := 5 + int.from_bytes(data[1:5], "big")):
            stream.on_message(data[5:stop])
            data = data[stop:]
        stream.data = data


async def load(address: str, path: str, message: bytes, *, calls: int, expected: bytes, secret: str = "") -> None:
    """`calls` unary calls over 4 connections, 16 at once on each; RuntimeError unless each answers `expected`."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    started = ended = answered = 0
    connections = [await Connection.open(address, secret) for _ in range(4)]

    def on_message(reply: bytes) -> None:
        nonlocal answered
        answered += reply == expected

    def next_call(connection: Connection) -> None:
        nonlocal started
        if started < calls:
            started += 1
            connection.start(path, message, on_message, lambda: on_end(connection))

    def on_end(connection: Connection) -> None:
        nonlocal ended
        ended += 1
        if ended == calls or connection.lost:
            if not done.done():
                done.set_result(None)
        else:
            next_call(connection)

    try:
        for connection in connections:
            for _ in range(16):
                next_call(connection)
            connection.flush()
        async with asyncio.timeout(120):
            await done
    finally:
        for connection in connections:
            connection.close()
    if answered != calls:
        raise RuntimeError(f"{calls - answered} of {calls} calls were not answered as expected")


def _frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header that is not indexed (RFC 7541, 6.2.2)."""
    return b"\x00" + _text(name) + _text(value)


def _text(value: bytes) -> bytes:
    assert len(value) < 127, "longer texts need a longer length"
    return bytes((len(value),)) + value
