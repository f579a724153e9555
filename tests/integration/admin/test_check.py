"""Each thing that can be wrong with a data folder is found, named, and mended where that is safe."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from ingest_grpc.admin import AdminError, CheckReport, check
from ingest_grpc.admin.examine import Findings
from ingest_grpc.admin.repair import mend
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.blobs.staged import Layout
from ingest_grpc.clock import SystemClock
from ingest_grpc.config import Settings
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus
from ingest_grpc.model import EventType, FilesAdded
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.factories import ALICE, Core
from tests.integration.admin.conftest import Owner


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FilesAdded]:
    """A data folder with every kind of record, whose server has ended; made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("template") / "data"
    return folder, asyncio.run(_fill(folder))


async def _fill(folder: Path) -> FilesAdded:
    core = Core(folder)
    await core.start()
    added = await core.create(*await core.uploads(6), await core.markdown())
    await core.succeed(await core.claim_one(), pages=3)
    await core.fail(await core.claim_one())
    await core.retry(await core.claim_one())
    await core.claim_one()
    records = added.job.ingestion_jobs[0].records
    await core.remove(added.job.job.job_id, records=[records[-1].record_id])
    await core.stop()
    return added


@pytest.fixture
def folder(template: tuple[Path, FilesAdded], tmp_path: Path) -> "Folder":
    shutil.copytree(template[0], tmp_path / "data")
    return Folder(tmp_path / "data", template[1])


class Folder:
    def __init__(self, data_dir: Path, added: FilesAdded) -> None:
        self.settings = Settings(data_dir=data_dir)
        self.job_id = added.job.job.job_id
        self.run_id = str(added.ingestion_job_id)
        self.records = [record.record_id for record in added.job.ingestion_jobs[0].records]
        self.layout = Layout(data_dir / "blobs")

    def sql(self, statement: str, *parameters: object) -> None:
        with closing(sqlite3.connect(self.settings.ledger_path)) as connection:
            connection.executescript("DROP TRIGGER IF EXISTS file_records_guard")
            assert connection.execute(statement, parameters).rowcount > 0
            connection.commit()

    def value(self, statement: str, *parameters: object) -> str:
        with closing(sqlite3.connect(self.settings.ledger_path)) as connection:
            return str(connection.execute(statement, parameters).fetchone()[0])

    def orphan(self, key: str = "out-orphan", age_seconds: int = 7_200) -> Path:
        blob = self.layout.blob(key)
        blob.write_bytes(b"12345")
        then = blob.stat().st_mtime - age_seconds
        os.utime(blob, (then, then))
        return blob

    async def problems(self) -> list[str]:
        return (await check(self.settings)).problems

    async def repair(self) -> CheckReport:
        return await check(self.settings, repair=True)


async def test_check__finds_nothing_wrong_and_changes_nothing(folder: Folder) -> None:
    before = folder.settings.ledger_path.read_bytes()

    report = await check(folder.settings)

    assert report.problems == []
    assert report.checked == {
        "jobs": 1, "ingestion jobs": 1, "records": 6, "alignments": 0,
        "events": int(folder.value("SELECT count(*) FROM events")), "knowledge bases": 0,
        "documents": 0,
        "files": 8, "blobs": 8, "stored blobs": 8, "chunks": 0,
    }  # fmt: skip
    assert folder.settings.ledger_path.read_bytes() == before


