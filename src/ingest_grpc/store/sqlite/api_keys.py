"""Row to API key."""

import json

from ingest_grpc.model import Scope
from ingest_grpc.store.interface import ApiKey
from ingest_grpc.store.sqlite.statements import Row


def api_key_of(row: Row) -> ApiKey:
    """An API key without its secret."""
    return ApiKey(
        key_id=row["key_id"],
        team_id=row["team"],
        user_id=row["user_id"],
        scopes=frozenset(Scope(scope) for scope in json.loads(row["scopes"])),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        max_priority=row["max_priority"],
    )
