"""Archives as the child sees them: recognised by a look, unpacked into frames, bounded by what really comes out."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import archive
from ingest_grpc.pipeline.parse.members import MAX_FRAME_BYTES
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from tests import documents
from tests.hostile.archives import Member, raw_zip
from tests.limits import limits
from tests.wild_documents import book, zipped

Unit = tuple[int, int, str]


@dataclass
class Received:
    """A MemberWriter that keeps what it is given."""

    members: dict[str, bytes] = field(default_factory=dict)
    aborted: list[str] = field(default_factory=list)
    largest: int = 0
    _path: str = ""
    _content: bytes = b""

    def begin(self, path: str) -> None:
        self._path, self._content = path, b""

    def content(self, data: bytes) -> None:
        self.largest = max(self.largest, len(data))
        self._content += data

    def end(self) -> None:
        self.members[self._path] = self._content

    def abort(self) -> None:
        self.aborted.append(self._path)


@contextmanager
def opened(folder: Path, data: bytes) -> Iterator[int]:
    path = folder / "file"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0, "whoever reads next begins at the start"
    finally:
        os.close(descriptor)


def unpacked(folder: Path, data: bytes, **changed: Any) -> tuple[Received, archive.Unpacked, list[Unit]]:
    received, units = Received(), list[Unit]()
    with opened(folder, data) as descriptor:
        what = archive.unpack(descriptor, received, limits(**changed), lambda *unit: units.append(unit))  # type: ignore[arg-type]
    return received, what, units


def refusal(folder: Path, data: bytes, **changed: Any) -> Reason:
    with pytest.raises(ParseFailure) as failure:
        unpacked(folder, data, **changed)
    return failure.value.reason


def encrypted(data: bytes, *names: str) -> bytes:
    """The same archive with the flag of encryption on some members. Their names are found as bytes: long ones only, for
    a single letter may stand in the time of a header."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        entries = [source.getinfo(name) for name in names]
        central = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    for entry in entries:
        changed[entry.header_offset + 6] |= 1
        at = changed.index(entry.filename.encode(), central) - 46
        changed[at + 8] |= 1
    return bytes(changed)


def link(name: str, target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target_archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o120777 << 16
        target_archive.writestr(entry, target)
        target_archive.writestr("a.txt", "words")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "filename", "warnings"),
    [
        (zipped({"a.txt": b"a"}), "files.zip", ()),
        (zipped({"a.txt": b"a"}), "files", ()),
        (zipped({"a.txt": b"a"}), "notes.txt", ("the file's name or declared type says TXT, its content is ZIP",)),
        (b"PK\x05\x06" + bytes(18), "empty.zip", ()),
        (zipped({"a.txt": b"a"}), "letter.docx", None),
        (documents.word(), "letter.zip", None),
        (book(), "book.zip", None),
        (documents.plain_zip(("META-INF/MANIFEST.MF", "A.class")), "program.zip", None),
        (documents.pdf(), "a.zip", None),
        (b"PK\x03\x04 no archive", "a.zip", None),
        (b"", "a.zip", None),
    ],
)
def test_an_archive__is_recognised_by_a_look(
    tmp_path: Path, data: bytes, filename: str, warnings: tuple[str, ...] | None
) -> None:
    with opened(tmp_path, data) as descriptor:
        assert archive.warnings_if_archive(descriptor, filename, "") == warnings


def test_unpack__files_in_their_order_without_folders_and_clutter(tmp_path: Path) -> None:
    data = zipped(
        {"a.txt": b"a", "folder/": b"", "folder/b.txt": b"bb", "empty.txt": b"", "__MACOSX/._a.txt": b"x",
         "folder/.DS_Store": b"x"}
    )  # fmt: skip
    received, what, units = unpacked(tmp_path, data)
    assert received.members == {"a.txt": b"a", "folder/b.txt": b"bb", "empty.txt": b""}
    assert (what.files, what.losses) == (3, [])
    assert units == [(1, 3, "files"), (2, 3, "files"), (3, 3, "files")]


def test_unpack__a_large_member_comes_in_frames(tmp_path: Path) -> None:
    content = os.urandom(3 * MAX_FRAME_BYTES + 5)
    received, _, _ = unpacked(tmp_path, zipped({"a": content}))
    assert received.members["a"] == content
    assert received.largest <= MAX_FRAME_BYTES


