"""Messages between supervisor and child: a 4-byte length, then that many bytes of JSON.

JSON and nothing else: whatever a compromised child sends is read as plain data. Descriptors travel beside
the first byte of a message, from the supervisor to the child only.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_DESCRIPTORS = 4
_MAX_NESTING = 16
"""Levels of a message: what is nested as deep as Python can read is too deep for Python to compare or print."""
_READ_BYTES = 16 * 1024

_LENGTH = struct.Struct("!I")

Message = Mapping[str, Any]


class ProtocolError(Exception):
    """The other side sent something that is no message."""


def encode(message: Message) -> bytes:
    """The bytes of `message`; ProtocolError if they exceed MAX_MESSAGE_BYTES."""
    payload = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"a message of {len(payload)} bytes is too long")
    return _LENGTH.pack(len(payload)) + payload


def decode(payload: bytes | bytearray) -> Message:
    """The message in `payload`; ProtocolError if it is no JSON object (or one that Python refuses to read)."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise ProtocolError(f"not an object but {type(message).__name__}")
    if _is_deeper(message, _MAX_NESTING):
        raise ProtocolError(f"nested more than {_MAX_NESTING} levels deep")
    return message


def _is_deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in value)


def payload_length(prefix: bytes | bytearray) -> int:
    """The length a prefix announces; ProtocolError if it exceeds MAX_MESSAGE_BYTES."""
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"a message of {length} bytes is announced")
    return int(length)


# The child's side: blocking.


def send(channel: socket.socket, message: Message) -> None:
    """Send one message; OSError if the supervisor is gone."""
    channel.sendall(encode(message))


def receive(channel: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and the descriptors that came with it, which the caller closes; None at the end."""
    prefix, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if not prefix:
        return None
    prefix += _receive_exactly(channel, _LENGTH.size - len(prefix))
    return decode(_receive_exactly(channel, payload_length(prefix))), descriptors


def _receive_exactly(channel: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = channel.recv(count - len(data))
        if not chunk:
            raise ProtocolError("the message ends too early")
        data += chunk
    return bytes(data)


# The supervisor's side: on the event loop, over a raw non-blocking socket (a transport's socket has no sendmsg).


async def send_task(channel: socket.socket, message: Message, descriptors: Sequence[int]) -> None:
    """Send one message with descriptors; OSError if the child is gone."""
    data = encode(message)
    sent = socket.send_fds(channel, [data], descriptors)
    if sent < len(data):
        await asyncio.get_running_loop().sock_sendall(channel, data[sent:])


class Reader:
    """Reads a child's messages. Takes what is there at once: most messages come in company of others."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._data = bytearray()

    async def read(self) -> tuple[Message, int]:
        """The child's next message and its bytes; EOFError when it is gone, ProtocolError when it misbehaves.

        To be cancelled only if nothing more is to be read.
        """
        await self._have(_LENGTH.size)
        size = _LENGTH.size + payload_length(self._data[: _LENGTH.size])
        await self._have(size)
        payload = self._data[_LENGTH.size : size]
        del self._data[:size]
        return decode(payload), size

    async def _have(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        while len(self._data) < count:
            chunk = await loop.sock_recv(self._channel, max(_READ_BYTES, count - len(self._data)))
            if not chunk:
                raise EOFError
            self._data += chunk
