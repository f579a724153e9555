"""What a file is: by its content first, then by its declared type, then by its name.

Binary formats have signatures and are believed whatever the name says. Formats made of characters mostly look
alike, so among them the declared type and the name decide, except against an unmistakable beginning.
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.characters import beginning, looks_like_text
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.types import TEXTUAL, Kind, declared_kind, named_kind

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")

_PICTURES = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|BM.{4}\0{4}|RIFF.{4}WEBP|.{4}ftyp(?:heic|heix|mif1|avif)",
    re.DOTALL,
)
_MAIN_PARTS = {"word/": Kind.DOCX, "ppt/": Kind.PPTX, "xl/": Kind.XLSX}

_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(r"\s*<\?xml\s")
_MAIL_HEADER = re.compile(
    r"^(?:From|To|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|Delivered-To|Content-Type):",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD_CHARACTERS = 4096
_JSON_EXAMINED_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file is, and what is odd about it (a name that says something else)."""

    kind: Kind
    warnings: tuple[str, ...] = ()


def detect(data: bytes, filename: str, content_type: str) -> Detected:
    """The kind of a file that is not empty.

    ParseFailure: NO_TEXT for pictures; FILE_ENCRYPTED for protected Office files; UNSUPPORTED_TYPE for what is
    known or unknown but not ours; PDF_UNREADABLE or FILE_UNREADABLE for a file that is not what it says it is.
    """
    declared, named = declared_kind(content_type), named_kind(filename)
    hint = named if declared in (None, Kind.TEXT) and named is not None else declared
    kind = _by_signature(data) or _by_characters(data, hint)
    if kind is None:
        raise _unrecognised(hint)
    if hint is None or hint is kind:
        return Detected(kind)
    return Detected(kind, (f"the file's name or declared type says {hint}, its content is {kind}",))


def _by_signature(data: bytes) -> Kind | None:
    """The kind of a binary format; None if the beginning is none that is known here."""
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data.startswith(b"{\\rtf"):
        return Kind.RTF
    if data.startswith(_ZIP):
        return _by_zip_members(data)
    if data.startswith(_OLE):
        if _ENCRYPTED_PACKAGE in data:
            raise ParseFailure(Reason.FILE_ENCRYPTED, "an encrypted Office package")
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, "an OLE compound file (an Office format before 2007, or MSG)")
    if _PICTURES.match(data):
        raise ParseFailure(Reason.NO_TEXT, "a picture")
    return None


def _by_zip_members(data: bytes) -> Kind | None:
    """The Office format of a ZIP by its folders; None if it is too damaged to tell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return None
    if "[Content_Types].xml" in names:
        for folder, kind in _MAIN_PARTS.items():
            if any(name.startswith(folder) for name in names):
                return kind
    raise ParseFailure(Reason.UNSUPPORTED_TYPE, "a ZIP archive that is no DOCX, PPTX or XLSX")


def _by_characters(data: bytes, hint: Kind | None) -> Kind | None:
    """The kind of a format made of characters; None if the bytes are no text, or their hint says a binary format."""
    if not looks_like_text(data):
        return None
    head = beginning(data, _HEAD_CHARACTERS)
    if _HTML.match(head):
        return Kind.HTML
    if _XML.match(head):
        return hint if hint is Kind.HTML else Kind.XML
    if hint is Kind.RTF and head.lstrip().startswith("{\\"):
        return Kind.RTF  # some programs leave out the first control word
    if hint is not None:
        return hint if hint in TEXTUAL else None
    return _unnamed(data, head)


def _unnamed(data: bytes, head: str) -> Kind:
    """The kind of a text that neither a name nor a declared type says anything about."""
    if len({found.lower() for found in _MAIL_HEADER.findall(head)}) >= 3:
        return Kind.EML
    if head.lstrip()[:1] in ("{", "[") and len(data) <= _JSON_EXAMINED_BYTES and _is_json(data):
        return Kind.JSON
    return Kind.TEXT


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _unrecognised(hint: Kind | None) -> ParseFailure:
    if hint is None or hint in TEXTUAL:
        return ParseFailure(Reason.UNSUPPORTED_TYPE, "binary content of an unknown format")
    reason = Reason.PDF_UNREADABLE if hint is Kind.PDF else Reason.FILE_UNREADABLE
    return ParseFailure(reason, f"the content is no {hint}")