def test_unpack__what_cannot_be_read_is_a_loss(tmp_path: Path) -> None:
    data = zipped({"good.txt": b"good", "secret.txt": b"secret", "torn.txt": os.urandom(2000)})
    data = documents.damaged(encrypted(data, "secret.txt"), "torn.txt")
    received, what, _ = unpacked(tmp_path, data)
    assert (received.members, received.aborted) == ({"good.txt": b"good"}, ["torn.txt"])
    assert "'secret.txt' is encrypted" in what.losses
    assert any(loss.startswith("'torn.txt' cannot be read") for loss in what.losses)


def test_unpack__a_file_may_have_no_name(tmp_path: Path) -> None:
    received, _, _ = unpacked(tmp_path, zipped({"xx.txt": b"a"}).replace(b"xx.txt", b"\0x.txt"))
    assert received.members == {"": b"a"}


def test_unpack__more_than_its_directory_admits_is_stopped_in_between(tmp_path: Path) -> None:
    """The sum of what is claimed is small, and each lie is found when its member is read."""
    data = zipped({"s": b"", "a": bytes(10**6), "b": bytes(10**6)})
    assert refusal(tmp_path, data, max_archive_bytes=10**6) is Reason.DECOMPRESSION_BOMB
    lying = data.replace((10**6).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    received, what, _ = unpacked(tmp_path, lying, max_archive_bytes=10**6)
    assert (received.members, len(what.losses)) == ({"s": b""}, 2)


def test_unpack__a_link_is_a_loss(tmp_path: Path) -> None:
    received, what, _ = unpacked(tmp_path, link("passwords", "/etc/passwd"))
    assert (list(received.members), what.losses) == (["a.txt"], ["'passwords' is a link or a device"])


def test_unpack__names_in_utf8_that_do_not_say_so(tmp_path: Path) -> None:
    data = zipped({"xx.txt": b"a"}).replace(b"xx.txt", "ü.txt".encode())
    received, _, _ = unpacked(tmp_path, data)
    assert list(received.members) == ["ü.txt"]


@pytest.mark.parametrize(
    ("make", "changed", "reason"),
    [
        (lambda: b"PK\x05\x06" + bytes(18), {}, Reason.EMPTY_FILE),
        (lambda: zipped({"folder/": b""}), {}, Reason.EMPTY_FILE),
        (lambda: encrypted(zipped({"1.txt": b"a", "2.txt": b"b"}), "1.txt", "2.txt"), {}, Reason.FILE_ENCRYPTED),
        (lambda: documents.damaged(zipped({"a": os.urandom(200)}), "a"), {}, Reason.FILE_UNREADABLE),
        (lambda: zipped({"a": b"a"})[:-10], {}, Reason.FILE_UNREADABLE),
        (lambda: zipped({str(n): b"x" for n in range(4)}), {"max_archive_files": 3}, Reason.TOO_MANY_ENTRIES),
        (lambda: zipped({"s": b"", "a": bytes(10**6)}), {"max_archive_bytes": 10**5}, Reason.DECOMPRESSION_BOMB),
        (
            lambda: zipped({"s": b"", "a": bytes(4 * 2**20)}),
            {"max_expanded_bytes": 2**20, "max_expansion_ratio": 2},
            Reason.DECOMPRESSION_BOMB,
        ),
    ],
    ids=["empty", "folders", "encrypted", "torn", "cut", "many", "large", "ratio"],
)
def test_unpack__refusals(tmp_path: Path, make: Callable[[], bytes], changed: dict[str, int], reason: Reason) -> None:
    assert refusal(tmp_path, make(), **changed) is reason


def test_unpack__a_header_that_lies_about_its_size_does_not_let_more_through(tmp_path: Path) -> None:
    data = zipped({"s": b"", "a": bytes(10**6)})
    size = (10**6).to_bytes(4, "little")
    received, what, _ = unpacked(tmp_path, data.replace(size, (10).to_bytes(4, "little")))
    assert "a" not in received.members
    assert len(what.losses) == 1


def test_member_headers__are_json(tmp_path: Path) -> None:
    from ingest_grpc.pipeline.parse.members import LENGTH, MemberWriter

    path = tmp_path / "frames"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    writer = MemberWriter(descriptor)
    writer.begin("a\ud800b")
    writer.content(b"xyz")
    writer.end()
    os.close(descriptor)
    data = path.read_bytes()
    (length,) = LENGTH.unpack(data[:4])
    assert json.loads(data[4 : 4 + length]) == {"path": "a\ud800b"}
    assert data[4 + length :] == LENGTH.pack(3) + b"xyz" + LENGTH.pack(0)


def test_unpack__a_member_without_a_name(tmp_path: Path) -> None:
    data = raw_zip([Member(b"", b"nameless"), Member(b"a.txt", b"words")])
    received, what, _ = unpacked(tmp_path, data)
    assert (what.files, received.members["a.txt"]) == (2, b"words")
