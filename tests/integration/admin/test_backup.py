"""Backup and restore over real ledgers and blobs."""

import asyncio
import importlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest_grpc.admin import AdminError, backup, check, folders, restore
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.config import Settings
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import JobFilter, NewJob
from ingest_grpc.service.sweep import sweep_blobs
from tests.factories import ALICE, Core, to_add
from tests.integration.admin.conftest import Owner


def other(core: Core, folder: str, **changes: object) -> Settings:
    return core.settings.model_copy(update={"data_dir": core.settings.data_dir.parent / folder, **changes})


async def fill(core: Core) -> None:
    """A job with every kind of record, and a file that was deleted."""
    added = await core.create(*await core.uploads(4), await core.markdown())
    await core.succeed(await core.claim_one())
    await core.fail(await core.claim_one())
    await core.retry(await core.claim_one())
    await core.claim_one()
    await core.files.delete(ALICE, (await core.upload("unused.pdf")).file_id, force=False, request=None)
    assert added.ingestion_job_id


async def ledger_id(core: Core) -> str:
    return await core.store.read(lambda rows: rows.ledger_id())


async def test_backup__restored_is_the_same_and_passes_the_check(core: Core, tmp_path: Path) -> None:
    await fill(core)
    target = tmp_path / "backups" / "monday"

    made = await backup(core.settings, target)
    restored = await restore(other(core, "restored"), target)

    assert (made.jobs, made.records, made.files, made.blobs) == (1, 4, 7, 6)
    assert (restored.jobs, restored.records, restored.files, restored.blobs) == (1, 4, 7, 6)
    assert made.problems == restored.problems == []
    assert (await check(other(core, "restored"))).problems == []
    manifest = json.loads((target / "manifest.json").read_bytes())
    assert manifest["ledger_id"] == made.ledger_id == await ledger_id(core)
    assert sorted(entry.name for entry in target.iterdir()) == ["blobs", "ledger.sqlite3", "manifest.json"]


async def test_restore__gives_the_ledger_a_new_identity(core: Core, tmp_path: Path) -> None:
    await fill(core)
    before = await ledger_id(core)
    await backup(core.settings, tmp_path / "backup")

    report = await restore(other(core, "restored"), tmp_path / "backup")

    again = Core(tmp_path / "restored")
    await again.start()
    assert await ledger_id(again) == report.ledger_id != report.restored_ledger_id == before
    [job] = (await again.jobs.list(ALICE, JobFilter(), page_size=10, page_token="")).items
    assert job.tally == (await core.job(job.job_id)).tally
    await again.stop()


async def test_backup__while_files_come_and_go_is_consistent(core: Core, tmp_path: Path) -> None:
    stop = asyncio.Event()

    async def churn(number: int) -> None:
        while not stop.is_set():
            kept, dropped = await core.uploads(2, prefix=f"{number}-")
            await core.jobs.create(
                ALICE, NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(kept)), None
            )
            await core.files.delete(ALICE, dropped.file_id, force=False, request=None)

    writers = [asyncio.create_task(churn(number)) for number in range(4)]
    reports = [await backup(core.settings, tmp_path / f"backup-{number}") for number in range(5)]
    stop.set()
    await asyncio.gather(*writers)

    for number, report in enumerate(reports):
        assert report.problems == []
        restored = other(core, f"restored-{number}")
        assert (await restore(restored, tmp_path / f"backup-{number}")).problems == []
        checked = await check(restored)
        assert checked.problems == []
        assert checked.checked["stored blobs"] == report.blobs
    assert reports[-1].jobs > reports[0].jobs


