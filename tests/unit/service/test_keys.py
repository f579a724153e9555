import asyncio

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Scope
from ingest_grpc.service.keys import CACHE_SECONDS, LOCAL, SECRET_PREFIX
from tests.factories import Core


async def refused(core: Core, secret: str | None) -> Reason:
    with pytest.raises(IngestError) as caught:
        await core.keys.authenticate(secret)
    return caught.value.reason


async def test_without_any_key__everyone_is_local(core: Core) -> None:
    assert await core.keys.authenticate(None) is LOCAL
    assert (LOCAL.team_id, LOCAL.scopes) == ("local", frozenset(Scope))
    assert await refused(core, "igk_nonsense") is Reason.CREDENTIALS_INVALID


async def test_first_key__closes_the_door_at_once(core: Core) -> None:
    assert await core.keys.authenticate(None) is LOCAL
    await core.keys.create("team", "user", [Scope.READ])
    assert await refused(core, None) is Reason.CREDENTIALS_MISSING


async def test_first_key__that_another_process_made_closes_it_within_the_cache_time(core: Core) -> None:
    assert await core.keys.authenticate(None) is LOCAL
    key, _ = await core.keys.create("team", "user", [Scope.READ])
    core.keys._open_until = core.clock.monotonic() + CACHE_SECONDS  # as if this service had not heard of it
    assert await core.keys.authenticate(None) is LOCAL
    core.clock.advance(CACHE_SECONDS)
    assert await refused(core, None) is Reason.CREDENTIALS_MISSING
    assert [one.key_id for one in await core.keys.list()] == [key.key_id]


@pytest.mark.parametrize(
    ("scopes", "widened"),
    [
        ([Scope.READ], {Scope.READ}),
        ([Scope.WRITE], {Scope.READ, Scope.WRITE}),
        ([Scope.ADMIN], set(Scope)),
        ([Scope.READ, Scope.WRITE], {Scope.READ, Scope.WRITE}),
    ],
)
async def test_authenticate__tells_team_user_and_scopes(core: Core, scopes: list[Scope], widened: set[Scope]) -> None:
    key, secret = await core.keys.create("team", "user", scopes)
    assert await core.keys.authenticate(secret) == Caller("team", "user", frozenset(widened), key.key_id, 0)
    assert key.scopes == set(scopes)


async def test_secret__is_long_random_and_stored_nowhere(core: Core) -> None:
    secrets = [(await core.keys.create("team", "user", [Scope.READ]))[1] for _ in range(2)]
    assert secrets[0] != secrets[1]
    for secret in secrets:
        assert secret.startswith(SECRET_PREFIX)
        assert len(secret) >= len(SECRET_PREFIX) + 43
    await core.store.stop()
    stored = core.settings.ledger_path.read_bytes()
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret.removeprefix(SECRET_PREFIX).encode() not in stored


async def test_revoke__is_heard_when_the_cache_expires(core: Core) -> None:
    key, secret = await core.keys.create("team", "user", [Scope.READ])
    caller = await core.keys.authenticate(secret)
    assert await core.keys.revoke(key.key_id)
    core.clock.advance(CACHE_SECONDS - 0.001)
    assert await core.keys.authenticate(secret) == caller
    core.clock.advance(0.001)
    assert await refused(core, secret) is Reason.CREDENTIALS_INVALID
    assert await refused(core, secret) is Reason.CREDENTIALS_INVALID
    [listed] = await core.keys.list()
    assert listed.revoked_at is not None


async def test_revoke__twice_or_of_an_unknown_key(core: Core) -> None:
    key, _ = await core.keys.create("team", "user", [Scope.READ])
    assert await core.keys.revoke(key.key_id)
    assert not await core.keys.revoke(key.key_id)
    assert not await core.keys.revoke("key-unknown")


async def test_revoke__of_the_last_key_does_not_open_the_door_again(core: Core) -> None:
    key, _ = await core.keys.create("team", "user", [Scope.READ])
    await core.keys.revoke(key.key_id)
    core.clock.advance(3600)
    assert await refused(core, None) is Reason.CREDENTIALS_MISSING
    await core.reopen()
    assert await core.keys.any_key()
    assert await refused(core, None) is Reason.CREDENTIALS_MISSING


async def test_authenticate__asks_the_ledger_once_per_cache_time(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = await core.keys.create("team", "user", [Scope.READ])
    reads: list[None] = []
    read = core.store.read

    async def counted(unit: object) -> object:
        reads.append(None)
        return await read(unit)  # type: ignore[arg-type]

    monkeypatch.setattr(core.store, "read", counted)
    for _ in range(10):
        await core.keys.authenticate(secret)
    assert len(reads) == 1
    core.clock.advance(CACHE_SECONDS)
    await asyncio.gather(*(core.keys.authenticate(secret) for _ in range(3)))
    assert len(reads) <= 4
