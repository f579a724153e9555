"""Public ids: a prefix that says what the thing is, and a random UUID."""

import re
import uuid
from enum import StrEnum

from ingest_grpc.errors import Reason, invalid, quoted


class Prefix(StrEnum):
    """What an id names."""

    JOB = "dj"
    INGESTION_JOB = "ij"
    RECORD = "ijf"
    FILE = "file"
    OUTPUT_FILE = "md-file"
    ALIGNMENT = "al"
    UPLOAD = "up"
    KNOWLEDGE_BASE = "kb"
    DATA_SOURCE = "ds"
    DOCUMENT = "doc"  # inside of the service alone


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(rf"({'|'.join(Prefix)})-{_UUID}")


def new_id(prefix: Prefix) -> str:
    """A new id, for example dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d."""
    return f"{prefix}-{uuid.uuid4()}"


def is_id(value: str, *prefixes: Prefix) -> bool:
    """Whether `value` is a well-formed id with one of the prefixes."""
    match = _ID.fullmatch(value)
    return match is not None and match[1] in prefixes


def check_id(value: str, field: str, *prefixes: Prefix) -> str:
    """`value` itself, if it is such an id. Raises INVALID_ID naming `field`."""
    if not is_id(value, *prefixes):
        expected = form(*prefixes)
        raise invalid(
            field, f"{quoted(value)} is not of the form {expected}", Reason.INVALID_ID, {"expected": expected}
        )
    return value


def form(*prefixes: Prefix) -> str:
    """What ids with one of these prefixes look like, in words for people."""
    return " or ".join(f"{prefix}-<uuid>" for prefix in prefixes)
