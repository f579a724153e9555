"""UpdateFile, expiry, external ids and the filters of ListFiles over a real channel."""

from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.clock import MICROSECONDS
from ingest_grpc.service.file_updates import FileUpdateService
from ingest_grpc.store.interface import WriteUnit
from ingest_grpc.v1 import file_pb2
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, FileToAdd, RemoveFilesRequest
from tests.integration.api.answers import failure_of
from tests.integration.serving import Server


def struct(values: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


def later(server: Server, seconds: int) -> Timestamp:
    return Timestamp(seconds=server.clock.now() // MICROSECONDS + seconds)


async def update(server: Server, file_id: str, **fields: Any) -> file_pb2.File:
    return (await server.files.UpdateFile(pb.UpdateFileRequest(file_id=file_id, **fields))).file


async def exists(server: Server, file_id: str) -> bool:
    listed = (await server.files.ListFiles(pb.ListFilesRequest())).files
    return file_id in {file.file_id for file in listed}


async def test_update__changes_what_is_present(server: Server) -> None:
    file = await server.upload("a.txt")
    metadata = {"author": "Ada", "year": 1843.0, "draft": False}
    changed = await update(
        server, file.file_id, filename="dir/b.txt", metadata=struct(metadata), expires_at=later(server, 60)
    )
    assert (changed.filename, dict(changed.metadata), changed.expires_at) == ("b.txt", metadata, later(server, 60))
    assert changed.etag != file.etag
    assert (changed.sha256, changed.created_at) == (file.sha256, file.created_at)
    assert await update(server, file.file_id) == changed  # nothing is present
    assert (await server.files.GetFile(pb.GetFileRequest(file_id=file.file_id))).file == changed


async def test_update__a_masked_field_that_is_absent_is_cleared(server: Server) -> None:
    file = await server.upload("a.txt")
    await update(server, file.file_id, metadata=struct({"a": "b"}), expires_at=later(server, 60))
    cleared = await update(
        server, file.file_id, filename="ignored", update_mask=FieldMask(paths=["metadata", "expires_at"])
    )
    assert (cleared.filename, dict(cleared.metadata), cleared.HasField("expires_at")) == ("a.txt", {}, False)
    assert cleared.etag == file.etag


async def test_update__of_what_somebody_else_changed_is_refused(server: Server) -> None:
    file = await server.upload("a.txt")
    changed = await update(server, file.file_id, filename="b.txt", etag=file.etag)
    failure = await failure_of(update(server, file.file_id, filename="c.txt", etag=file.etag))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.metadata["actual_etag"] == changed.etag


async def test_update__replay_changes_nothing(server: Server) -> None:
    file = await server.upload("a.txt")
    await update(server, file.file_id, filename="b.txt", request_id="one")
    await update(server, file.file_id, filename="c.txt")
    await server.restart()
    assert (await update(server, file.file_id, filename="b.txt", request_id="one")).filename == "c.txt"
    assert (await failure_of(update(server, file.file_id, request_id="one"))).reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"filename": ""}, "filename"),
        ({"update_mask": FieldMask(paths=["filename"])}, "filename"),
        ({"update_mask": FieldMask(paths=["sha256"])}, "update_mask.paths[0]"),
        ({"metadata": struct({str(number): 1 for number in range(51)})}, "metadata"),
        ({"metadata": struct({"": "x"})}, "metadata"),
        ({"metadata": struct({"k" * 64: "x"})}, "metadata"),
        ({"metadata": struct({"a": "x" * 513})}, "metadata[a]"),
        ({"metadata": struct({"a": None})}, "metadata[a]"),
        ({"metadata": struct({"a": ["b"]})}, "metadata[a]"),
        ({"metadata": struct({"a": {"b": "c"}})}, "metadata[a]"),
        ({"metadata": struct({"a": float("nan")})}, "metadata[a]"),
        ({"expires_at": Timestamp(seconds=1)}, "expires_at"),
        ({"expires_at": Timestamp(seconds=-1)}, "expires_at"),
        ({"expires_at": Timestamp(seconds=2**60)}, "expires_at"),
        ({"request_id": "x" * 65}, "request_id"),
    ],
)
async def test_update__bad_input(server: Server, fields: dict[str, Any], field: str) -> None:
    file = await server.upload("a.txt")
    before = server.belongings()
    failure = await failure_of(update(server, file.file_id, **fields))
    assert (failure.reason, failure.fields) == ("INVALID_FIELD", [field])
    assert server.belongings() == before


