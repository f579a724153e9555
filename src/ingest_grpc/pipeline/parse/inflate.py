"""How far compressed data really expands, whatever its headers claim; measured without keeping the result."""

import zlib
from collections.abc import Iterator
from itertools import chain

from ingest_grpc.pipeline.parse.limits import Limits

ZLIB, RAW = 15, -15
"""Deflate with and without zlib's frame, in zlib's own numbers."""

_STEP = 256 * 1024
_MAX_NESTING = 20


class Bomb(Exception):
    """The data expands far beyond its own size."""


class Allowance:
    """How many bytes may come out of a file, over all its streams. Bomb when it is used up."""

    def __init__(self, file_bytes: int, limits: Limits) -> None:
        self._allowed = limits.expanded_bytes_of(file_bytes)
        self._file_bytes = file_bytes
        self._used = 0

    def count(self, pieces: Iterator[bytes]) -> None:
        """Draw all pieces, counting their bytes."""
        for _ in self.counted(pieces):
            pass

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, their bytes counted as they are drawn."""
        for piece in pieces:
            self._used += len(piece)
            if self._used > self._allowed:
                raise Bomb(f"{self._file_bytes} bytes expand to more than {self._allowed}")
            yield piece


def slices(data: memoryview) -> Iterator[bytes]:
    """The data in steps, so that a stream of unknown length is copied only as far as it reaches."""
    for start in range(0, len(data), _STEP):
        yield bytes(data[start : start + _STEP])


def inflated(pieces: Iterator[bytes], wbits: int) -> Iterator[bytes]:
    """What one stream expands to, piece by piece. A damaged stream ends quietly: its reader will complain."""
    stream = zlib.decompressobj(wbits)
    for piece in pieces:
        rest = piece
        while rest and not stream.eof:
            try:
                out = stream.decompress(rest, _STEP)
            except zlib.error:
                return
            rest = stream.unconsumed_tail
            yield out
        if stream.eof:
            return


def fully_inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What a stream expands to when its content is a zlib stream again, and so on: filters can be stacked."""
    for _ in range(_MAX_NESTING):
        head = next(pieces, b"")
        pieces = chain((head,), pieces)
        if not _looks_like_zlib(head):
            return pieces
        pieces = inflated(pieces, ZLIB)
    return pieces


def _looks_like_zlib(head: bytes) -> bool:
    return len(head) >= 2 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
