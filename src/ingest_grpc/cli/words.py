"""How messages and figures read: enum words, sizes, durations, times, and names that are safe to print."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp


def word(message: "Message", field: str) -> str:
    """The value of an enum field without its prefix, for example "COMPLETED"; "" for unspecified."""
    number = getattr(message, field)
    return _enum_words(message.DESCRIPTOR.fields_by_name[field].enum_type).get(number, str(number))


@cache
def _enum_words(enum: "EnumDescriptor") -> dict[int, str]:
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.number: value.name.removeprefix(prefix) if value.number else "" for value in enum.values}


_RULERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move a cursor, turn the direction of writing, break a line, or cannot be written at all."""


def printable(text: str) -> str:
    """`text` on one line, without the characters by which a file's name or text could rule a terminal."""
    return _RULERS.sub("\ufffd", text)


def printable_text(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(printable(line.expandtabs(4).removesuffix("\r")) for line in text.split("\n"))


def shortened(text: str, width: int) -> str:
    """At most `width` cells of `text`; its end is kept, where a path has the file's name."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return "…" + text if width > 0 else ""


def human_bytes(count: float) -> str:
    """A size as people read it: "0 B", "1.4 kB", "2.1 MB" (powers of 1,000)."""
    if count < 1_000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1_000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1_000:.1f} TB"


def human_seconds(seconds: float) -> str:
    """A duration as people read it: "7 ms", "0.4 s", "12 s", "3 min 05 s", "2 h 07 min"."""
    if seconds < 0.0995:
        return f"{max(round(seconds * 1_000), 0)} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"


def plural(count: int, noun: str) -> str:
    """ "1 file", "2,000 files"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int = 3) -> str:
    """ "a, b", "a, b, c and 4 more"."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def day_and_time(stamp: "Timestamp") -> str:
    """A time in the zone of this machine, to the second."""
    return local_time(stamp.ToMicroseconds())


def local_time(microseconds: int) -> str:
    """The same for microseconds since the epoch."""
    return f"{_local(microseconds):%Y-%m-%d %H:%M:%S}"


def rfc3339(microseconds: int) -> str:
    """The same in UTC for scripts, as messages have it in JSON: "2026-01-15T12:00:00.250000Z"."""
    return f"{datetime.fromtimestamp(microseconds / 1_000_000, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def time_of_day(stamp: "Timestamp") -> str:
    """The same without the date, with milliseconds."""
    moment = _local(stamp.ToMicroseconds())
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1_000:03}"


def seconds_between(earlier: "Timestamp", later: "Timestamp") -> float:
    """How long after `earlier` `later` is."""
    return (later.ToMicroseconds() - earlier.ToMicroseconds()) / 1_000_000


def _local(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000).astimezone()
