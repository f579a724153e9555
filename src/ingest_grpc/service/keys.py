"""KeyService: who is calling. Team and user come from here and from nowhere else."""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Mapping, Set

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Scope
from ingest_grpc.store.interface import ApiKey, Units

SECRET_PREFIX = "igk_"
CACHE_SECONDS = 5.0
"""How long a key is believed without asking the ledger: a revoked key works at most this much longer."""

CACHE_SIZE = 10_000

DEFAULT_MAX_PRIORITY = 0
"""Unless a key allows more, its callers wait their turn like everybody else."""

LOCAL = Caller("local", "local", frozenset(Scope))
"""Everyone on loopback, as long as no key was ever made."""

_INCLUDED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
}


def widened(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes with all that they include."""
    return frozenset().union(*(_INCLUDED[scope] for scope in scopes))


def secret_hash(secret: str) -> bytes:
    """A plain SHA-256 is enough: the secret is 256 random bits, not a password."""
    return hashlib.sha256(secret.encode()).digest()


class KeyService:
    """Makes, lists, revokes and recognises API keys."""

    def __init__(self, store: Units, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._open_until = -1.0

    async def authenticate(self, secret: str | None) -> Caller:
        """The caller with this secret. Raises CREDENTIALS_MISSING and CREDENTIALS_INVALID."""
        now = self._clock.monotonic()
        if secret is None:
            if await self._is_open(now):
                return LOCAL
            raise IngestError(Reason.CREDENTIALS_MISSING)
        hashed = secret_hash(secret)
        cached = self._known.get(hashed)
        if cached is not None and cached[0] > now:
            return cached[1]
        key = await self._store.read(lambda rows: rows.api_key_by_hash(hashed))
        if key is None:
            self._known.pop(hashed, None)
            raise IngestError(Reason.CREDENTIALS_INVALID)
        caller = Caller(key.team_id, key.user_id, widened(key.scopes), key.key_id, key.max_priority)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[hashed] = (now + CACHE_SECONDS, caller)
        return caller

    async def refusals(self, callers: Set[Caller]) -> Mapping[Caller, IngestError]:
        """Those who were let in once and would not be now: their key was revoked, or a first key was made."""
        if not callers:
            return {}
        keys = await self.list()
        valid = {key.key_id for key in keys if key.revoked_at is None}
        missing, invalid = IngestError(Reason.CREDENTIALS_MISSING), IngestError(Reason.CREDENTIALS_INVALID)
        unnamed = {one: missing for one in callers if one.key_id is None and keys}
        return unnamed | {one: invalid for one in callers if one.key_id is not None and one.key_id not in valid}

    async def any_key(self) -> bool:
        """Whether a key was ever made; from then on every call needs one."""
        return await self._store.read(lambda rows: rows.any_api_key())

    async def _is_open(self, now: float) -> bool:
        if now < self._open_until:
            return True
        if await self.any_key():
            return False
        self._open_until = now + CACHE_SECONDS
        return True

    async def create(
        self, team: str, user: str, scopes: Iterable[Scope], max_priority: int = DEFAULT_MAX_PRIORITY
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown once and stored nowhere."""
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(f"key-{uuid.uuid4()}", team, user, frozenset(scopes), self._clock.now(), None, max_priority)
        await self._store.write(lambda tx: tx.insert_api_key(key, secret_hash(secret)))
        self._open_until = -1.0
        return key, secret

    async def list(self) -> list[ApiKey]:
        return await self._store.read(lambda rows: rows.api_keys())

    async def revoke(self, key_id: str) -> bool:
        """Whether there was such a key that was not revoked yet."""
        return await self._store.write(lambda tx: tx.revoke_api_key(key_id, self._clock.now()))
