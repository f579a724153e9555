"""Which failed upload stops the others, and what is sent along with the bytes."""

from pathlib import Path, PurePath
from typing import Any, cast

import grpc
import pytest

from ingest_grpc.cli.display import QuietDisplay
from ingest_grpc.cli.ingest import MAX_NAME, default_name
from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload, upload_all
from ingest_grpc.client.aio import AsyncClient
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import File


class RefusingClient:
    """Stores everything but one path, which fails as the test says."""

    def __init__(self, refused: str, error: Exception) -> None:
        self._refused = refused
        self._error = error
        self.sent: list[tuple[str, str]] = []

    async def upload(self, source: Path, *, filename: str, **more: Any) -> File:
        self.sent.append((filename, more["path"]))
        if source.name == self._refused:
            raise self._error
        return File(filename=filename)


async def upload(client: Any, *names: str) -> list[Upload]:
    sources = [Source(Path("/in", name), PurePath(name)) for name in names]
    return await upload_all(cast(AsyncClient, client), sources, QuietDisplay(), "host:1")


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied"),
        IngestCallError(grpc.StatusCode.INVALID_ARGUMENT, "No.", "FILE_TOO_LARGE"),
    ],
)
async def test_upload__what_is_wrong_with_one_file_does_not_stop_the_others(error: Exception) -> None:
    uploads = await upload(RefusingClient("b.pdf", error), "a.pdf", "b.pdf", "c.pdf")
    assert [each.file is not None for each in uploads] == [True, False, True]
    assert uploads[1].failure is not None


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED])
async def test_upload__what_would_stop_every_file_is_raised(code: grpc.StatusCode) -> None:
    client = RefusingClient("b.pdf", IngestCallError(code, "No."))
    with pytest.raises(IngestCallError):
        await upload(client, "a.pdf", "b.pdf", "c.pdf")


async def test_upload__names_are_sent_as_utf_8() -> None:
    client = RefusingClient("", OSError())
    await upload(client, "sub/b\udcffd.pdf", "d" * 1_500 + "/a.pdf")
    (filename, path), (_, long_path) = client.sent
    assert (filename, path) == ("b\ufffdd.pdf", "sub/b\ufffdd.pdf")
    assert len(long_path) == 1_024
    assert long_path.endswith("/a.pdf")


def test_default_name__says_what_is_in_the_job() -> None:
    def named(*names: str) -> str:
        return default_name([Source(Path(name), PurePath(name)) for name in names])

    assert named("sub/report.pdf") == "report.pdf"
    assert named("report.pdf", *(f"{number}.pdf" for number in range(1_200))) == "report.pdf and 1,200 more"
    assert len(named("ä" * 300, "b")) == MAX_NAME
    assert named("a\udcff.pdf") == "a?.pdf"