async def test_backup__brings_files_that_are_deleted_meanwhile(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, *_ = await core.uploads(3)
    blob = Layout(core.settings.data_dir / "blobs").blob(gone.blob_key)

    def then_delete(ledger: Path, snapshot: Path) -> None:
        take_snapshot(ledger, snapshot)
        deletion = core.files.delete(ALICE, gone.file_id, force=False, request=None)
        asyncio.run_coroutine_threadsafe(deletion, loop).result(10)

    loop = asyncio.get_running_loop()
    module = importlib.import_module("ingest_grpc.admin.backup")  # the package has a function of that name
    take_snapshot = module.take_snapshot
    monkeypatch.setattr(module, "take_snapshot", then_delete)

    report = await backup(core.settings, tmp_path / "backup")

    assert (report.blobs, report.problems) == (3, [])
    await restore(other(core, "restored"), tmp_path / "backup")
    assert (await check(other(core, "restored"))).problems == []
    assert blob.exists()
    await sweep_blobs(core.store, core.blobs)
    assert not blob.exists()


async def test_backup__names_bytes_that_were_lost_before_and_ends(core: Core, tmp_path: Path) -> None:
    lost, kept = await core.uploads(2)
    Layout(core.settings.data_dir / "blobs").blob(lost.blob_key).unlink()

    report = await backup(core.settings, tmp_path / "backup")
    restored = await restore(other(core, "restored"), tmp_path / "backup")

    assert report.problems == restored.problems == [f"blob {lost.blob_key} is missing"]
    assert (report.blobs, report.blob_bytes) == (1, kept.size_bytes)
    [problem] = (await check(other(core, "restored"))).problems
    assert problem.startswith(f"blob {lost.blob_key} is missing")
    await core.files.delete(ALICE, lost.file_id, force=False, request=None)


async def test_backup__copies_where_a_second_name_cannot_be_made(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(core)

    def other_disk(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(folders._files, "link", other_disk)
    report = await backup(core.settings, tmp_path / "backup")

    assert report.notes == []
    blobs = [path for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == report.blobs
    assert all(path.stat().st_nlink == 1 for path in blobs)
    assert (await restore(other(core, "restored"), tmp_path / "backup")).problems == []


async def test_backup__of_an_object_store_is_the_ledger_alone(core: Core, tmp_path: Path) -> None:
    await fill(core)
    bucket = {"blobs_url": "memory:///"}

    report = await backup(core.settings.model_copy(update=bucket), tmp_path / "backup")

    assert report.blobs == 0
    assert "object store" in report.notes[0]
    with pytest.raises(AdminError, match="ledger alone"):
        await restore(other(core, "restored"), tmp_path / "backup")
    restored = await restore(other(core, "restored", **bucket), tmp_path / "backup")
    assert restored.files == 7


async def test_backup__holds_and_restores_blobs_of_a_folder_of_their_own(core: Core, tmp_path: Path) -> None:
    await fill(core)
    (tmp_path / "data" / "blobs").rename(tmp_path / "apart")
    apart = core.settings.model_copy(update={"blobs_url": f"file://{tmp_path}/apart"})

    await backup(apart, tmp_path / "backup")
    restored = other(core, "restored", blobs_url=f"file://{tmp_path}/elsewhere")
    await restore(restored, tmp_path / "backup")

    assert (await check(restored)).problems == []
    assert not (tmp_path / "restored" / "blobs").exists()
    (tmp_path / "apart").rename(tmp_path / "data" / "blobs")


@pytest.mark.parametrize("what", ["file", "not a folder"])
async def test_backup__refuses_a_used_destination(core: Core, tmp_path: Path, what: str) -> None:
    target = tmp_path / "backup"
    if what == "file":
        target.mkdir()
        (target / "precious").write_text("data")
    else:
        target.write_text("data")

    with pytest.raises(AdminError, match=r"not empty|no folder"):
        await backup(core.settings, target)
    assert (target / "precious" if what == "file" else target).read_text() == "data"


async def test_backup__that_fails_leaves_nothing_behind(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(core)

    def full_disk(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders._files, "link", full_disk)
    (tmp_path / "backup").mkdir()
    with pytest.raises(OSError, match="No space"):
        await backup(core.settings, tmp_path / "backup")

    assert list((tmp_path / "backup").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]


async def test_backup__without_a_ledger_says_so(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="no ledger"):
        await backup(settings, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


async def test_backup__leaves_the_ledger_of_a_killed_server_as_it_was(core: Core, tmp_path: Path) -> None:
    # A copy with its write-ahead log, as a kill leaves it: reading must neither recover it into the file nor lose it.
    await fill(core)
    shutil.copytree(core.settings.data_dir, tmp_path / "killed")
    killed = other(core, "killed")
    before = killed.ledger_path.read_bytes()

    report = await backup(killed, tmp_path / "backup")

    assert report.records == 4
    assert killed.ledger_path.read_bytes() == before


async def test_restore__refuses_a_folder_that_holds_anything(core: Core, tmp_path: Path) -> None:
    await fill(core)
    await backup(core.settings, tmp_path / "backup")
    used = other(core, "used")
    used.data_dir.mkdir()
    (used.data_dir / "ledger.sqlite3").write_text("precious")

    with pytest.raises(AdminError, match="not empty"):
        await restore(used, tmp_path / "backup")

    assert used.ledger_path.read_text() == "precious"


async def test_restore__refuses_the_folder_of_a_running_server(
    core: Core, tmp_path: Path, own: Callable[[Settings], Owner]
) -> None:
    await fill(core)
    await backup(core.settings, tmp_path / "backup")
    running = other(core, "running")
    own(running)

    with pytest.raises(AdminError, match="in use by process"):
        await restore(running, tmp_path / "backup")


async def test_restore__refuses_a_ledger_that_is_not_the_manifest_s(core: Core, tmp_path: Path) -> None:
    await fill(core)
    await backup(core.settings, tmp_path / "backup")
    with closing(sqlite3.connect(tmp_path / "backup" / "ledger.sqlite3")) as changed:
        changed.execute("DELETE FROM events")
        changed.commit()

    with pytest.raises(AdminError, match="damaged"):
        await restore(other(core, "restored"), tmp_path / "backup")

    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize(
    ("manifest", "message"),
    [(None, "is no backup"), ("{}", "damaged"), ('{"format": 2}', "damaged"), ("newer", "has format 2")],
)
async def test_restore__refuses_a_manifest(core: Core, tmp_path: Path, manifest: str | None, message: str) -> None:
    await backup(core.settings, tmp_path / "backup")
    file = tmp_path / "backup" / "manifest.json"
    if manifest is None:
        file.unlink()
    elif manifest == "newer":
        file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    else:
        file.write_text(manifest)

    with pytest.raises(AdminError, match=message):
        await restore(other(core, "restored"), tmp_path / "backup")


async def test_restore__names_bytes_that_rotted_in_the_backup(core: Core, tmp_path: Path) -> None:
    [file] = await core.uploads(1)
    await backup(core.settings, tmp_path / "backup")
    blob = Layout(tmp_path / "backup" / "blobs").blob(file.blob_key)
    blob.unlink()  # a name of its own: the server's bytes stay as they are
    blob.write_bytes(b"X" * file.size_bytes)

    report = await restore(other(core, "restored"), tmp_path / "backup")

    assert report.problems == [f"blob {file.blob_key} is damaged: its bytes do not have the SHA-256 of its row"]


async def test_restore__a_folder_filled_meanwhile_is_not_touched(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(core)
    await backup(core.settings, tmp_path / "backup")
    target = other(core, "restored").data_dir

    def start_a_server(folder: Path) -> None:
        target.mkdir()
        (target / "ledger.lock").touch()

    monkeypatch.setattr(folders, "_sync_tree", start_a_server)
    with pytest.raises(AdminError, match="filled by somebody else"):
        await restore(other(core, "restored"), tmp_path / "backup")

    assert os.listdir(target) == ["ledger.lock"]
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
