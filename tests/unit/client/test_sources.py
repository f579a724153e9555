import hashlib
import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from ingest_grpc.client.sources import CHUNK_BYTES, Content, Sink, Source

DATA = b"x" * CHUNK_BYTES + b"tail"


class Pipe(io.BytesIO):
    """Can be read once and not moved, as a pipe."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise io.UnsupportedOperation("seek")


def measured(source: Source, filename: str | None) -> Content:
    content = Content(source, filename)
    content.measure()
    return content


def test_content__a_path_brings_its_name(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(DATA)
    content = measured(str(path), None)
    assert (content.filename, content.size_bytes) == ("report.pdf", len(DATA))
    assert content.sha256 == hashlib.sha256(DATA).hexdigest()
    assert [len(chunk) for chunk in content.chunks()] == [CHUNK_BYTES, 4]
    content.close()
    with pytest.raises(ValueError, match="closed file"):
        next(content.chunks())


def test_content__an_open_file_brings_its_name_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        content = measured(file, None)
        assert content.filename == "report.pdf"
        content.close()
        assert not file.closed


def test_content__a_given_name_wins(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"")
    content = measured(path, "other.pdf")
    assert (content.filename, content.size_bytes, list(content.chunks())) == ("other.pdf", 0, [])
    content.close()


@pytest.mark.parametrize("source", [DATA, io.BytesIO(DATA), Pipe(DATA)], ids=["bytes", "file", "pipe"])
def test_content__can_be_read_again(source: bytes | BinaryIO) -> None:
    content = measured(source, "a.bin")
    assert [b"".join(content.chunks()) for _ in range(2)] == [DATA, DATA]
    content.close()


@pytest.mark.parametrize("name", [None, 7, ""])
def test_content__a_file_without_a_name_needs_one(name: object) -> None:
    class Named(io.BytesIO):
        pass

    file = Named(b"x")
    file.name = name
    with pytest.raises(ValueError, match="needs filename="):
        measured(cast("BinaryIO", file), None)


def test_sink__the_path_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.md"
    sink = Sink(target)
    sink.write(b"one ")
    sink.write(b"two")
    assert not target.exists()
    sink.commit()
    sink.discard()
    assert target.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [target]
    assert (sink.size_bytes, sink.sha256) == (7, hashlib.sha256(b"one two").hexdigest())


def test_sink__nothing_is_left_of_a_broken_download(tmp_path: Path) -> None:
    target = tmp_path / "out.md"
    target.write_bytes(b"the old one")
    sink = Sink(str(target))
    sink.write(b"half")
    sink.discard()
    assert target.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [target]


def test_sink__an_open_file_is_the_callers() -> None:
    file = io.BytesIO()
    sink = Sink(file)
    sink.write(b"data")
    sink.commit()
    sink.discard()
    assert file.getvalue() == b"data"
