"""Small changes to a good document, drawn from a seed: bits, bytes, pieces, numbers, tags; also inside of ZIP
members and of the compressed streams of a PDF, where a change of the bytes outside would only break a checksum."""

import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from itertools import islice

from tests.hostile.archives import Member, members_of, raw_zip

_NUMBER = re.compile(rb"\d+")
_TAG = re.compile(rb"<[^<>]{1,200}>")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_MAX_STREAMS = 200
_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"65535",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967295",
    b"99999999999999999999",
    b"1e309",
)
_BYTES = (b"\0", b"\xff", b"<", b">", b"&", b'"', b"(", b"[", b"{", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"%", b"\\")
_MAX_BYTES = 4 * 2**20

Change = Callable[[bytes, random.Random], bytes]


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 16, 64))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(data: bytes, rng: random.Random) -> bytes:
    start, count = rng.randrange(len(data)), rng.choice((1, 2, 4, 32, 512))
    fill = rng.choice((bytes(count), b"\xff" * count, rng.randbytes(count)))
    return data[:start] + fill + data[start + count :]


def cut_end(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data) + 1)]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    start, stop = sorted((rng.randrange(len(data)), rng.randrange(len(data) + 1)))
    return data[:start] + data[stop:] or data[:1]


def repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((1, 8, 64, 1024))]
    times = min(rng.choice((1, 2, 100, 5_000)), _MAX_BYTES // max(1, len(piece)))
    return data[:start] + piece * times + data[start:]


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.choice(_BYTES) * rng.choice((1, 1, 3, 300)) + data[start:]


def swap(data: bytes, rng: random.Random) -> bytes:
    one, two, three = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:one] + data[two:three] + data[one:two] + data[three:]


def change_number(data: bytes, rng: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return insert(data, rng)
    where = rng.choice(found)
    return data[: where.start()] + rng.choice(_NUMBERS) + data[where.end() :]


def change_tag(data: bytes, rng: random.Random) -> bytes:
    found = list(_TAG.finditer(data))
    if not found:
        return swap(data, rng)
    one, other = rng.choice(found), rng.choice(found)
    replacement = rng.choice((b"", other[0], one[0] * rng.choice((2, 50, 2_000)), other[0] + one[0]))
    return data[: one.start()] + replacement + data[one.end() :]


PLAIN: tuple[Change, ...] = (
    flip_bits, overwrite, cut_end, cut_out, repeat, insert, swap, change_number, change_number, change_tag, change_tag,
)  # fmt: skip


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """One member changed, with proper checksums and sizes around it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > 16 * _MAX_BYTES:
            return rng.choice(PLAIN)(data, rng)
    members = [each for each in members_of(data) if each.content]
    if not members:
        return rng.choice(PLAIN)(data, rng)
    chosen = rng.randrange(len(members))
    members[chosen] = Member(members[chosen].name, rng.choice(PLAIN)(members[chosen].content, rng))
    return raw_zip(members)


def inside_pdf(data: bytes, rng: random.Random) -> bytes:
    """One compressed stream expanded, changed and compressed again; its length may lie."""
    starts = [found.end() for found in islice(_STREAM.finditer(data), _MAX_STREAMS)]
    start = rng.choice(starts) if starts else -1
    stop = data.find(b"endstream", start)
    if start < 0 or stop < 0:
        return rng.choice(PLAIN)(data, rng)
    content = data[start:stop]
    expanded = zlib.decompressobj()
    try:
        inner = expanded.decompress(content, _MAX_BYTES) or b"x"
    except zlib.error:
        return data[:start] + rng.choice(PLAIN)(content or b"x", rng) + data[stop:]
    return data[:start] + zlib.compress(rng.choice(PLAIN)(inner, rng)) + b"\n" + data[stop:]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four changes, outside or inside."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not data or len(data) > _MAX_BYTES:
            break
        change = rng.choice(PLAIN)
        if data.startswith(b"PK\3\4") and rng.random() < 0.8:
            change = inside_zip
        elif data.startswith(b"%PDF") and rng.random() < 0.5:
            change = inside_pdf
        try:
            data = change(data, rng)
        except Exception:  # noqa: BLE001 - an earlier change broke the container: change its bytes instead
            data = rng.choice(PLAIN)(data, rng)
    return data
