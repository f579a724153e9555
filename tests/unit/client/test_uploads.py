"""Uploads in parts, against a world that keeps the bytes as a server does and fails as it is told."""

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import (
    CompleteUploadRequest,
    CompleteUploadResponse,
    CreateUploadRequest,
    CreateUploadResponse,
    File,
    GetUploadRequest,
    GetUploadResponse,
    ImportFileResponse,
    UpdateFileResponse,
    Upload,
    WriteUploadRequest,
    WriteUploadResponse,
)
from ingest_grpc.client.operations import file_changes, files, uploads
from tests.unit.client.world import World, failure, script

CHUNK = 4
CONTENT = b"0123456789"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(files, "RESUMABLE_BYTES", 5)
    monkeypatch.setattr(files, "SMALL_FILE_BYTES", 2)


class Service:
    """Keeps one upload. `before` and `after` a write, by its number from 1, something may go wrong."""

    def __init__(
        self,
        *,
        stored: bytes = b"",
        before: Mapping[int, Exception] | None = None,
        after: Mapping[int, Exception] | None = None,
    ) -> None:
        self.stored = stored
        self.file_id: str | None = None
        self.offsets: list[int] = []
        self.before, self.after = dict(before or {}), dict(after or {})
        self.world = World(
            CreateUpload=self._create, WriteUpload=self._write, GetUpload=self._get, CompleteUpload=self._complete
        )

    def _upload(self) -> Upload:
        return Upload(upload_id="up-1", committed_bytes=len(self.stored), file_id=self.file_id)

    def _create(self, _request: CreateUploadRequest) -> CreateUploadResponse:
        return CreateUploadResponse(upload=self._upload())

    def _get(self, _request: GetUploadRequest) -> GetUploadResponse:
        return GetUploadResponse(upload=self._upload())

    def _write(self, request: WriteUploadRequest) -> WriteUploadResponse:
        self.offsets.append(request.offset)
        number = len(self.offsets)
        if number in self.before:
            raise self.before[number]
        if request.offset != len(self.stored):
            error = failure("OUT_OF_RANGE", "UPLOAD_OFFSET")
            error.metadata = {"committed_bytes": str(len(self.stored))}
            raise error
        self.stored += request.data
        if number in self.after:
            raise self.after[number]
        return WriteUploadResponse(committed_bytes=len(self.stored))

    def _complete(self, _request: CompleteUploadRequest) -> CompleteUploadResponse:
        self.file_id = "file-1"
        return CompleteUploadResponse(file=File(file_id="file-1", size_bytes=len(self.stored)))

    def upload(self, **options: Any) -> File:
        return self.world.run(files.upload(self.world.session, CONTENT, filename="a.bin", **options))


def test_upload__above_the_threshold_goes_in_parts() -> None:
    service = Service()
    seen: list[tuple[int, int]] = []
    file = service.upload(
        path="docs/a.bin", content_type="x/y", external_id="mine", on_progress=lambda *moved: seen.append(moved)
    )
    created = service.world.requests[0]
    assert (created.filename, created.path, created.content_type) == ("a.bin", "docs/a.bin", "x/y")
    assert (created.size_bytes, created.sha256) == (10, hashlib.sha256(CONTENT).hexdigest())
    assert (created.external_id, created.request_id) == ("mine", "request-1")
    assert (file.file_id, service.stored, service.offsets) == ("file-1", CONTENT, [0, 4, 8])
    assert seen == [(0, 10), (4, 10), (8, 10), (10, 10)]
    assert service.world.requests[-1].sha256 == created.sha256


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNKNOWN", "CANCELLED"])
def test_upload__goes_on_where_it_broke(code: str) -> None:
    lost = Service(before={2: failure(code)})
    lost.upload()
    assert (lost.stored, lost.offsets) == (CONTENT, [0, 4, 4, 8])
    written = Service(after={2: failure(code)})  # only the answer was lost: nothing is sent twice
    written.upload()
    assert (written.stored, written.offsets) == (CONTENT, [0, 4, 8])


def test_upload__goes_on_in_another_process() -> None:
    service = Service(stored=CONTENT[:8])
    seen: list[int] = []
    service.upload(request_id="mine", on_progress=lambda done, total: seen.append(done))
    assert (service.stored, service.offsets, seen) == (CONTENT, [8], [8, 10])
    assert service.world.requests[0].request_id == "mine"


def test_upload__that_is_complete_already_sends_nothing() -> None:
    service = Service(stored=CONTENT)
    service.file_id = "file-1"
    assert service.upload().file_id == "file-1"
    assert service.offsets == []


def test_upload__to_a_server_that_lost_bytes_goes_back() -> None:
    service = Service(stored=CONTENT[:8])

    def forgetful(request: WriteUploadRequest) -> WriteUploadResponse:
        service.stored = CONTENT[:4]  # restored from a backup
        service.world.handlers["WriteUpload"] = service._write
        return service._write(request)

    service.world.handlers["WriteUpload"] = forgetful
    service.upload()
    assert (service.stored, service.offsets) == (CONTENT, [8, 4, 8])