JOB_ROW = "UPDATE jobs SET {}"
RUN_ROW = "UPDATE ingestion_jobs SET {}"
RECORDS = "2 queued, 1 running, {} completed, {} failed, 1 unresolved"
RIGHT = RECORDS.format(1, 1)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (JOB_ROW.format("completed = 5"), f"job {{job}} counts {RECORDS.format(5, 1)}; its records are {RIGHT}"),
        (JOB_ROW.format("markdown_files = 0"), "job {job} counts 0 Markdown files; it lists 1"),
        (JOB_ROW.format("status = 'NEEDS_REVIEW'"), "job {job} is NEEDS_REVIEW; by its rows it is FILE_PROCESSING"),
        (JOB_ROW.format("ever_active = 0"), "job {job} says that nothing was ever added to it, but it has files"),
        (RUN_ROW.format("failed = 2"), f"ingestion job {{run}} counts {RECORDS.format(1, 2)}; its records are {RIGHT}"),
        (RUN_ROW.format("pages = 7"), "ingestion job {run} counts 7 pages, 25 bytes, 0 chunks; its records 3, 25, 0"),
        (JOB_ROW.format("chunks_created = 7"), "job {job} counts 7 chunks; its records have 0"),
        (RUN_ROW.format("status = 'COMPLETED'"), "ingestion job {run} is COMPLETED; by its records it is RUNNING"),
        (RUN_ROW.format("error_reason = 'EMPTY_FILE'"),
         "ingestion job {run} failed with EMPTY_FILE; by its records with nothing"),
        (RUN_ROW.format("completed_at = 1"), "ingestion job {run} has 3 records in flight and a time of completion"),
    ],
)  # fmt: skip
async def test_check__tallies_and_statuses_are_found_and_mended(folder: Folder, statement: str, problem: str) -> None:
    folder.sql(statement)

    assert await folder.problems() == [problem.format(job=folder.job_id, run=folder.run_id)]

    report = await folder.repair()
    assert report.repaired == [f"job {folder.job_id} was recounted"]
    assert report.problems == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM events WHERE sequence IN (4, 5)",
         "job {job}: 2 events are missing from its timeline of 1 to {last}, the first is 4"),
        ("DELETE FROM events WHERE sequence = 1",
         "job {job}: 1 events are missing from its timeline of 1 to {last}, the first is 1"),
        ("DELETE FROM events", "job {job}: {last} events are missing from its timeline of 1 to {last}, the first is 1"),
        ("UPDATE jobs SET last_sequence = last_sequence - 1",
         "job {job}: its timeline ends with event {last}; its row says {less}"),
        ("UPDATE jobs SET last_sequence = last_sequence + 1",
         "job {job}: 1 events are missing from its timeline of 1 to {more}, the first is {more}"),
    ],
)  # fmt: skip
async def test_check__gaps_in_a_timeline_are_found_and_never_papered_over(
    folder: Folder, statement: str, problem: str
) -> None:
    last = int(folder.value("SELECT last_sequence FROM jobs"))
    folder.sql(statement)

    expected = problem.format(job=folder.job_id, last=last, less=last - 1, more=last + 1)
    assert expected in await folder.problems()
    assert expected in (await folder.repair()).problems


async def test_check__milestones_before_the_earliest_event_are_no_gap(folder: Folder) -> None:
    folder.sql("DELETE FROM events WHERE milestone = 0 AND sequence < 6")
    folder.sql("UPDATE jobs SET earliest_sequence = 6")

    assert await folder.problems() == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE file_records SET last_sequence = 999 WHERE record_id = :record",
         "record {record}: its last change, event 999 of job {job}, does not exist"),
        ("UPDATE file_records SET team = 'team-b' WHERE record_id = :record",
         "record {record} belongs to job {job} of team team-a, but its ingestion job or its file does not"),
        ("UPDATE file_records SET last_trigger = 'ADDED' WHERE record_id = :record",
         "record {record} is COMPLETED by ADDED, which no transition allows"),
        ("UPDATE files SET deleted_at = 1, blob = NULL WHERE id = (SELECT file FROM file_records WHERE record_id = ?)",
         "record {record} reads file {file}, which is deleted"),
        ("UPDATE files SET file_id = 'md-file-x' WHERE kind = 'OUTPUT' AND :record <> ''",
         "record {record} is COMPLETED, but its output {output} is not there"),
        ("UPDATE file_records SET bytes_out = 3 WHERE record_id = :record",
         "record {record} made 3 bytes; its output {output} has 8"),
        ("UPDATE files SET size_bytes = 9 WHERE kind = 'OUTPUT' AND :record <> ''",
         "file {output}: its blob {blob} has another size or SHA-256"),
    ],
)  # fmt: skip
async def test_check__contradictions_of_a_completed_record_are_found(
    folder: Folder, statement: str, problem: str
) -> None:
    record = folder.records[0]
    values = {
        name: folder.value(f"SELECT {column} FROM file_record_rows AS r WHERE record_id = ?", record)
        for name, column in {
            "file": "file_id",
            "output": "output_file_id",
            "blob": "(SELECT blob_key FROM blobs AS b, files AS f WHERE f.blob = b.id AND f.file_id = output_file_id)",
        }.items()
    }
    folder.sql(statement, record)

    assert problem.format(record=record, job=folder.job_id, **values) in await folder.problems()


