"""Pictures, old Office files and what is no document at all: bombs of pixels, torn containers, wrong names."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from tests import compound_files, documents
from tests.hostile.case import COMPLETED, OFFICE, PDF, TEXT, Case, case
from tests.hostile.seeds import seeds

PICTURE = frozenset({Reason.NO_TEXT, Reason.FILE_UNREADABLE, Reason.IMAGE_TOO_LARGE, Reason.TOO_MANY_PAGES})
OTHER = frozenset({Reason.UNSUPPORTED_TYPE})
ANY = OFFICE | OTHER | TEXT | PDF | PICTURE | {COMPLETED, Reason.FILE_ENCRYPTED}


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def tiff(width: int, height: int, next_directory: int = 0) -> bytes:
    """A directory that names itself as the next one goes round for ever."""
    tags = (
        (256, 4, width),
        (257, 4, height),
        (258, 3, 1),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 0),
        (278, 4, height),
        (279, 4, 10),
    )
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + body + struct.pack("<I", next_directory)


def pictures() -> Iterator[Case]:
    yield case("wide.png", png(2**31 - 1, 2**31 - 1), PICTURE)
    yield case("bomb.png", lambda: png(50_000, 50_000, bytes(6_251 * 50_000)), PICTURE)
    yield case("no-size.png", png(0, 0), PICTURE)
    yield case("wide.tiff", tiff(2**32 - 1, 2**32 - 1), PICTURE)
    yield case("directory-in-itself.tiff", tiff(10, 10, next_directory=8), PICTURE)
    yield case("nothing.tiff", b"II*\0", PICTURE, OTHER)
    yield case("big.tiff", b"II+\0\x08\0\0\0" + b"\xff" * 100, PICTURE, OTHER)
    yield case(
        "wide.jpeg",
        b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01" + bytes(100),
        PICTURE,
    )
    yield case("segments.jpeg", b"\xff\xd8" + b"\xff\xe1\x00\x02" * 500_000, PICTURE)
    yield case("wide.webp", b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\xff\x07\0\0\0", PICTURE)
    yield case("picture.gif", b"GIF89a\xff\xff\xff\xff\0\0\0", OTHER, PICTURE, TEXT)
    yield case(
        "picture.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>words</text><image href="file:///etc/passwd"/></svg>',
        COMPLETED,
        OTHER,
    )
    yield case("polyglot.png", png(10, 10) + b"%PDF-1.7\n", PICTURE | PDF)


def old_office() -> Iterator[Case]:
    whole = compound_files.message()
    yield case("only-the-magic.doc", whole[:8], OFFICE, OTHER)
    yield case("half.msg", whole[: len(whole) // 2], OFFICE, OTHER, COMPLETED)
    for offset, name in (
        (44, "sectors"),
        (48, "directory"),
        (60, "mini-fat"),
        (68, "difat"),
        (30, "sector-size"),
        (76, "fat"),
    ):
        for value in (0, 1, 0xFFFFFFFF, 0x7FFFFFFF):
            torn = whole[:offset] + struct.pack("<I", value) + whole[offset + 4 :]
            yield case(f"{name}-{value:x}.msg", torn, OFFICE, OTHER, COMPLETED)
    yield case("encrypted.doc", compound_files.word_document(encrypted=True), Reason.FILE_ENCRYPTED)
    yield case("encrypted.xls", compound_files.workbook(encrypted=True), Reason.FILE_ENCRYPTED)
    yield case("encrypted.docx", documents.encrypted_office(), Reason.FILE_ENCRYPTED)
    yield case(
        "vast-sectors.xls", compound_files.workbook()[:30] + b"\x06\x01" + compound_files.workbook()[32:], OFFICE
    )
    yield case("zeros.xls", compound_files.compound_file({"Workbook": bytes(9000)}), OFFICE)
    yield case(
        "records-without-end.xls",
        compound_files.compound_file(
            {"Workbook": struct.pack("<HH", 0x809, 16) + bytes(16) + b"\xfc\0\xff\xff" * 2000}
        ),
        OFFICE,
    )
    yield case("other.msi", compound_files.compound_file({"Something": bytes(5000)}), OTHER)


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


def others() -> Iterator[Case]:
    zeros = bytes(2**20)
    for name, data in {
        "a.gz": gzip.compress(zeros),
        "a.bz2": bz2.compress(zeros),
        "a.xz": lzma.compress(zeros),
        "a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
        "a.rar": b"Rar!\x1a\x07\x01\0" + bytes(100),
        "a.tar": _tar(),
        "a.exe": b"MZ" + bytes(1000),
        "a.elf": b"\x7fELF" + bytes(1000),
        "a.wasm": b"\0asm\1\0\0\0" + bytes(100),
        "a.mp4": bytes(4) + b"ftypisom" + bytes(1000),
        "a.sqlite": b"SQLite format 3\0" + bytes(1000),
        "a.class": b"\xca\xfe\xba\xbe" + bytes(100),
        "without-a-name": bytes(range(256)) * 10,
    }.items():
        yield case(name, data, OTHER, TEXT)


def disguised() -> Iterator[Case]:
    """Every kind of content under every kind of name."""
    found = seeds()
    for name in ("a.pdf", "a.docx", "a.html", "a.eml", "a.zip", "letter.doc", "a.png", "a.json", "a.rtf"):
        for suffix in ("pdf", "docx", "xlsx", "txt", "csv", "html", "eml", "odt", "doc", "png", "ipynb", "unknown"):
            if not name.endswith(suffix):
                yield case(f"{name.replace('.', '-')}-as.{suffix}", found[name], ANY)


def cases() -> Iterator[Case]:
    """All bad binaries, and good ones under wrong names."""
    yield from pictures()
    yield from old_office()
    yield from others()
    yield from disguised()