async def test_update__of_a_file_that_is_not_there(server: Server) -> None:
    file = await server.upload("a.txt")
    await server.files.DeleteFile(pb.DeleteFileRequest(file_id=file.file_id))
    assert (await failure_of(update(server, file.file_id, filename="b"))).reason == "FILE_NOT_FOUND"
    assert (await failure_of(update(server, "dj-1", filename="b"))).reason == "INVALID_ID"


# ── expiry ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_expiry__deletes_a_file_that_no_job_lists(server: Server) -> None:
    file, kept = await server.upload("a.txt"), await server.upload("b.txt")
    await update(server, file.file_id, expires_at=later(server, 60))
    await server.app.janitor.step()
    assert await exists(server, file.file_id)
    server.clock.advance(60)
    await server.app.janitor.step()
    assert not await exists(server, file.file_id)
    assert await exists(server, kept.file_id)
    on_disk = server.belongings()["on disk"]
    assert isinstance(on_disk, list)
    assert len(on_disk) == 1


async def test_expiry__waits_for_the_jobs_that_list_the_file(server: Server) -> None:
    job = await server.finished_job("a.txt")
    files = (await server.files.ListFiles(pb.ListFilesRequest())).files
    for file in files:  # the source and its output
        await update(server, file.file_id, expires_at=later(server, 60))
    markdown = await server.upload("notes.md", b"# Title\n")
    await update(server, markdown.file_id, expires_at=later(server, 60))
    await server.add(job, "c.txt")
    server.clock.advance(61)
    await server.app.janitor.step()
    assert not await exists(server, markdown.file_id)
    assert [await exists(server, file.file_id) for file in files] == [True, True]
    await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, file_ids=[file.file_id for file in files]))
    await server.app.janitor.step()
    assert [await exists(server, file.file_id) for file in files] == [False, False]