async def test_check__an_output_that_no_record_made_is_found(folder: Folder) -> None:
    folder.sql("UPDATE files SET file_id = 'md-file-x' WHERE kind = 'OUTPUT'")

    assert "output md-file-x was made by no completed record" in await folder.problems()


async def test_check__records_that_nobody_would_ever_claim_are_found_and_mended(folder: Folder) -> None:
    folder.sql("UPDATE file_records SET next_attempt_at = NULL WHERE status = 'QUEUED' AND claimable = 0")
    [stuck] = [record for record in folder.records if folder.value(_DELAYED, record) == "1"]

    assert await folder.problems() == [f"record {stuck} is QUEUED, but neither claimable nor due at any time"]

    report = await folder.repair()
    assert report.repaired == [f"record {stuck} may be claimed again"]
    assert report.problems == []


_DELAYED = "SELECT status = 'QUEUED' AND claimable = 0 FROM file_records WHERE record_id = ?"


async def test_check__a_removed_record_in_flight_and_a_claimable_one_that_waits_are_found(folder: Folder) -> None:
    folder.sql("UPDATE file_records SET wait_reason = 'BACK_OFF' WHERE claimable = 1")
    folder.sql("UPDATE file_records SET deleted_at = 1 WHERE status = 'RUNNING'")

    problems = await folder.problems()
    assert any(problem.endswith("was removed and is still RUNNING") for problem in problems)
    assert any(problem.endswith("is claimable although it waits for its back-off") for problem in problems)
    assert (await folder.repair()).problems == [f"record {folder.records[3]} was removed and is still RUNNING"]


async def test_check__a_missing_and_a_truncated_blob_are_found(folder: Folder) -> None:
    first, second = (
        folder.value("SELECT b.blob_key FROM blobs AS b JOIN files AS f ON f.blob = b.id WHERE filename = ?", name)
        for name in ("1.pdf", "2.pdf")
    )
    file_id = folder.value("SELECT file_id FROM files WHERE filename = '1.pdf'")
    folder.layout.blob(first).unlink()
    folder.layout.blob(second).write_bytes(b"2")

    expected = [
        f"blob {first} is missing; 1 files need it, for example {file_id}",
        f"blob {second} has 1 bytes; its row says 5",
    ]
    assert await folder.problems() == expected
    assert (await folder.repair()).problems == expected


async def test_check__an_orphan_is_found_and_removed(folder: Folder) -> None:
    blob = folder.orphan()

    assert await folder.problems() == ["blob out-orphan (5 bytes) is named by no row"]
    assert blob.exists()

    report = await folder.repair()
    assert report.repaired == ["blob out-orphan, which no row named, was removed"]
    assert report.problems == []
    assert not blob.exists()


async def test_check__bytes_of_an_upload_under_way_are_no_orphan(folder: Folder) -> None:
    young, staged = folder.orphan("out-young", age_seconds=0), folder.orphan("out-staged")
    os.link(staged, folder.layout.staged("out-staged"))

    assert await folder.problems() == []

    # The repair owns the ledger, so no upload is under way; what is staged is the next start's to judge.
    report = await folder.repair()
    assert report.repaired == ["blob out-young, which no row named, was removed"]
    assert not young.exists()
    assert staged.exists()


async def test_check__bytes_of_a_deleted_blob_are_found_and_removed(folder: Folder) -> None:
    folder.sql(
        "INSERT INTO blobs (blob_key, team, sha256, size_bytes, shareable, deleted_at) VALUES ('old', '', '', 5, 0, 1)"
    )
    blob = folder.orphan("old")

    assert await folder.problems() == ["blob old was deleted, but its 5 bytes are still there"]

    report = await folder.repair()
    assert report.repaired == ["the bytes of 1 deleted blobs were removed"]
    assert report.problems == []
    assert not blob.exists()


