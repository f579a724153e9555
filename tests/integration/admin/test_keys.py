"""API keys, with and without a server that owns the ledger."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from ingest_grpc.admin import AdminError, create_key, list_keys, revoke_key
from ingest_grpc.config import Settings
from ingest_grpc.model import Scope
from ingest_grpc.store.sqlite.schema import NewerSchema, connect_writer
from tests.integration.admin.conftest import Owner

Own = Callable[[Settings], Owner]


async def test_create_key__makes_the_ledger_and_a_server_knows_the_key(settings: Settings, own: Own) -> None:
    key_id, secret = await create_key(settings, team="search", user="crawler", scopes=["WRITE", "read"])

    [key] = await list_keys(settings)
    assert (key.key_id, key.team_id, key.user_id) == (key_id, "search", "crawler")
    assert key.scopes == {Scope.READ, Scope.WRITE}
    assert key.revoked_at is None
    assert own(settings).ask(f"who {secret}") == "crawler"


async def test_keys__created_and_revoked_while_another_process_owns_the_ledger(settings: Settings, own: Own) -> None:
    server = own(settings)

    key_id, secret = await create_key(settings, team="search", user="crawler", scopes=["READ"])
    assert server.ask(f"who {secret}") == "crawler"
    assert [key.key_id for key in await list_keys(settings)] == [key_id]

    assert await revoke_key(settings, key_id)
    assert server.ask(f"who {secret}") == "CREDENTIALS_INVALID"
    assert not await revoke_key(settings, key_id)


async def test_create_key__beside_a_server_never_checkpoints(settings: Settings, own: Own) -> None:
    # Two connections that checkpoint lose commits in SQLite up to 3.51.2: only the owner may.
    await create_key(settings, team="a", user="a", scopes=["READ"])
    server = own(settings)
    server.ask("fill 8000000")  # beyond the 1,000 pages at which any other connection would checkpoint
    before = _sha256(settings)

    await create_key(settings, team="b", user="b", scopes=["READ"])
    assert _sha256(settings) == before

    # The control: an ordinary connection does it at once.
    with closing(connect_writer(settings.ledger_path, 1.0)) as connection:
        connection.execute("UPDATE api_keys SET user_id = 'c'")
    assert _sha256(settings) != before


async def test_create_key__while_the_server_writes_waits_for_it(settings: Settings, own: Own) -> None:
    own(settings)
    with closing(sqlite3.connect(settings.ledger_path, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(AdminError, match="locked"):
            await create_key(settings, team="a", user="a", scopes=["READ"])

    await create_key(settings, team="a", user="a", scopes=["READ"])


async def test_create_key__beside_a_server_of_another_version_is_refused(settings: Settings, own: Own) -> None:
    own(settings)
    with closing(sqlite3.connect(settings.ledger_path)) as other:
        other.execute("PRAGMA user_version = 999")

    with pytest.raises(AdminError, match="schema 999") as caught:
        await create_key(settings, team="a", user="a", scopes=["READ"])

    assert caught.value.fix == NewerSchema.fix
    assert "start the server" not in caught.value.fix, "it would refuse"

    with closing(sqlite3.connect(settings.ledger_path)) as other:
        other.execute("PRAGMA user_version = 1")
    with pytest.raises(AdminError, match="schema 1,") as caught:
        await create_key(settings, team="a", user="a", scopes=["READ"])
    assert "start the server of this version" in caught.value.fix


@pytest.mark.parametrize(
    ("team", "user", "scopes", "message"),
    [
        ("", "a", ["READ"], "no name of a team"),
        ("a", " ", ["READ"], "no name of a user"),
        ("a", "b\n", ["READ"], "no name of a user"),
        ("x" * 101, "a", ["READ"], "no name of a team"),
        ("a", "a", ["ROOT"], "no scope 'ROOT'"),
        ("a", "a", [], "needs a scope"),
    ],
)
async def test_create_key__refuses(settings: Settings, team: str, user: str, scopes: list[str], message: str) -> None:
    with pytest.raises(AdminError, match=message):
        await create_key(settings, team=team, user=user, scopes=scopes)
    assert not settings.data_dir.exists()


async def test_list_and_revoke__say_that_there_is_no_ledger(settings: Settings) -> None:
    with pytest.raises(AdminError, match="no ledger"):
        await list_keys(settings)
    with pytest.raises(AdminError, match="no ledger"):
        await revoke_key(settings, "key-1")
    assert not settings.data_dir.exists()


async def test_keys__in_a_folder_whose_name_is_hard_to_quote(settings: Settings, own: Own) -> None:
    odd = settings.model_copy(update={"data_dir": settings.data_dir / "50% #1?mode=rwc"})
    own(odd)

    await create_key(odd, team="a", user="a", scopes=["READ"])

    assert len(await list_keys(odd)) == 1


def _sha256(settings: Settings) -> str:
    return hashlib.sha256(settings.ledger_path.read_bytes()).hexdigest()
