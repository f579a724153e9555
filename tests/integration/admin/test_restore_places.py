"""Where backups and restored folders come to be: empty disks, and blob folders of their own."""

import importlib
import os
from pathlib import Path

import pytest

from ingest_grpc.admin import AdminError, backup, check, create_key, folders, list_keys, restore
from ingest_grpc.config import Settings
from tests.factories import Core


def apart(core: Core, name: str) -> Settings:
    """A new data folder of this name, and a blob folder of its own beside it."""
    folder = core.settings.data_dir.parent
    return core.settings.model_copy(update={"data_dir": folder / name, "blobs_url": f"file://{folder}/blobs"})


def new_disk(folder: Path) -> int:
    """As it is mounted: a folder that cannot be replaced, and is never quite empty. Returns its inode."""
    (folder / "lost+found").mkdir(parents=True)
    return folder.stat().st_ino


async def test_backup_and_restore__onto_empty_disks(core: Core, tmp_path: Path) -> None:
    await core.uploads(2)
    target, restored = tmp_path / "backup", core.settings.model_copy(update={"data_dir": tmp_path / "restored"})
    inodes = new_disk(target), new_disk(restored.data_dir)
    await backup(core.settings, target)
    assert (await restore(restored, target)).problems == []
    assert (await check(restored)).problems == []
    assert inodes == (target.stat().st_ino, restored.data_dir.stat().st_ino)
    assert sorted(os.listdir(target)) == ["blobs", "ledger.sqlite3", "lost+found", "manifest.json"]
    assert sorted(os.listdir(restored.data_dir)) == ["blobs", "ledger.sqlite3", "lost+found"]


async def test_backup__of_a_folder_that_only_keys_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    await create_key(settings, team="a", user="a", scopes=["READ"])
    assert (await backup(settings, tmp_path / "backup")).problems == []
    restored = Settings(data_dir=tmp_path / "restored")
    assert (await restore(restored, tmp_path / "backup")).problems == []
    assert len(await list_keys(restored)) == 1


async def test_backup__without_the_folder_of_its_blobs_is_refused(core: Core, tmp_path: Path) -> None:
    await core.uploads(1)
    moved = core.settings.model_copy(update={"blobs_url": f"file://{tmp_path}/unmounted"})
    with pytest.raises(AdminError, match=r"no folder .*/unmounted, where the bytes of files should be"):
        await backup(moved, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


async def test_backup__killed_on_a_disk_is_known_as_unfinished(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await core.uploads(1)
    target = tmp_path / "backup"
    new_disk(target)
    moved = []

    def killed_before_the_manifest(source: Path, target: Path) -> None:
        if target.name == "manifest.json":
            raise KeyboardInterrupt
        moved.append(target.name)
        source.rename(target)

    with monkeypatch.context() as killed:
        killed.setattr(folders._files, "rename", killed_before_the_manifest)
        killed.setattr("shutil.rmtree", lambda *_arguments, **_named: None)
        with pytest.raises(KeyboardInterrupt):
            await backup(core.settings, target)
    assert moved == ["blobs", "ledger.sqlite3"]
    with pytest.raises(AdminError, match=r"holds \.backup\.partial-\w+, of an attempt that did not end"):
        await backup(core.settings, target)
    with pytest.raises(AdminError, match="no backup"):
        await restore(apart(core, "restored"), target)


async def test_restore__killed_between_blobs_and_ledger_can_be_repeated(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await core.uploads(2)
    await backup(core.settings, tmp_path / "backup")
    settings, blobs = apart(core, "restored"), tmp_path / "blobs"
    take_name = folders._take_name

    def killed_before_the_ledger(partial: Path, target: Path) -> None:
        if target == settings.data_dir:
            raise KeyboardInterrupt
        take_name(partial, target)

    with monkeypatch.context() as killed:
        killed.setattr(folders, "_take_name", killed_before_the_ledger)
        killed.setattr("shutil.rmtree", lambda *_arguments, **_named: None)
        killed.setattr(importlib.import_module("ingest_grpc.admin.restore"), "_clear_unfinished", lambda _root: None)
        with pytest.raises(KeyboardInterrupt):
            await restore(settings, tmp_path / "backup")
    assert (blobs / ".restoring").exists()
    assert not settings.data_dir.exists()

    assert (await restore(settings, tmp_path / "backup")).problems == []
    assert (await check(settings)).problems == []
    assert not (blobs / ".restoring").exists()
    with pytest.raises(AdminError, match="not empty"):
        await restore(apart(core, "another"), tmp_path / "backup")
    assert (await check(settings)).problems == []


async def test_restore__clears_no_blobs_that_a_server_has_used(core: Core, tmp_path: Path) -> None:
    """A mark that a power cut brought back, beside a ledger that was moved away since."""
    await core.uploads(2)
    await backup(core.settings, tmp_path / "backup")
    settings, blobs = apart(core, "restored"), tmp_path / "blobs"
    await restore(settings, tmp_path / "backup")
    (blobs / ".restoring").write_bytes(os.fsencode(settings.ledger_path))
    (blobs / "staging").mkdir()
    before = sorted(blobs.rglob("*"))
    settings.data_dir.rename(tmp_path / "moved")

    with pytest.raises(AdminError, match="not empty"):
        await restore(settings, tmp_path / "backup")
    assert sorted(blobs.rglob("*")) == before


async def test_restore__that_cannot_end_leaves_no_blobs(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await core.uploads(1)
    await backup(core.settings, tmp_path / "backup")
    settings = apart(core, "restored")
    take_name = folders._take_name

    def filled_meanwhile(partial: Path, target: Path) -> None:
        if target == settings.data_dir:
            (target / "other").mkdir(parents=True)
        take_name(partial, target)

    monkeypatch.setattr(folders, "_take_name", filled_meanwhile)
    with pytest.raises(AdminError, match="filled by somebody else"):
        await restore(settings, tmp_path / "backup")
    assert os.listdir(tmp_path / "blobs") == []
    assert os.listdir(settings.data_dir) == ["other"]