def test_upload__of_other_bytes_than_those_that_are_there_is_given_up() -> None:
    service = Service()
    error = failure("OUT_OF_RANGE", "UPLOAD_OFFSET")
    error.metadata = {"committed_bytes": "8"}
    service.before = {1: error}
    with pytest.raises(IngestCallError, match="UPLOAD_OFFSET"):
        service.upload()
    assert service.offsets == [0]


def test_upload__raises_at_once_what_will_not_pass() -> None:
    service = Service(before={2: failure("INVALID_ARGUMENT", "FILE_TOO_LARGE")})
    with pytest.raises(IngestCallError, match="FILE_TOO_LARGE"):
        service.upload()
    assert service.world.slept == []


def test_upload__an_error_of_the_service_is_no_broken_connection() -> None:
    service = Service(before={1: failure("INTERNAL", "INTERNAL")})
    with pytest.raises(IngestCallError):
        service.upload()


def test_upload__gives_up_when_nothing_gets_through_any_more() -> None:
    service = Service(before=dict.fromkeys(range(2, 1_000), failure()))
    with pytest.raises(IngestCallError):
        service.upload()
    assert 0 < sum(service.world.slept) < service.world.session.timeout


def test_upload__goes_on_as_long_as_something_gets_through() -> None:
    service = Service(before=dict.fromkeys((1, 3, 5), failure()))

    def slow(_done: int, _total: int) -> None:
        service.world.now += service.world.session.timeout

    service.upload(on_progress=slow)
    assert service.stored == CONTENT


def test_upload__a_completion_may_take_longer_for_a_large_file() -> None:
    service = Service()
    tries = [failure("DEADLINE_EXCEEDED")] * 3

    def slow(request: CompleteUploadRequest) -> CompleteUploadResponse:
        service.world.now += 15
        if tries:
            raise tries.pop()
        return service._complete(request)

    service.world.handlers["CompleteUpload"] = slow
    assert service.upload().file_id == "file-1"
    ids = {each.request_id for each in service.world.requests if isinstance(each, CompleteUploadRequest)}
    assert len(ids) == 1


def test_upload__of_a_source_that_became_shorter() -> None:
    source = io.BytesIO(CONTENT)
    service = Service()

    def shorten(done: int, _total: int) -> None:
        if done == CHUNK:
            source.truncate(CHUNK)

    with pytest.raises(OSError, match="became shorter"):
        service.world.run(files.upload(service.world.session, source, filename="a.bin", on_progress=shorten))


def test_upload__from_the_middle_of_an_open_file() -> None:
    service = Service()
    source = io.BytesIO(b"not this" + CONTENT)
    source.seek(8)
    service.world.run(files.upload(service.world.session, source, filename="a.bin"))
    assert service.stored == CONTENT


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (lambda session: uploads.create_upload(session, "a.bin", size_bytes=4), "up-1"),
        (lambda session: uploads.get_upload(session, "up-1"), "up-1"),
        (lambda session: uploads.write_upload(session, "up-1", 0, b"0123"), 4),
        (lambda session: uploads.complete_upload(session, "up-1"), "file-1"),
    ],
)
def test_steps__one_by_one(operation: Callable[[Any], Any], result: object) -> None:
    world = Service().world
    answer = world.run(operation(world.session))
    found = [getattr(answer, name, "") for name in ("upload_id", "file_id")]
    assert result in [answer, *found]


def test_import_file__sends_what_is_given() -> None:
    world = World(ImportFile=script(ImportFileResponse(file=File(file_id="file-1"))))
    world.run(file_changes.import_file(world.session, "s3://bucket/a", filename="b", external_id="mine"))
    (request,) = world.requests
    assert (request.url, request.filename, request.external_id) == ("s3://bucket/a", "b", "mine")
    assert request.request_id == "request-1"


def test_update_file__masks_what_is_given() -> None:
    world = World(UpdateFile=lambda _request: UpdateFileResponse())
    run = world.run
    run(file_changes.update_file(world.session, "file-1", filename="b"))
    run(file_changes.update_file(world.session, "file-1", metadata={"a": 1, "b": True}, etag="e"))
    run(file_changes.update_file(world.session, "file-1", metadata={}, never_expires=True))
    assert [list(request.update_mask.paths) for request in world.requests] == [
        ["filename"],
        ["metadata"],
        ["metadata", "expires_at"],
    ]
    assert dict(world.requests[1].metadata) == {"a": 1, "b": True}
    assert not world.requests[2].HasField("expires_at")


def test_update_file__refuses_what_cannot_be_meant() -> None:
    world = World()
    without_a_zone = datetime(2030, 1, 1)  # noqa: DTZ001 - that is what is wrong
    for options in ({"expires_at": without_a_zone}, {"expires_at": datetime.now(UTC), "never_expires": True}):
        with pytest.raises(ValueError, match="time zone"):
            world.run(file_changes.update_file(world.session, "file-1", **options))
