"""ZIP files: which of the formats in that container a file is, by the names of its members."""

import lzma
import re
import struct
import zipfile
import zlib
from typing import BinaryIO

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.types import Kind, declared_kind

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a ZIP begins: with a member, or, an empty one, with its end."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ValueError, OSError, EOFError, RuntimeError)
"""What zipfile raises for damaged, protected or exotic files."""

ZIPPED_DOCUMENTS = frozenset({Kind.DOCX, Kind.PPTX, Kind.XLSX, Kind.ODT, Kind.ODS, Kind.ODP, Kind.EPUB})
"""Formats that are a ZIP inside."""

_MAIN_FOLDERS = {"word/": Kind.DOCX, "ppt/": Kind.PPTX, "xl/": Kind.XLSX}
_MAIN_PARTS = ("word/document", "ppt/presentation", "xl/workbook")
_BINARY_WORKBOOK = "xl/workbook.bin"
_OOXML_MARK = "[Content_Types].xml"
_MEDIA_TYPE = re.compile(
    rb'full-path="/"[^>]{0,500}media-type="([^"]{1,100})"|media-type="([^"]{1,100})"[^>]{0,500}full-path="/"'
)
_PROGRAMS = frozenset({"META-INF/MANIFEST.MF", "AndroidManifest.xml", "Index/Document.iwa", "Index.zip"})
_READ_BYTES = 64 * 1024


def identify(file: BinaryIO) -> Kind | None:
    """The format of a ZIP, Kind.ZIP if it is a plain archive; None if it is too damaged to tell.

    ParseFailure UNSUPPORTED_TYPE for documents and programs in a ZIP that are not ours.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _by_members(archive)
    except UNREADABLE:
        return None


def _by_members(archive: zipfile.ZipFile) -> Kind:
    names = archive.namelist()
    known = frozenset(names)
    if _OOXML_MARK in known:
        return _office(names, known)
    if "mimetype" in known:
        return _of_media_type(_beginning(archive, "mimetype").decode("ascii", "replace").strip())
    if "META-INF/container.xml" in known:
        return Kind.EPUB
    if "content.xml" in known and "META-INF/manifest.xml" in known:
        found = _MEDIA_TYPE.search(_beginning(archive, "META-INF/manifest.xml"))
        return _of_media_type((found[1] or found[2]).decode("ascii", "replace") if found else "unknown")
    if known & _PROGRAMS:
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, "a program or a document of another application")
    return Kind.ZIP


def _office(names: list[str], known: frozenset[str]) -> Kind:
    if _BINARY_WORKBOOK in known:
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, "a binary workbook (XLSB)")
    for mark in (*_MAIN_PARTS, *_MAIN_FOLDERS):  # a damaged package may lack its main part
        if any(name.startswith(mark) for name in names):
            return _MAIN_FOLDERS[mark.partition("/")[0] + "/"]
    raise ParseFailure(Reason.UNSUPPORTED_TYPE, "an Office package that is no DOCX, PPTX or XLSX")


def _of_media_type(media_type: str) -> Kind:
    kind = declared_kind(media_type)
    if kind not in ZIPPED_DOCUMENTS:
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, f"a package of the type {media_type[:100]!r}")
    return kind


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(_READ_BYTES)
