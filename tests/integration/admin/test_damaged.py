"""Files that are no databases any more: each command says what to do about them."""

from pathlib import Path

import pytest

from ingest_grpc.admin import AdminError, check, create_key
from ingest_grpc.config import Settings
from ingest_grpc.pipeline.index.interface import IndexUnusable


@pytest.mark.parametrize("repair", [False, True])
async def test_check__of_a_damaged_ledger_says_what_to_do(tmp_path: Path, repair: bool) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.ledger_path.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(AdminError, match="not a database") as caught:
        await check(settings, repair=repair)
    assert "admin restore" in caught.value.fix


async def test_check__of_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    await create_key(settings, team="a", user="a", scopes=["READ"])
    settings.index_path.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(IndexUnusable, match="the index of knowledge bases failed: NotADBError"):
        await check(settings)
