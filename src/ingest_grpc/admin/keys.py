"""API keys, while the server runs or not; see docs/decisions/0004-keys-on-a-live-server.md."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ingest_grpc.admin.errors import AdminError, ledger_errors, require_ledger
from ingest_grpc.clock import SystemClock
from ingest_grpc.config import Settings
from ingest_grpc.model import Scope
from ingest_grpc.service.keys import KeyService
from ingest_grpc.store.interface import ApiKey, LedgerLocked
from ingest_grpc.store.sqlite.guest import GuestStore
from ingest_grpc.store.sqlite.store import SqliteStore

MAX_NAME_CHARACTERS = 100


async def create_key(
    settings: Settings, *, team: str, user: str, scopes: Sequence[str], max_priority: int = 0
) -> tuple[str, str]:
    """Makes a key, and the ledger if there is none. Returns (key id, secret); raises AdminError.

    A running server accepts the key at once: it asks the ledger about every secret that it does not know.
    """
    _check_name("team", team)
    _check_name("user", user)
    granted = _scopes(scopes)
    if max_priority not in range(10):
        raise AdminError(f"max priority {max_priority} is not 0 to 9", "Choose a priority from 0 to 9.")
    async with _keys(settings) as keys:
        key, secret = await keys.create(team, user, granted, max_priority)
    return key.key_id, secret


async def list_keys(settings: Settings) -> list[ApiKey]:
    """All keys, oldest first, revoked ones included. Raises AdminError."""
    require_ledger(settings.ledger_path)
    with ledger_errors(settings.ledger_path):
        return await _guest(settings).list()


async def revoke_key(settings: Settings, key_id: str) -> bool:
    """Whether there was such a key that was not revoked yet. Raises AdminError.

    A running server refuses it within keys.CACHE_SECONDS.
    """
    require_ledger(settings.ledger_path)
    async with _keys(settings) as keys:
        return await keys.revoke(key_id)


@asynccontextmanager
async def _keys(settings: Settings) -> AsyncIterator[KeyService]:
    """Writes as the ledger's owner, or as a guest of the server that owns it."""
    clock = SystemClock()
    store = SqliteStore(settings.ledger_path, clock, readers=1, busy_timeout_seconds=settings.busy_timeout_seconds)
    with ledger_errors(settings.ledger_path):
        if not await _owned(store):
            yield _guest(settings)
            return
        try:
            yield KeyService(store, clock)
        finally:
            await store.stop()


async def _owned(store: SqliteStore) -> bool:
    """Whether the store could be started; not while a server owns the ledger."""
    try:
        await store.start()
    except LedgerLocked:
        return False
    return True


def _guest(settings: Settings) -> KeyService:
    return KeyService(GuestStore(settings.ledger_path, settings.busy_timeout_seconds), SystemClock())


def _check_name(what: str, name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        fix = f"Use 1 to {MAX_NAME_CHARACTERS} printable characters."
        raise AdminError(f"{name!r} is no name of a {what}.", fix)


def _scopes(scopes: Sequence[str]) -> list[Scope]:
    try:
        granted = [Scope(scope.upper()) for scope in scopes]
    except ValueError as error:
        raise AdminError(f"There is no scope {error.args[0].split(' ')[0]}.", _SCOPES_FIX) from error
    if not granted:
        raise AdminError("A key needs a scope.", _SCOPES_FIX)
    return granted


_SCOPES_FIX = f"Use one of {', '.join(scope.lower() for scope in Scope)}."
