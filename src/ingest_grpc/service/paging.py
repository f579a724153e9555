"""Page tokens: opaque, and bound to the team, the list and its filter."""

import base64
import binascii
import hashlib
import json

from ingest_grpc.errors import IngestError, Reason

_BINDING_BYTES = 9


def _binding(team: str, list_name: str, filters: object) -> bytes:
    text = json.dumps([team, list_name, filters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).digest()[:_BINDING_BYTES]


def encode_token(team: str, list_name: str, filters: object, cursor: int) -> str:
    """A token that continues this very list after `cursor`."""
    raw = _binding(team, list_name, filters) + cursor.to_bytes(8, "big", signed=True)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_token(team: str, list_name: str, filters: object, token: str) -> int | None:
    """The cursor of a token, None for an empty one. Raises INVALID_PAGE_TOKEN for a token of another list."""
    if not token:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _BINDING_BYTES + 8 or raw[:_BINDING_BYTES] != _binding(team, list_name, filters):
        raise IngestError(Reason.INVALID_PAGE_TOKEN)
    return int.from_bytes(raw[_BINDING_BYTES:], "big", signed=True)  # as the ledger's integers: a forged one fits too
