"""Reads single fields of a request and collects everything that is wrong with them.

A reader never raises: it notes a violation under the field's path in proto names and returns a value that nobody will
use, because leaving the block raises once the whole request was read. So a caller learns of all its mistakes at once:

    with Fields() as fields:
        return GetJob(fields.id("job_id", message.job_id, Prefix.JOB))
"""

import hashlib
import re
from collections.abc import Mapping, Sequence, Sized
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc import ids, model
from ingest_grpc.errors import IngestError, Reason, Violation, quoted
from ingest_grpc.wire.enums import E, EnumTable
from ingest_grpc.wire.status import MAX_VIOLATIONS
from ingest_grpc.wire.times import NANOSECONDS, is_time, microseconds_of, seconds_of

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
MAX_ITEMS = 1_000
"""Most files or ids in one call."""

MAX_EXTERNAL_ID = 128
MAX_LABELS = 64
MAX_LABEL = 63
MAX_PRIORITY = 9
MAX_ENUMS = 100
"""Most values of an enum in one filter."""

MAX_PATHS = 100
"""Most paths of an update_mask."""

MAX_ETAG = 64
"""Most characters of an etag, and of a ledger's id: the service's own have fewer."""

MAX_TOKEN = 8_192
"""Most characters of a token: that of a list by name holds 255 characters, escaped and encoded."""

_REQUEST_ID = re.compile(r"[ -~]{1,64}")


