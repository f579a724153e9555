"""Imported files over a real channel: looked at at once, read when they are needed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from ingest_grpc.admin import backup, check, restore
from ingest_grpc.errors import Reason
from ingest_grpc.v1 import file_pb2
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.v1 import ingestion_service_pb2 as ingestion_pb
from ingest_grpc.v1.error_reason_pb2 import ErrorReason
from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, CreateJobRequest, FileToAdd, WaitJobRequest, WaitUntil
from tests.integration.api.answers import failure_of
from tests.integration.serving import GROUNDED, Server, until
from tests.reaching import A_RECORD, reaches

TEXT = b"A text to be imported.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "incoming"
    root.mkdir()
    (root / "a.txt").write_bytes(TEXT)
    return root


@pytest.fixture
async def server(tmp_path: Path, root: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path / "data", import_roots=[root], workers=1) as server:
        yield server


async def imported(server: Server, path: Path, **fields: Any) -> file_pb2.File:
    request = pb.ImportFileRequest(url=f"file://{path}", **fields)
    return (await server.files.ImportFile(request)).file


async def file(server: Server, file_id: str) -> file_pb2.File:
    return (await server.files.GetFile(pb.GetFileRequest(file_id=file_id))).file


async def converted(server: Server, *files: file_pb2.File) -> list[FileRecord]:
    """The records of a job of these files, once it has settled."""
    to_add = [FileToAdd(file_id=each.file_id) for each in files]
    job = (await server.jobs.CreateJob(CreateJobRequest(name="job", job_type=GROUNDED, files=to_add))).job

    await server.jobs.WaitJob(WaitJobRequest(job_id=job.job_id, until=WaitUntil.WAIT_UNTIL_SETTLED))
    request = ingestion_pb.ListFileRecordsRequest(job_id=job.job_id)
    return list((await server.ingestion.ListFileRecords(request)).records)


async def test_import__shows_what_is_there_without_reading_it(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt", external_id="mine")
    assert (made.filename, made.content_type, made.size_bytes) == ("a.txt", "text/plain", len(TEXT))
    assert (made.external_id, made.sha256) == ("mine", "")
    assert made.import_source.url == f"file://{root}/a.txt"
    assert made.import_source.etag
    assert not made.import_source.HasField("fetched_at")
    assert server.belongings()["on disk"] == []


async def test_import__is_fetched_once_by_the_worker(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt")
    [record] = await converted(server, made)
    assert record.status == RecordStatus.RECORD_STATUS_COMPLETED
    fetched = await file(server, made.file_id)
    assert fetched.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert fetched.import_source.HasField("fetched_at")
    (root / "a.txt").unlink()  # not needed any more
    [again] = await converted(server, made)
    assert again.status == RecordStatus.RECORD_STATUS_COMPLETED


async def test_import__is_fetched_by_whoever_reads_it_first(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt")
    read = pb.ReadFileRequest(file_id=made.file_id, offset=2)
    replies = await asyncio.gather(*(server.files.ReadFile(read) for _ in range(5)))
    assert {reply.text for reply in replies} == {TEXT[2:].decode()}
    other = await imported(server, root / "a.txt")
    call = server.files.DownloadFile(pb.DownloadFileRequest(file_id=other.file_id))
    messages = [message async for message in call]
    assert messages[0].start.file.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert b"".join(message.data for message in messages) == TEXT


async def test_import__equal_bytes_are_stored_once(server: Server, root: Path) -> None:
    await server.upload("uploaded.txt", TEXT)
    made = await imported(server, root / "a.txt")
    await server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))
    await server.app.janitor.step()
    on_disk = server.belongings()["on disk"]
    assert isinstance(on_disk, list)
    assert len(on_disk) == 1


async def test_import__of_markdown_is_ready_once_it_was_read(server: Server, root: Path) -> None:
    (root / "a.md").write_bytes(b"# Title\n")
    made = await imported(server, root / "a.md")
    await server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))
    job = await server.job()
    added = await server.jobs.AddFiles(AddFilesRequest(job_id=job.job_id, files=[FileToAdd(file_id=made.file_id)]))
    assert added.job.markdown_files == 1


@reaches(Reason.SOURCE_CHANGED, A_RECORD, "an imported file whose source was changed before it was fetched")
@reaches(Reason.IMPORT_NOT_ALLOWED, A_RECORD, "an imported file that leads out of the allowed folders by now")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_bytes(b"changed"), ErrorReason.ERROR_REASON_SOURCE_CHANGED),
        (lambda path: path.unlink(), ErrorReason.ERROR_REASON_FILE_NOT_FOUND),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), ErrorReason.ERROR_REASON_IMPORT_NOT_ALLOWED),
    ],
    ids=["changed", "gone", "outside"],
)
async def test_import__whose_source_is_another_fails_its_record(
    server: Server, root: Path, change: Any, reason: ErrorReason.ValueType
) -> None:
    made = await imported(server, root / "a.txt")
    change(root / "a.txt")
    [record] = await converted(server, made)
    assert (record.status, record.error.reason) == (RecordStatus.RECORD_STATUS_FAILED, reason)
    failure = await failure_of(server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id)))
    assert f"ERROR_REASON_{failure.reason}" == ErrorReason.Name(reason)
    assert server.belongings()["on disk"] == []


async def test_import__that_fails_can_be_read_once_it_is_back(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt")
    moved = (root / "a.txt").rename(root / "moved.txt")
    assert (
        await failure_of(server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id)))
    ).reason == "FILE_NOT_FOUND"
    moved.rename(root / "a.txt")
    assert (await server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))).data == TEXT


async def test_import__survives_a_restart_before_it_is_read(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt")
    await server.restart()
    assert (await server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))).data == TEXT


async def test_import__deleted_before_it_is_read(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt", external_id="mine")
    await server.files.DeleteFile(pb.DeleteFileRequest(file_id=made.file_id))
    assert (
        await failure_of(server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id)))
    ).reason == "FILE_NOT_FOUND"
    again = await imported(server, root / "a.txt", external_id="mine")
    assert again.file_id != made.file_id


async def test_import__replay_does_not_look_at_the_source_again(server: Server, root: Path) -> None:
    made = await imported(server, root / "a.txt", request_id="one")
    (root / "a.txt").unlink()
    await server.restart()
    assert await imported(server, root / "a.txt", request_id="one") == made
    assert (await failure_of(imported(server, root / "b.txt", request_id="one"))).reason == "REQUEST_ID_REUSED"


async def test_import__cancelled_reader_leaves_nothing_half_done(server: Server, root: Path) -> None:
    (root / "big.bin").write_bytes(bytes(20_000_000))
    made = await imported(server, root / "big.bin")
    call = server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))
    await until(lambda: len(server.app.server.in_flight) == 1)
    call.cancel()
    await server.app.server.in_flight.wait()
    assert server.belongings()["on disk"] == []
    assert len((await server.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))).data) == 2 * 1024 * 1024


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"url": ""}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"url": "https://host/a.txt"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"url": "file:///etc/passwd"}, grpc.StatusCode.PERMISSION_DENIED, "IMPORT_NOT_ALLOWED"),
        ({"url": "s3://bucket/a"}, grpc.StatusCode.PERMISSION_DENIED, "IMPORT_NOT_ALLOWED"),
        ({"filename": "/"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"content_type": "x"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"external_id": "\n"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    ],
)
async def test_import__refused(
    server: Server, root: Path, fields: dict[str, str], code: grpc.StatusCode, reason: str
) -> None:
    before = server.belongings()
    request = pb.ImportFileRequest(**{"url": f"file://{root}/a.txt", **fields})
    failure = await failure_of(server.files.ImportFile(request))
    assert (failure.code, failure.reason) == (code, reason)
    assert server.belongings() == before


async def test_import__missing_and_too_large(tmp_path: Path, root: Path) -> None:
    async with Server(tmp_path / "data", import_roots=[root], max_file_bytes=5) as server:
        assert (await failure_of(imported(server, root / "missing"))).reason == "FILE_NOT_FOUND"
        assert (await failure_of(imported(server, root / "a.txt"))).reason == "FILE_TOO_LARGE"


async def test_import__without_settings_is_not_allowed(tmp_path: Path, root: Path) -> None:
    async with Server(tmp_path / "data") as server:
        assert (await failure_of(imported(server, root / "a.txt"))).reason == "IMPORT_NOT_ALLOWED"


async def test_import__unread_is_no_problem_to_check_backup_and_restore(
    server: Server, root: Path, tmp_path: Path
) -> None:
    made = await imported(server, root / "a.txt")
    assert (await check(server.settings)).problems == []
    report = await backup(server.settings, tmp_path / "backup")
    assert (report.blobs, report.problems) == (0, [])
    restored = server.settings.model_copy(update={"data_dir": tmp_path / "restored"})
    assert (await restore(restored, tmp_path / "backup")).problems == []
    async with Server(tmp_path / "restored", import_roots=[root]) as other:
        assert (await other.files.ReadFile(pb.ReadFileRequest(file_id=made.file_id))).data == TEXT
