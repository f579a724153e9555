"""Resumable uploads over a real channel."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import grpc
import pytest

from ingest_grpc.clock import MICROSECONDS
from ingest_grpc.service.file_services import SPOOL_FOLDER
from ingest_grpc.v1 import file_pb2
from ingest_grpc.v1 import file_service_pb2 as pb
from tests.integration.api.answers import failure_of
from tests.integration.serving import Server

MIB = 1024 * 1024
DATA = bytes(range(256)) * 10_000
SHA256 = hashlib.sha256(DATA).hexdigest()
UNKNOWN = "up-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"


async def create(server: Server, **fields: Any) -> file_pb2.Upload:
    request = pb.CreateUploadRequest(**{"filename": "big.bin", **fields})
    return (await server.files.CreateUpload(request)).upload


async def write(server: Server, upload_id: str, offset: int, data: bytes) -> int:
    request = pb.WriteUploadRequest(upload_id=upload_id, offset=offset, data=data)
    return (await server.files.WriteUpload(request)).committed_bytes


async def get(server: Server, upload_id: str) -> file_pb2.Upload:
    return (await server.files.GetUpload(pb.GetUploadRequest(upload_id=upload_id))).upload


async def complete(server: Server, upload_id: str, **fields: Any) -> file_pb2.File:
    return (await server.files.CompleteUpload(pb.CompleteUploadRequest(upload_id=upload_id, **fields))).file


async def content(server: Server, file_id: str) -> bytes:
    call = server.files.DownloadFile(pb.DownloadFileRequest(file_id=file_id))
    return b"".join([message.data async for message in call])


def spooled(server: Server) -> list[Path]:
    return sorted((server.settings.data_dir / SPOOL_FOLDER).iterdir())


async def test_upload__in_parts_becomes_a_file(server: Server) -> None:
    upload = await create(
        server, path="/mnt/big.bin", size_bytes=len(DATA), sha256=SHA256, external_id="mine", request_id="one"
    )
    assert (upload.committed_bytes, upload.max_chunk_bytes) == (0, 2 * MIB)
    for offset in range(0, len(DATA), MIB):
        part = DATA[offset : offset + MIB]
        assert await write(server, upload.upload_id, offset, part) == offset + len(part)
    file = await complete(server, upload.upload_id)

    assert (file.filename, file.path, file.size_bytes) == ("big.bin", "/mnt/big.bin", len(DATA))
    assert (file.sha256, file.external_id) == (SHA256, "mine")
    assert await content(server, file.file_id) == DATA
    assert (await get(server, upload.upload_id)).file_id == file.file_id
    assert spooled(server) == []


async def test_upload__of_nothing(server: Server) -> None:
    file = await complete(server, (await create(server, filename="empty.txt", size_bytes=0)).upload_id)
    assert file.size_bytes == 0
    assert await content(server, file.file_id) == b""


async def test_upload__of_markdown_needs_no_conversion(server: Server) -> None:
    upload = await create(server, filename="notes.md")
    text = "# Grüße\n".encode()
    await write(server, upload.upload_id, 0, text[:4])  # within a character
    await server.restart()
    await write(server, upload.upload_id, 4, text[4:])
    file = await complete(server, upload.upload_id)
    stored = await server.app.store.read(lambda rows: rows.file("local", file.file_id))
    assert stored is not None
    assert stored.markdown


async def test_write__the_same_bytes_again_are_accepted(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"0123456789")
    assert await write(server, upload_id, 0, b"0123456789") == 10
    assert await write(server, upload_id, 3, b"345") == 10
    assert await write(server, upload_id, 8, b"89abc") == 13
    file = await complete(server, upload_id)
    assert await content(server, file.file_id) == b"0123456789abc"


@pytest.mark.parametrize(("offset", "data"), [(11, b"x"), (0, b"01X"), (9, b"Xyz")])
async def test_write__elsewhere_is_refused_with_the_right_place(server: Server, offset: int, data: bytes) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"0123456789")
    failure = await failure_of(write(server, upload_id, offset, data))

    assert (failure.code, failure.reason) == (grpc.StatusCode.OUT_OF_RANGE, "UPLOAD_OFFSET")
    assert (failure.metadata["committed_bytes"], failure.metadata["offset"]) == ("10", str(offset))
    assert (await get(server, upload_id)).committed_bytes == 10


async def test_write__survives_a_restart_at_the_last_committed_byte(server: Server) -> None:
    upload = await create(server, size_bytes=len(DATA), sha256=SHA256)
    await write(server, upload.upload_id, 0, DATA[:MIB])
    await server.restart()
    assert (await get(server, upload.upload_id)).committed_bytes == MIB
    await write(server, upload.upload_id, MIB, DATA[MIB:])
    assert (await complete(server, upload.upload_id)).sha256 == SHA256


async def test_write__what_a_crash_left_beyond_the_committed_bytes_is_cut_off(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"01234")
    with spooled(server)[0].open("ab") as spool:  # appended, but the process died before the ledger knew
        spool.write(b"garbage")
    await server.restart()
    assert (await get(server, upload_id)).committed_bytes == 5
    await write(server, upload_id, 5, b"567")
    assert await content(server, (await complete(server, upload_id)).file_id) == b"01234567"


async def test_complete__does_not_take_what_a_crash_left(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"01234")
    with spooled(server)[0].open("ab") as spool:
        spool.write(b"garbage")
    await server.restart()
    file = await complete(server, upload_id)
    assert (file.size_bytes, await content(server, file.file_id)) == (5, b"01234")


async def test_get__never_promises_more_than_the_disk_holds(server: Server) -> None:
    """A ledger that was restored from a backup knows uploads whose bytes are not in the backup."""
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"0123456789")
    os.truncate(spooled(server)[0], 4)
    await server.restart()
    assert (await get(server, upload_id)).committed_bytes == 4
    assert await write(server, upload_id, 4, b"4567") == 8
    assert await content(server, (await complete(server, upload_id)).file_id) == b"01234567"


async def test_write__concurrent_writers_take_turns(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    parts = [bytes([65 + number]) * 1_000 for number in range(8)]
    whole = b"".join(parts)
    done = await asyncio.gather(
        *(write(server, upload_id, 0, whole[: 1_000 * number]) for number in range(1, 9)),
        *(write(server, upload_id, 0, whole) for _ in range(4)),
    )
    assert max(done) == len(whole)
    assert await content(server, (await complete(server, upload_id)).file_id) == whole


async def test_write__a_caller_who_goes_away_leaves_no_half_write(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    for number in range(10):
        call = server.files.WriteUpload(pb.WriteUploadRequest(upload_id=upload_id, offset=number, data=b"x"))
        await asyncio.sleep(0)
        call.cancel()
        assert await write(server, upload_id, number, b"x") == number + 1


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.WriteUploadRequest(upload_id=UNKNOWN), "data"),
        (pb.WriteUploadRequest(upload_id=UNKNOWN, data=bytes(2 * MIB + 1)), "data"),
        (pb.WriteUploadRequest(upload_id=UNKNOWN, data=b"x", offset=-1), "offset"),
        (pb.WriteUploadRequest(upload_id="up-1", data=b"x"), "upload_id"),
        (pb.WriteUploadRequest(data=b"x"), "upload_id"),
    ],
)
async def test_write__bad_input(server: Server, request_: pb.WriteUploadRequest, field: str) -> None:
    failure = await failure_of(server.files.WriteUpload(request_))
    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"filename": ""}, "filename"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"sha256": "abc"}, "sha256"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"content_type": "nonsense"}, "content_type"),
        ({"request_id": "ü"}, "request_id"),
    ],
)
async def test_create__bad_input(server: Server, fields: dict[str, Any], field: str) -> None:
    failure = await failure_of(create(server, **fields))
    assert (failure.reason, failure.fields) == ("INVALID_FIELD", [field])
    assert spooled(server) == []


async def test_unknown_upload__is_not_found(server: Server) -> None:
    for call in (get(server, UNKNOWN), write(server, UNKNOWN, 0, b"x"), complete(server, UNKNOWN)):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND")
    for bad in (get(server, "up-1"), complete(server, "file-1"), complete(server, UNKNOWN, sha256="x")):
        assert (await failure_of(bad)).code is grpc.StatusCode.INVALID_ARGUMENT


async def test_upload__of_another_team_does_not_exist(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    server.change("UPDATE uploads SET team = 'other'")
    assert (await failure_of(write(server, upload_id, 0, b"x"))).reason == "UPLOAD_NOT_FOUND"


async def test_create__again_under_the_same_request_id_finds_the_same_upload(server: Server) -> None:
    first = await create(server, request_id="one")
    await write(server, first.upload_id, 0, b"abc")
    await server.restart()
    again = await create(server, request_id="one")
    assert (again.upload_id, again.committed_bytes) == (first.upload_id, 3)
    assert (await failure_of(create(server, filename="other", request_id="one"))).reason == "REQUEST_ID_REUSED"


async def test_create__too_large_is_refused_at_once(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", max_file_bytes=10) as server:
        assert (await failure_of(create(server, size_bytes=11))).reason == "FILE_TOO_LARGE"
        upload_id = (await create(server)).upload_id
        await write(server, upload_id, 0, b"0123456789")
        assert (await failure_of(write(server, upload_id, 10, b"x"))).reason == "FILE_TOO_LARGE"
        assert (await complete(server, upload_id)).size_bytes == 10


async def test_write__beyond_the_announced_size_is_refused(server: Server) -> None:
    upload_id = (await create(server, size_bytes=3)).upload_id
    assert (await failure_of(write(server, upload_id, 0, b"0123"))).reason == "SIZE_MISMATCH"
    assert (await get(server, upload_id)).committed_bytes == 0


# ── limits of a team ───────────────────────────────────────────────────────────────────────────────────────


async def test_write__unfinished_uploads_count_for_the_team(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", team_max_bytes=10) as server:
        one, two = [(await create(server)).upload_id for _ in range(2)]
        await write(server, one, 0, b"01234")
        await write(server, two, 0, b"abcd")
        failure = await failure_of(write(server, two, 4, b"ef"))

        assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TEAM_STORAGE_FULL")
        assert failure.metadata["max_bytes"] == "10"
        assert sorted(path.stat().st_size for path in spooled(server)) == [4, 5], "what is refused fills no disk"
        small = pb.CreateFileRequest(filename="a.txt", content=b"xy")
        assert (await failure_of(server.files.CreateFile(small))).reason == "TEAM_STORAGE_FULL"
        assert await write(server, two, 4, b"e") == 5
        assert [(await complete(server, upload_id)).size_bytes for upload_id in (one, two)] == [5, 5]


async def test_create__more_than_may_be_unfinished_are_refused(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", team_max_uploads=1) as server:
        upload_id = (await create(server, request_id="first")).upload_id
        failure = await failure_of(create(server))

        assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS")
        assert (await create(server, request_id="first")).upload_id == upload_id
        await complete(server, upload_id)
        await create(server)


# ── complete ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_complete__again_returns_the_same_file(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"abc")
    first = await complete(server, upload_id, request_id="one")
    assert await complete(server, upload_id) == first
    await server.restart()
    assert await complete(server, upload_id, request_id="two") == first
    call = server.files.CompleteUpload(pb.CompleteUploadRequest(upload_id=upload_id, request_id="one"))
    assert (await call).file == first
    assert dict(await call.trailing_metadata()).get("ingest-replayed") == "1"
    assert len((await server.files.ListFiles(pb.ListFilesRequest())).files) == 1


async def test_complete__twins_make_one_file(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"abc")
    files = await asyncio.gather(*(complete(server, upload_id) for _ in range(20)))
    assert {file.file_id for file in files} == {files[0].file_id}


async def test_complete__what_is_not_as_announced_can_still_be_mended(server: Server) -> None:
    upload_id = (await create(server, size_bytes=6, sha256=hashlib.sha256(b"abcdef").hexdigest())).upload_id
    await write(server, upload_id, 0, b"abc")
    before = server.belongings()
    assert (await failure_of(complete(server, upload_id))).reason == "SIZE_MISMATCH"
    assert server.belongings() == before
    await write(server, upload_id, 3, b"def")
    assert (await failure_of(complete(server, upload_id, sha256="0" * 64))).reason == "SHA256_MISMATCH"
    file = await complete(server, upload_id)
    assert (await failure_of(complete(server, upload_id, sha256="0" * 64))).reason == "SHA256_MISMATCH"
    assert await complete(server, upload_id, sha256=file.sha256) == file


async def test_complete__with_another_digest_leaves_nothing(server: Server) -> None:
    upload_id = (await create(server, sha256="0" * 64)).upload_id
    await write(server, upload_id, 0, b"abc")
    before = server.belongings()
    failure = await failure_of(complete(server, upload_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SHA256_MISMATCH")
    assert server.belongings() == before


async def test_complete__then_write_is_refused(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    file = await complete(server, upload_id)
    failure = await failure_of(write(server, upload_id, 0, b"x"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "UPLOAD_COMPLETED")
    assert failure.metadata["file_id"] == file.file_id


async def test_complete__equal_bytes_are_stored_once(server: Server) -> None:
    await server.upload("first.bin", b"abc")
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"abc")
    await complete(server, upload_id)
    on_disk = server.belongings()["on disk"]
    assert isinstance(on_disk, list)
    assert len(on_disk) == 1


async def test_complete__external_id_that_was_taken_meanwhile(server: Server) -> None:
    upload_id = (await create(server, external_id="mine")).upload_id
    other = await complete(server, (await create(server, external_id="mine")).upload_id)
    for call in (complete(server, upload_id), create(server, external_id="mine")):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_TAKEN")
        assert failure.metadata["resource_id"] == other.file_id
    await server.files.DeleteFile(pb.DeleteFileRequest(file_id=other.file_id))
    assert (await complete(server, upload_id)).external_id == "mine"


async def test_complete__spool_that_a_crash_left_is_dropped_at_the_next_start(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    await write(server, upload_id, 0, b"abc")
    path = spooled(server)[0]
    await complete(server, upload_id)
    path.write_bytes(b"abc")
    (path.parent / "what is this").write_bytes(b"")
    await server.restart()
    assert spooled(server) == []


# ── expiry ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_upload__is_dropped_a_day_after_its_last_write(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    server.clock.advance(20 * 3_600)
    await write(server, upload_id, 0, b"abc")
    server.clock.advance(20 * 3_600)
    await server.app.janitor.step()
    assert (await get(server, upload_id)).expires_at.seconds == server.clock.now() // MICROSECONDS + 4 * 3_600
    server.clock.advance(4 * 3_600)
    await server.app.janitor.step()
    assert (await failure_of(get(server, upload_id))).reason == "UPLOAD_NOT_FOUND"
    assert spooled(server) == []


async def test_upload__complete_is_forgotten_but_not_its_file(server: Server) -> None:
    upload_id = (await create(server)).upload_id
    file = await complete(server, upload_id)
    server.clock.advance(25 * 3_600)
    await server.app.janitor.step()
    assert (await failure_of(complete(server, upload_id))).reason == "UPLOAD_NOT_FOUND"
    assert (await server.files.GetFile(pb.GetFileRequest(file_id=file.file_id))).file == file