async def test_repair__tells_of_bytes_that_cannot_be_deleted(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unavailable(*_arguments: object) -> None:
        raise IngestError(Reason.STORAGE_UNAVAILABLE)

    folder.sql(
        "INSERT INTO blobs (blob_key, team, sha256, size_bytes, shareable, deleted_at) VALUES ('old', '', '', 5, 0, 1)"
    )
    folder.orphan("old")
    monkeypatch.setattr(LocalBlobs, "delete", unavailable)

    report = await folder.repair()
    assert report.repaired == []
    assert "the bytes of 1 deleted blobs could not be removed" in report.problems


async def test_check__a_row_that_refers_to_nothing_is_found(folder: Folder) -> None:
    folder.sql("DELETE FROM files WHERE markdown = 1 AND kind = 'UPLOAD'")

    assert [problem for problem in await folder.problems() if "refers to a row of files that is gone" in problem]


async def test_check__many_problems_of_one_kind_are_counted(folder: Folder) -> None:
    for number in range(150):
        folder.orphan(f"out-{number}")

    problems = await folder.problems()

    assert len(problems) == 101
    assert problems[-1] == "… and 50 more of this kind (orphans)"
    assert (await folder.repair()).problems == []


async def test_repair__of_a_status_is_an_event_that_no_watcher_misses(folder: Folder) -> None:
    folder.sql("UPDATE jobs SET status = 'READY_TO_START', queued = 0, running = 0")
    head = int(folder.value("SELECT last_sequence FROM jobs"))

    await folder.repair()

    again = Core(folder.settings.data_dir)
    await again.start()
    [event] = await again.events(folder.job_id, after=head)
    assert (event.type, event.actor) == (EventType.JOB_CHANGED, "admin check")
    assert (await again.job(folder.job_id)).status is JobStatus.FILE_PROCESSING
    await again.stop()


async def test_repair__refuses_while_another_process_owns_the_ledger(
    folder: Folder, own: Callable[[Settings], Owner]
) -> None:
    blob = folder.orphan()
    own(folder.settings)

    with pytest.raises(AdminError, match="in use by process"):
        await folder.repair()

    assert await folder.problems() == ["blob out-orphan (5 bytes) is named by no row"]
    assert blob.exists()


async def test_check__asks_the_blob_store_of_the_settings(folder: Folder) -> None:
    empty = folder.settings.model_copy(update={"blobs_url": "memory:///"})

    problems = (await check(empty)).problems

    assert len(problems) == 8
    assert all(" is missing; " in problem for problem in problems)


async def test_repair__spares_what_looks_like_an_orphan_in_an_object_store(folder: Folder) -> None:
    # Another server may use the same bucket: its files are named by no row of this ledger.
    settings = folder.settings.model_copy(update={"blobs_url": "memory:///"})
    blobs = ObjectBlobs(MemoryStore())
    async with blobs.writer("other-servers") as writer:
        await writer.commit()
    store = SqliteStore(settings.ledger_path, SystemClock())
    await store.start()

    done, refused = await mend(settings, store, blobs, SystemClock(), Findings(orphans={"other-servers"}))

    assert done == []
    assert refused == ["orphans in an object store are not removed: make sure that no other server uses it"]
    assert await blobs.exists("other-servers")
    await store.stop()
    await blobs.stop()


async def test_repair__of_a_job_whose_rows_contradict_each_other_mends_the_others(folder: Folder) -> None:
    folder.sql("UPDATE jobs SET status = 'READY_TO_START', last_sequence = 1")
    folder.orphan()

    report = await folder.repair()

    assert report.repaired == ["blob out-orphan, which no row named, was removed"]
    assert any("could not be recounted: UNIQUE constraint failed" in problem for problem in report.problems)


async def test_check__beside_a_working_server_sees_no_ghosts(core: Core) -> None:
    files = await core.uploads(5)
    await core.create(*files[:3])
    await core.claim(2)
    await core.files.delete(ALICE, files[4].file_id, force=False, request=None)

    assert (await check(core.settings)).problems == []


async def test_check__without_a_ledger_says_so(settings: Settings) -> None:
    with pytest.raises(AdminError, match="no ledger"):
        await check(settings)
    assert not settings.data_dir.exists()
