"""Fields of messages as JSON of other systems has them: words for enums, null for what is absent, ISO 8601 times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message


def said(words: Mapping[str, str], message: Message, field: str) -> str:
    """What a table of words says for the enum value in a field; for a value it does not know, as for UNSPECIFIED."""
    names = _names(message, field)
    return words.get(names.get(getattr(message, field), ""), words[names[0]])


def lower(message: Message, field: str) -> str | None:
    """The enum value in a field without its prefix, in lower case, for example "principle_files"; None if unknown."""
    names = _names(message, field)
    prefix = names.pop(0).removesuffix("UNSPECIFIED")
    name = names.get(getattr(message, field))
    return name.removeprefix(prefix).lower() if name else None


def optional(message: Message, field: str) -> Any:
    """The value of an optional scalar, None where it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def time(message: Message, field: str) -> str | None:
    """A time in UTC, for example "2025-11-14T07:35:21.700005Z"; None where it is absent."""
    if not message.HasField(field):
        return None
    microseconds: int = getattr(message, field).ToMicroseconds()
    seconds, rest = divmod(microseconds, 1_000_000)
    # Seconds and microseconds apart: as one float they would lose digits.
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}Z"


def first_time(message: Message, *fields: str) -> str | None:
    """The first of these times that is there."""
    return next((found for field in fields if (found := time(message, field))), None)


def _names(message: Message, field: str) -> dict[int, str]:
    """The full names of an enum field's values by number."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    if enum is None:
        raise TypeError(f"{field} of {message.DESCRIPTOR.name} is no enum")
    return {value.number: value.name for value in enum.values}
