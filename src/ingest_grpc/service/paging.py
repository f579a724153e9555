"""Page tokens: opaque, and bound to the team, the list and its filter."""

import base64
import hashlib
import json

from ingest_grpc.errors import IngestError, Reason

_BINDING_BYTES = 9


def _binding(team: str, list_name: str, filters: object) -> bytes:
    text = json.dumps([team, list_name, filters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).digest()[:_BINDING_BYTES]


def encode_cursor(team: str, list_name: str, filters: object, cursor: tuple[str | int, int]) -> str:
    """A token that continues this very list after a value of its order and a row."""
    raw = _binding(team, list_name, filters) + json.dumps(cursor).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(team: str, list_name: str, filters: object, token: str) -> tuple[str | int, int] | None:
    """The cursor of a token, None for an empty one. Raises INVALID_PAGE_TOKEN for a token of another list."""
    if not token:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if raw[:_BINDING_BYTES] != _binding(team, list_name, filters):
            raise ValueError("the token of another list")
        value, row_id = json.loads(raw[_BINDING_BYTES:])
        if not (isinstance(value, str | int) and isinstance(row_id, int)):
            raise TypeError("not a cursor")
    except (ValueError, TypeError, RecursionError):
        raise IngestError(Reason.INVALID_PAGE_TOKEN) from None
    return value, row_id


def encode_token(team: str, list_name: str, filters: object, cursor: int) -> str:
    """A token that continues this very list after a row."""
    return encode_cursor(team, list_name, filters, (0, cursor))


def decode_token(team: str, list_name: str, filters: object, token: str) -> int | None:
    """The row of a token, None for an empty one. Raises INVALID_PAGE_TOKEN for a token of another list."""
    cursor = decode_cursor(team, list_name, filters, token)
    return None if cursor is None else cursor[1]