async def test_expiry__goes_past_files_that_jobs_list(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than one batch, all with the same time: nothing of what follows is missed, and nobody waits."""
    monkeypatch.setattr("ingest_grpc.service.file_updates.EXPIRED_BATCH", 2)
    names = [f"{number}.txt" for number in range(5)]
    await server.job(*names)
    for number in range(3):
        await server.upload(f"free {number}.txt")
    for file in (await server.files.ListFiles(pb.ListFilesRequest())).files:
        await update(server, file.file_id, expires_at=later(server, 60))
    server.clock.advance(61)
    updates = FileUpdateService(server.app.store, server.clock)
    assert await updates.delete_expired() == 3
    assert await listed(server) == names[::-1]
    with monkeypatch.context() as patched:
        patched.setattr(server.app.store, "write", None)
        assert await updates.delete_expired() == 0, "without a transaction that others wait for"


async def test_expiry__leaves_a_file_that_a_job_lists_by_now(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    job, file = await server.job(), await server.upload("a.txt")
    await update(server, file.file_id, expires_at=later(server, 60))
    server.clock.advance(61)
    store = server.app.store
    write = store.write

    async def write_later(unit: WriteUnit[int]) -> int:
        monkeypatch.setattr(store, "write", write)
        files = [FileToAdd(file_id=file.file_id)]
        await server.jobs.AddFiles(AddFilesRequest(job_id=job.job_id, files=files))
        return await write(unit)

    monkeypatch.setattr(store, "write", write_later)
    assert await FileUpdateService(store, server.clock).delete_expired() == 0
    assert await exists(server, file.file_id)


async def test_expiry__taken_back_in_time(server: Server) -> None:
    file = await server.upload("a.txt")
    await update(server, file.file_id, expires_at=later(server, 60))
    await update(server, file.file_id, update_mask=FieldMask(paths=["expires_at"]))
    server.clock.advance(61)
    await server.app.janitor.step()
    assert await exists(server, file.file_id)


# ── external ids and filters ───────────────────────────────────────────────────────────────────────────────


async def create(server: Server, filename: str, external_id: str = "", request_id: str = "") -> file_pb2.File:
    request = pb.CreateFileRequest(
        filename=filename, content=filename.encode(), external_id=external_id, request_id=request_id
    )
    return (await server.files.CreateFile(request)).file


async def listed(server: Server, **filters: Any) -> list[str]:
    names, token = [], ""
    while True:
        page = await server.files.ListFiles(pb.ListFilesRequest(page_token=token, **filters))
        names += [file.filename for file in page.files]
        if not (token := page.next_page_token):
            return names


async def test_external_id__is_taken_once(server: Server) -> None:
    file = await create(server, "a.txt", "mine", "one")
    assert file.external_id == "mine"
    failure = await failure_of(create(server, "b.txt", "mine"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_TAKEN")
    assert failure.metadata["resource_id"] == file.file_id
    assert await create(server, "a.txt", "mine", "one") == file
    await server.files.DeleteFile(pb.DeleteFileRequest(file_id=file.file_id))
    assert (await create(server, "b.txt", "mine")).external_id == "mine"


async def test_list__filters(server: Server) -> None:
    for name, external_id in (("Report 1.txt", "r1"), ("report 2.txt", ""), ("notes.txt", "n1")):
        await create(server, name, external_id)
    assert await listed(server, filename_contains="REPORT") == ["report 2.txt", "Report 1.txt"]
    assert await listed(server, filename_contains="report", page_size=1) == ["report 2.txt", "Report 1.txt"]
    assert await listed(server, external_id="r1") == ["Report 1.txt"]
    assert await listed(server, external_id="r1", filename_contains="notes") == []
    assert await listed(server, external_id="r1", kind=file_pb2.FileKind.FILE_KIND_OUTPUT) == []
    assert await listed(server, external_id="nobody") == []
    assert await listed(server, page_size=3) == ["notes.txt", "report 2.txt", "Report 1.txt"]


async def test_list__token_of_another_filter_is_refused(server: Server) -> None:
    for name in ("a.txt", "b.txt"):
        await create(server, name)
    page = await server.files.ListFiles(pb.ListFilesRequest(page_size=1, filename_contains="txt"))
    other = pb.ListFilesRequest(page_size=1, page_token=page.next_page_token)
    assert (await failure_of(server.files.ListFiles(other))).reason == "INVALID_PAGE_TOKEN"


async def test_list__looks_at_a_bounded_number_of_files(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.store.sqlite.bounded.BATCH", 2)
    monkeypatch.setattr("ingest_grpc.store.sqlite.bounded.MAX_SCANNED", 4)
    for number in range(10):
        await create(server, f"{number}.txt")
    page = await server.files.ListFiles(pb.ListFilesRequest(filename_contains="0."))
    assert (list(page.files), bool(page.next_page_token)) == ([], True)
    assert await listed(server, filename_contains="0.") == ["0.txt"]


async def test_total__by_name_counts_among_the_newest(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.store.sqlite.bounded.MAX_SCANNED", 3)
    for name in ("a.txt", "b.txt", "a.md", "a.pdf"):
        await create(server, name, external_id=name)

    async def total(**wanted: Any) -> int:
        request = pb.ListFilesRequest(include_total=True, page_size=1, **wanted)
        return (await server.files.ListFiles(request)).total

    uploads = file_pb2.FileKind.FILE_KIND_UPLOAD
    assert [await total(filename_contains="A."), await total(filename_contains="a.", kind=uploads)] == [2, 2]
    assert await total(filename_contains="a.", kind=file_pb2.FileKind.FILE_KIND_OUTPUT) == 0
    assert [await total(external_id="a.txt"), await total(external_id="a.txt", filename_contains="b")] == [1, 0]