class Fields:
    """What was found wrong with one request so far."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []
        self._total = 0
        self._reasons: set[Reason] = set()
        self._forms: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raises one error with all violations: with their reason where it is the same for all of them."""
        if kind is None and self._violations:
            reason = self._reasons.pop() if len(self._reasons) == 1 else Reason.INVALID_FIELD
            metadata = {"expected": " or ".join(self._forms)} if reason is Reason.INVALID_ID else {}
            raise IngestError(reason, metadata, violations=tuple(self._violations), violations_total=self._total)

    def wrong(self, field: str, description: str, reason: Reason = Reason.INVALID_FIELD) -> None:
        """Notes a violation; more than a status shows are only counted."""
        self._total += 1
        self._reasons.add(reason)
        if self._total <= MAX_VIOLATIONS:
            self._violations.append(Violation(field, description))

    def text(self, field: str, value: str, *, characters: int | None = None, size_bytes: int | None = None) -> str:
        """Text of at most so many characters, or bytes of UTF-8. Longer text is read as empty: nobody works on it."""
        if "\0" in value:
            self.wrong(field, "must not contain NUL characters")
        if characters is not None and len(value) > characters:
            self.wrong(field, f"has {len(value):,} characters, at most {characters:,} are allowed")
            return ""
        # A character has at most 4 bytes: most texts need no encoding to be known as short enough.
        if size_bytes is not None and 4 * len(value) > size_bytes and (size := len(value.encode())) > size_bytes:
            self.wrong(field, f"has {size:,} bytes, at most {size_bytes:,} are allowed")
            return ""
        return value

    def required_text(self, field: str, value: str, *, characters: int) -> str:
        """Text that is not blank."""
        if not value.strip():
            self.wrong(field, "is required")
        return self.text(field, value, characters=characters)

    def id(self, field: str, value: str, *prefixes: ids.Prefix) -> str:
        """A well-formed id with one of the prefixes."""
        try:
            ids.check_id(value, field, *prefixes)
        except IngestError as error:
            self._forms[ids.form(*prefixes)] = None
            self.wrong(field, error.violations[0].description if value else "is required", error.reason)
        return value

    def optional_id(self, field: str, value: str, *prefixes: ids.Prefix) -> str | None:
        """A well-formed id, or None for the empty string."""
        return self.id(field, value, *prefixes) if value else None

    def knowledge_base(self, value: str) -> str | None:
        """The id of a knowledge base in the field of that name, or None for the empty string."""
        return self.optional_id("knowledge_base_id", value, ids.Prefix.KNOWLEDGE_BASE)

    def etag(self, field: str, value: str) -> str:
        """An etag as the service returned it, empty for none."""
        return self.text(field, value, characters=MAX_ETAG)

    def page_token(self, value: str) -> str:
        """The token of a list's next page, empty for the first; the service, which made it, checks what it says."""
        return self.text("page_token", value, characters=MAX_TOKEN)

    def changed(self, message: Message, updatable: Sequence[str]) -> set[str]:
        """Names of the fields to change: the paths of the update_mask, or without any the fields that are present."""
        paths: Sequence[str] = message.update_mask.paths  # type: ignore[attr-defined]  # every update's message has one
        if not paths:
            return {field.name for field, _ in message.ListFields()} & set(updatable)
        if not self.fits("update_mask.paths", paths, MAX_PATHS):
            return set()
        for index, path in enumerate(paths):
            if path not in updatable:
                self.wrong(f"update_mask.paths[{index}]", f"{quoted(path)} is not one of {', '.join(updatable)}")
        return set(paths) & set(updatable)

    def fits(self, field: str, values: Sized, most: int = MAX_ITEMS) -> bool:
        """Whether a list or map is short enough to be read; if not, that is its one violation."""
        if len(values) > most:
            self.wrong(field, f"has {len(values):,} items, at most {most:,} are allowed")
        return len(values) <= most

    def id_list(self, field: str, values: Sequence[str], *prefixes: ids.Prefix) -> tuple[str, ...]:
        """At most 1,000 well-formed ids."""
        if not self.fits(field, values):
            return ()
        return tuple(self.id(f"{field}[{index}]", value, *prefixes) for index, value in enumerate(values))

    def optional_enum(self, field: str, number: int, table: EnumTable[E]) -> E | None:
        """An enum member, or None for UNSPECIFIED."""
        member = table.members.get(number)
        if member is None and number != 0:
            self.wrong(field, f"has the unknown value {number}")
        return member

    def required_enum(self, field: str, number: int, table: EnumTable[E]) -> E:
        """An enum member; UNSPECIFIED is refused."""
        member = self.optional_enum(field, number, table)
        if member is not None:
            return member
        if number == 0:
            self.wrong(field, "is required")
        return next(iter(table.members.values()))

    def enum_list(self, field: str, numbers: Sequence[int], table: EnumTable[E]) -> tuple[E, ...]:
        """Enum members in the order given, each once; UNSPECIFIED is refused."""
        if not self.fits(field, numbers, MAX_ENUMS):
            return ()
        read = (self.required_enum(f"{field}[{index}]", number, table) for index, number in enumerate(numbers))
        return tuple(dict.fromkeys(read))

    def external_id(self, field: str, value: str) -> str | None:
        """The caller's own key, or None for the empty string."""
        if value and not (len(value) <= MAX_EXTERNAL_ID and value.isprintable()):
            self.wrong(field, f"must be 1 to {MAX_EXTERNAL_ID} printable characters")
        return value or None

    def labels(self, field: str, values: Mapping[str, str]) -> dict[str, str]:
        """At most 64 labels of at most 63 characters on each side."""
        if not self.fits(field, values, MAX_LABELS):
            return {}
        for key, value in values.items():
            if not (0 < len(key) <= MAX_LABEL and key.isprintable()):
                self.wrong(field, f"has the key {quoted(key)}, which is not 1 to {MAX_LABEL} printable characters")
            if len(value) > MAX_LABEL or not value.isprintable():
                self.wrong(f"{field}[{key[:80]}]", f"is not at most {MAX_LABEL} printable characters")
        return dict(values)

    def priority(self, field: str, value: int) -> int:
        """A priority, 0 to 9."""
        if value not in range(MAX_PRIORITY + 1):
            self.wrong(field, f"must be 0 to {MAX_PRIORITY}")
        return value

    def count(self, field: str, value: int) -> int:
        """A number that is not negative."""
        if value < 0:
            self.wrong(field, "must not be negative")
        return value

    def time(self, field: str, message: Message) -> int | None:
        """A Timestamp of the message in UTC microseconds, or None where it is absent."""
        if not message.HasField(field):
            return None
        timestamp: Timestamp = getattr(message, field)
        if not is_time(timestamp):
            self.wrong(field, "must be a time of the years 1 to 9999, with 0 to 999,999,999 nanos")
        return microseconds_of(timestamp)

    def seconds(self, field: str, message: Message, least: int, most: int) -> float | None:
        """A Duration of the message, at least 0, or None where it is absent."""
        if not message.HasField(field):
            return None
        duration: Duration = getattr(message, field)
        seconds = seconds_of(duration)
        if not (0 <= duration.nanos < NANOSECONDS and least <= seconds <= most):
            self.wrong(field, f"must be {least:,} to {most:,} seconds")
        return seconds

    def page_size(self, value: int) -> int:
        """The page size in force: 0 = 50, more than 1,000 counts as 1,000."""
        self.count("page_size", value)
        return min(value, MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE

    def request(self, message: Message, method: str, field: str = "request_id") -> model.Request | None:
        """The idempotency key of a mutation, or None without one. `message` has a field request_id.

        `method` is the full name of the RPC, `field` the path of the request_id for violations.
        """
        request_id: str = message.request_id  # type: ignore[attr-defined]  # every mutation's message has one
        if not request_id:
            return None
        if not _REQUEST_ID.fullmatch(request_id):
            self.wrong(field, "must be 1 to 64 printable ASCII characters")
        if self._violations:
            return None  # a request that is refused may be of any size, and needs no hash
        return model.Request(method, request_id, payload_hash(message))


def payload_hash(message: Message) -> bytes:
    """SHA-256 of a message without its request_id, and the view of its reply: equal where the same is to be done."""
    payload = type(message)()
    payload.CopyFrom(message)
    for name in ("request_id", "view"):
        if name in payload.DESCRIPTOR.fields_by_name:
            payload.ClearField(name)
    return hashlib.sha256(payload.SerializeToString(deterministic=True)).digest()
