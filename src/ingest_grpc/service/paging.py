"""Tokens that continue a list or a watch: opaque, and bound to the team, to what they continue, and to its filter."""

import base64
import hashlib
import json
from typing import Any

from ingest_grpc.errors import IngestError, Reason

MAX_TOTAL = 10_000
"""The total of a list is counted up to here."""

_BINDING_BYTES = 9


class Tokens:
    """The tokens of one list or watch."""

    def __init__(self, team: str, name: str, filters: object) -> None:
        text = json.dumps([team, name, filters], sort_keys=True, default=str)
        self._binding = hashlib.sha256(text.encode()).digest()[:_BINDING_BYTES]

    def encode(self, position: Any) -> str:
        """A token for a position that JSON can hold."""
        raw = self._binding + json.dumps(position).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def decode(self, token: str) -> Any:
        """The position. Raises ValueError for what is no token, or one of another list."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if raw[:_BINDING_BYTES] != self._binding:
                raise ValueError("the token of another list")
            return json.loads(raw[_BINDING_BYTES:])
        except RecursionError:
            raise ValueError("not a position") from None


def fits(value: object) -> bool:
    """Whether a value is an integer of the ledger; whoever knows how tokens are made can forge others."""
    return isinstance(value, int) and -(2**63) <= value < 2**63


def encode_cursor(team: str, list_name: str, filters: object, cursor: tuple[str | int, int]) -> str:
    """A token that continues this very list after a value of its order and a row."""
    return Tokens(team, list_name, filters).encode(cursor)


def decode_cursor(team: str, list_name: str, filters: object, token: str) -> tuple[str | int, int] | None:
    """The cursor of a token, None for an empty one. Raises INVALID_PAGE_TOKEN for a token of another list."""
    if not token:
        return None
    try:
        value, row_id = Tokens(team, list_name, filters).decode(token)
        if not (fits(row_id) and (isinstance(value, str) or fits(value))):
            raise TypeError("not a cursor")
        str(value).encode()  # JSON allows half of a surrogate pair, the ledger does not
    except (ValueError, TypeError):
        raise IngestError(Reason.INVALID_PAGE_TOKEN) from None
    return value, row_id


def encode_token(team: str, list_name: str, filters: object, cursor: int) -> str:
    """A token that continues this very list after a row."""
    return encode_cursor(team, list_name, filters, (0, cursor))


def decode_token(team: str, list_name: str, filters: object, token: str) -> int | None:
    """The row of a token, None for an empty one. Raises INVALID_PAGE_TOKEN for a token of another list."""
    cursor = decode_cursor(team, list_name, filters, token)
    return None if cursor is None else cursor[1]
