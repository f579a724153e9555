"""Messages between supervisor and child."""

import asyncio
import os
import socket
import struct

import pytest

from ingest_grpc.sandbox import protocol
from ingest_grpc.sandbox.protocol import MAX_MESSAGE_BYTES, ProtocolError


@pytest.fixture
def pair() -> "tuple[socket.socket, socket.socket]":
    return socket.socketpair()


async def read_from(data: bytes) -> protocol.Message:
    """What the supervisor reads when a child sends `data` and dies."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        message, size = await protocol.Reader(ours).read()
        assert size == len(data)
        return message


async def test_message__survives_the_channel() -> None:
    message = {"kind": "hello", "text": "Füße \x00", "numbers": [1, 2.5, None, True]}
    assert await read_from(protocol.encode(message)) == message


async def test_read__messages_that_came_together_and_in_pieces() -> None:
    messages = [{"id": number, "text": "x" * (40_000 * number)} for number in range(4)]
    data = b"".join(protocol.encode(message) for message in messages)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        sending = asyncio.create_task(asyncio.to_thread(theirs.sendall, data))
        reader = protocol.Reader(ours)
        read = [await reader.read() for _ in messages]
        await sending
    assert [message for message, _ in read] == messages
    assert sum(size for _, size in read) == len(data)


async def test_read__end_of_channel() -> None:
    with pytest.raises(EOFError):
        await read_from(b"")


async def test_read__half_a_message() -> None:
    with pytest.raises(EOFError):
        await read_from(protocol.encode({"a": 1})[:-1])


async def test_read__too_long_is_refused_by_its_prefix() -> None:
    with pytest.raises(ProtocolError, match="is announced"):
        await read_from(struct.pack("!I", MAX_MESSAGE_BYTES + 1))


@pytest.mark.parametrize(
    "payload",
    [b"[1]", b"nonsense", b"\xff\xfe", b'"text"', b"[" * 200_000, b"9" * 100_000, b'{"a":' * 20 + b"1" + b"}" * 20],
)
async def test_read__what_is_no_message(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        await read_from(struct.pack("!I", len(payload)) + payload)


def test_encode__too_long() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        protocol.encode({"text": "x" * MAX_MESSAGE_BYTES})


async def test_task__carries_descriptors() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    reader, writer = os.pipe()
    with ours, theirs:
        await protocol.send_task(ours, {"id": 1, "text": "y" * 60_000}, [writer])
        received = protocol.receive(theirs)
    assert received is not None
    message, descriptors = received
    os.write(descriptors[0], b"through")
    assert (message["id"], os.read(reader, 10)) == (1, b"through")
    for descriptor in (reader, writer, *descriptors):
        os.close(descriptor)


async def test_send_task__to_a_dead_child() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.close()
    with ours, pytest.raises(BrokenPipeError):
        await protocol.send_task(ours, {"id": 1}, [])


def test_receive__end_of_channel(pair: "tuple[socket.socket, socket.socket]") -> None:
    ours, theirs = pair
    with theirs:
        ours.close()
        assert protocol.receive(theirs) is None


def test_receive__half_a_message(pair: "tuple[socket.socket, socket.socket]") -> None:
    ours, theirs = pair
    with theirs:
        ours.sendall(protocol.encode({"a": 1})[:-1])
        ours.close()
        with pytest.raises(ProtocolError, match="too early"):
            protocol.receive(theirs)


async def test_read__many_messages_in_one_piece() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(b"".join(protocol.encode({"n": n}) for n in range(100)))
        reader = protocol.Reader(ours)
        async with asyncio.timeout(5):
            assert [(await reader.read())[0]["n"] for _ in range(100)] == list(range(100))
