"""Bytes to characters: which encoding a text is in, by its own marks first, by guessing last."""

import codecs
from dataclasses import dataclass

import charset_normalizer

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import CHARSET_NORMALIZER
from ingest_grpc.pipeline.parse.outcome import ParseFailure

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNIT_BYTES = {"utf-8": 1, "utf-32-le": 4, "utf-32-be": 4, "utf-16-le": 2, "utf-16-be": 2}
_SAMPLE_BYTES = 64 * 1024
_ZEROS_OF_UTF16 = 0.6


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read in, and whether that encoding was guessed."""

    text: str
    encoding: str
    guessed: bool = False

    @property
    def warnings(self) -> list[str]:
        """What the reader of a guess should know."""
        return [f"the character encoding was guessed: {self.encoding}"] if self.guessed else []


def decode(data: bytes, declared: str = "") -> Decoded:
    """The text in `data`. Tries a byte order mark, UTF-16 without one, UTF-8, the declared encoding, a guess.

    ParseFailure TEXT_UNDECODABLE if none fits.
    """
    encoding, mark_bytes = _marked(data)
    if encoding is not None:
        return Decoded(_strictly(data[mark_bytes:], encoding), encoding)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _as_declared(data, declared) or _guess(data)


def beginning(data: bytes, characters: int) -> str:
    """The first characters, good for comparing with ASCII words only: other characters may come out wrong."""
    encoding, mark_bytes = _marked(data)
    return data[mark_bytes : mark_bytes + 4 * characters].decode(encoding or "latin-1", "ignore")[:characters]


def looks_like_text(data: bytes) -> bool:
    """False for bytes that no encoding of text produces: zeros without the pattern of UTF-16 or UTF-32, or many
    control characters."""
    sample = data[:_SAMPLE_BYTES]
    if _marked(sample)[0] is not None:
        return True
    if b"\0" in sample:
        return False
    controls = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\r\f\x1b\b")
    return controls * 100 <= len(sample)


def _marked(data: bytes) -> tuple[str | None, int]:
    """The encoding that the data itself shows, and the length of its mark; (None, 0) if it shows none."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    return _utf16_without_mark(data), 0


def _strictly(data: bytes, encoding: str) -> str:
    """Half a character at the very end is forgiven: appending a one-byte line end to UTF-16 is a common accident."""
    whole = len(data) - len(data) % _UNIT_BYTES[encoding]
    try:
        return data[:whole].decode(encoding)
    except UnicodeDecodeError as error:
        raise ParseFailure(Reason.TEXT_UNDECODABLE, f"marked as {encoding}: {error.reason}") from None


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every other byte, always on the same side."""
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > _ZEROS_OF_UTF16 and even < _ZEROS_OF_UTF16 / 10:
        return "utf-16-le"
    if even > _ZEROS_OF_UTF16 and odd < _ZEROS_OF_UTF16 / 10:
        return "utf-16-be"
    return None


def _as_declared(data: bytes, declared: str) -> Decoded | None:
    """bytes.decode refuses codecs that are no text encodings, such as "zlib": declaring one is no way to a bomb."""
    try:
        return Decoded(data.decode(declared), declared.lower()) if declared else None
    except (LookupError, ValueError):
        return None


def _guess(data: bytes) -> Decoded:
    sample = data[:_SAMPLE_BYTES]
    best = charset_normalizer.from_bytes(sample).best()
    if best is None:
        raise ParseFailure(Reason.TEXT_UNDECODABLE, "no known encoding fits", engine=CHARSET_NORMALIZER)
    text = data.decode(best.encoding, errors="replace")
    return Decoded(text, best.encoding.replace("_", "-"), guessed=True)
