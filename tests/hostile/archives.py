"""ZIP containers that lie, overlap, explode or hold odd names: wrapped around Office documents and bare."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingest_grpc.errors import Reason
from tests import documents
from tests.hostile.case import COMPLETED, OFFICE, Case, case, later

MIB = 2**20
ODD_NAMES = (
    "../../../../etc/passwd", "/etc/passwd", "C:\\windows\\system32\\x", "word/../../x", "a\\..\\..\\b", "\u202egpj.exe",
    "x" * 300, "x/" * 5000 + "x", "con", " ", ".", "..", "new\nline", "\x1b[31mred", "e\u0301\u0301", "word//x", "-rf",
)  # fmt: skip
BARE = frozenset({COMPLETED, Reason.UNSUPPORTED_TYPE, *OFFICE})
"""A ZIP that is no Office document: an archive, whose members are files of their own where that is supported."""


@dataclass(frozen=True)
class Member:
    """One member as it stands in the file; what is None is told truly."""

    name: bytes
    content: bytes
    deflated: bool = True
    flags: int = 0
    method: int | None = None
    claimed_size: int | None = None
    compressed: bytes | None = None
    local_name: bytes | None = None


def raw_zip(
    members: list[Member],
    *,
    comment: bytes = b"",
    before: bytes = b"",
    entries: int | None = None,
    directory_at: int | None = None,
) -> bytes:
    """A ZIP written by hand, so that every field can lie."""
    out, directory = bytearray(before), bytearray()
    for member in members:
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = compressor.compress(member.content) + compressor.flush() if member.deflated else member.content
        packed = packed if member.compressed is None else member.compressed
        method = member.method if member.method is not None else 8 if member.deflated else 0
        size = len(member.content) if member.claimed_size is None else member.claimed_size
        fields = (
            20,
            member.flags,
            method,
            0,
            0x21,
            zlib.crc32(member.content),
            len(packed) & 0xFFFFFFFF,
            size & 0xFFFFFFFF,
        )
        at, name = len(out), member.name if member.local_name is None else member.local_name
        out += struct.pack("<4s5H3I2H", b"PK\3\4", *fields, len(name), 0) + name + packed
        directory += (
            struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, *fields, len(member.name), 0, 0, 0, 0, 0, at) + member.name
        )
    start = len(out) if directory_at is None else directory_at
    count = (len(members) if entries is None else entries) & 0xFFFF
    out += (
        directory
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), start & 0xFFFFFFFF, len(comment))
        + comment
    )
    return bytes(out)


def members_of(archive: bytes) -> list[Member]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return [Member(info.filename.encode(), source.read(info)) for info in source.infolist()]


def overlapping(count: int, kernel: int = 2 * MIB) -> bytes:
    """All members share one kernel of zeros (Fifield, "A better zip bomb"): the directory names it again and again."""
    packed_one = raw_zip([Member(b"xl/a", bytes(kernel))])
    with zipfile.ZipFile(io.BytesIO(packed_one)) as source:
        info = source.infolist()[0]
    local = packed_one[: packed_one.index(b"PK\1\2")]
    entry = packed_one[packed_one.index(b"PK\1\2") : packed_one.index(b"PK\5\6")]
    directory = b"".join(entry[:-4] + b"%04x" % (number & 0xFFFF) for number in range(count))
    assert info.file_size == kernel
    return (
        local
        + directory
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(local), 0)
    )


def nested(levels: int) -> bytes:
    inner = b"the innermost words"
    for level in range(levels):
        inner = raw_zip([Member(b"level-%d.zip" % level if level else b"words.txt", inner)])
    return inner


def with_links() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, to in (("link.txt", "/etc/passwd"), ("folder", "../../.."), ("self", "self")):
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            target.writestr(info, to)
        device = zipfile.ZipInfo("device")
        device.external_attr = (stat.S_IFCHR | 0o777) << 16
        target.writestr(device, "")
    return out.getvalue()


_OFFICE: tuple[tuple[str, Callable[[], bytes], bytes], ...] = (
    ("docx", documents.word, b"word/"),
    ("xlsx", documents.sheet, b"xl/"),
    ("pptx", documents.slides, b"ppt/"),
)


def explosions(suffix: str, members: list[Member], folder: bytes) -> Iterator[Case]:
    """Parts that expand too far."""
    bomb = Reason.DECOMPRESSION_BOMB
    zeros = Member(folder + b"zeros.xml", bytes(200 * MIB))
    yield case(f"bomb-as-a-part.{suffix}", later(lambda m, z: raw_zip([*m, z]), members, zeros), bomb)
    yield case(
        f"bomb-that-claims-little.{suffix}",
        later(lambda m, f: raw_zip([*m, Member(f + b"z.xml", bytes(200 * MIB), claimed_size=10)]), members, folder),
        bomb,
    )
    yield case(
        f"bomb-in-many-parts.{suffix}",
        later(
            lambda m, f: raw_zip([*m, *[Member(f + b"%d.xml" % n, bytes(3 * MIB)) for n in range(100)]]),
            members,
            folder,
        ),
        bomb,
    )


def crowds(suffix: str, members: list[Member], folder: bytes) -> Iterator[Case]:
    """Too many parts, and parts with odd names."""
    bomb = Reason.DECOMPRESSION_BOMB
    yield case(
        f"overlapping-parts.{suffix}",
        later(lambda m, f: raw_zip(m) and overlapping(9_000), members, folder),
        bomb,
        Reason.UNSUPPORTED_TYPE,
        Reason.TOO_MANY_ENTRIES,
        OFFICE,
    )
    yield case(
        f"parts-65000.{suffix}",
        later(
            lambda m, f: raw_zip([*m, *[Member(f + b"%d.xml" % n, b"<a/>") for n in range(65_000)]]),
            members,
            folder,
        ),
        Reason.TOO_MANY_ENTRIES,
    )
    yield case(f"parts-of-one-name.{suffix}", later(lambda m: raw_zip(m * 20), members), COMPLETED, OFFICE)
    yield case(
        f"encrypted-part.{suffix}",
        raw_zip([*members, Member(folder + b"x.xml", b"x", flags=1)]),
        Reason.FILE_ENCRYPTED,
    )
    yield case(
        f"odd-names.{suffix}",
        raw_zip([*members, *[Member(name.encode()[:65_000], b"x") for name in ODD_NAMES]]),
        COMPLETED,
    )


def lies(suffix: str, members: list[Member], folder: bytes) -> Iterator[Case]:
    """Directories and headers that do not agree."""
    for method in (1, 9, 12, 14, 93, 99):
        yield case(
            f"method-{method}.{suffix}",
            raw_zip([*members, Member(folder + b"x.xml", b"x" * 100, method=method)]),
            COMPLETED,
            OFFICE,
        )
    yield case(
        f"other-names-inside.{suffix}",
        raw_zip([Member(m.name, m.content, local_name=b"y" * len(m.name)) for m in members]),
        COMPLETED,
        OFFICE,
    )
    yield case(
        f"junk-before.{suffix}",
        raw_zip(members, before=b"PK\3\4" + b"junk" * 500),
        COMPLETED,
        OFFICE,
        Reason.UNSUPPORTED_TYPE,
    )
    yield case(
        f"second-directory-in-comment.{suffix}",
        raw_zip(members, comment=b"PK\5\6" + bytes(18)),
        COMPLETED,
        OFFICE,
        Reason.UNSUPPORTED_TYPE,
    )
    yield case(
        f"directory-elsewhere.{suffix}", raw_zip(members, directory_at=0xFFFFFFF0), OFFICE, Reason.UNSUPPORTED_TYPE
    )
    yield case(
        f"entries-that-are-not.{suffix}",
        raw_zip(members, entries=60_000),
        COMPLETED,
        OFFICE,
        Reason.UNSUPPORTED_TYPE,
    )


def tears(suffix: str, members: list[Member], folder: bytes) -> Iterator[Case]:
    """Parts whose content is not what the header says."""
    bomb = Reason.DECOMPRESSION_BOMB
    yield case(f"stored-but-deflated.{suffix}", raw_zip([Member(m.name, m.content, method=0) for m in members]), OFFICE)
    yield case(
        f"half-of-each-part.{suffix}",
        raw_zip(
            [Member(m.name, m.content, compressed=zlib.compress(m.content)[2 : len(m.content) // 8]) for m in members]
        ),
        OFFICE,
    )
    yield case(
        f"sizes-beyond-the-end.{suffix}",
        raw_zip([Member(m.name, m.content, claimed_size=0xFFFFFFFF) for m in members]),
        COMPLETED,
        OFFICE,
        bomb,
    )


def in_office() -> Iterator[Case]:
    """Containers of DOCX, XLSX and PPTX."""
    for suffix, make, folder in _OFFICE:
        members = members_of(make())
        for kind in (explosions, crowds, lies, tears):
            yield from kind(suffix, members, folder)


def bare() -> Iterator[Case]:
    """Archives as such."""
    for levels in (3, 40):
        yield case(f"zip-in-zip-{levels}.zip", later(nested, levels), BARE, Reason.TOO_DEEPLY_NESTED)
    yield case("links-and-devices.zip", with_links, BARE)
    yield case("odd-names.zip", raw_zip([Member(name.encode()[:65_000], b"some words") for name in ODD_NAMES]), BARE)
    yield case(
        "undecodable-names.zip", raw_zip([Member(bytes([n, 0xFF, 0xFE]), b"some words") for n in range(128, 250)]), BARE
    )
    yield case(
        "nul-names.zip",
        raw_zip([Member(b"a.txt\0.exe", b"words"), Member(b"\0", b"words"), Member(b"", b"words")]),
        BARE,
    )
    yield case("same-names.zip", raw_zip([Member(b"a.txt", b"words %d" % n) for n in range(500)]), BARE)
    yield case("overlapping.zip", lambda: overlapping(9_000), BARE, Reason.DECOMPRESSION_BOMB, Reason.TOO_MANY_ENTRIES)
    yield case("bomb.zip", lambda: raw_zip([Member(b"zeros.txt", bytes(400 * MIB))]), BARE, Reason.DECOMPRESSION_BOMB)
    yield case("encrypted.zip", raw_zip([Member(b"a.txt", b"words", flags=1)]), BARE, Reason.FILE_ENCRYPTED)
    yield case(
        "members-65000.zip",
        lambda: raw_zip([Member(b"%d.txt" % n, b"x") for n in range(65_000)]),
        BARE,
        Reason.TOO_MANY_ENTRIES,
    )
    yield case("empty.zip", raw_zip([]), BARE)
    yield case("directory-only.zip", raw_zip([])[:10], BARE)
    yield case("folders-only.zip", raw_zip([Member(b"a/" * n, b"", deflated=False) for n in range(1, 50)]), BARE)
    yield case("content-types-only.zip", raw_zip([Member(b"[Content_Types].xml", b"<Types/>")]), BARE)
    yield case(
        "content-types-only.docx",
        raw_zip([Member(b"[Content_Types].xml", b"<Types/>"), Member(b"word/x", b"")]),
        OFFICE,
    )


def cases() -> Iterator[Case]:
    """All bad containers."""
    yield from in_office()
    yield from bare()
