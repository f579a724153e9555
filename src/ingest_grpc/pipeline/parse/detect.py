"""What a file is: by its content first, then by its declared type, then by its name.

Binary formats have signatures and are believed whatever the name says. Formats made of characters mostly look
alike, so among them the declared type and the name decide, except against an unmistakable beginning.
"""

import io
import json
import re
from dataclasses import dataclass

from ingest_grpc.errors import Reason
from ingest_grpc.formats import is_pdf
from ingest_grpc.pipeline.parse import compound, zip_kinds
from ingest_grpc.pipeline.parse.characters import beginning, looks_like_text
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.types import TEXTUAL, Kind, declared_kind, named_kind

_PICTURES = {
    re.compile(rb"\x89PNG\r\n\x1a\n"): Kind.PNG,
    re.compile(rb"\xff\xd8\xff"): Kind.JPEG,
    re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"): Kind.TIFF,
    re.compile(rb"RIFF.{4}WEBP", re.DOTALL): Kind.WEBP,
}

_HTML = re.compile(
    r"\s*+(?:<\?xml[^>]*+>\s*+)?+(?:<!--(?:(?!-->).)*+-->\s*+)*+(?:<!doctype\s+html|<html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*<\?xml\s")
_MAIL_HEADER = re.compile(
    r"^(?:From|To|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|Delivered-To|Content-Type):",
    re.IGNORECASE | re.MULTILINE,
)
_SAVED_PAGE = re.compile(r"^(?:Snapshot-Content-Location:|From: <Saved by )", re.IGNORECASE | re.MULTILINE)
_HEAD_CHARACTERS = 4096
_JSON_EXAMINED_BYTES = 4 * 1024 * 1024
_JSON_LINES_EXAMINED = 20

_TEXT_EXPORTS = {Kind.DOC: Kind.TEXT, Kind.XLS: Kind.TSV}
"""What programs write into a file under an old Office name when they export plain text."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file is, and what is odd about it (a name that says something else)."""

    kind: Kind
    warnings: tuple[str, ...] = ()


def detect(data: bytes, filename: str, content_type: str) -> Detected:
    """The kind of a file that is not empty.

    ParseFailure: FILE_ENCRYPTED for protected Office files; UNSUPPORTED_TYPE for what is known or unknown but
    not ours; PDF_UNREADABLE or FILE_UNREADABLE for a file that is not what it says it is.
    """
    hint = hinted(filename, content_type)
    kind = _by_signature(data) or _by_characters(data, hint)
    if kind is None or (kind is Kind.ZIP and hint in zip_kinds.ZIPPED_DOCUMENTS):
        raise _unrecognised(hint)
    return Detected(kind, mismatch(hint, kind))


def hinted(filename: str, content_type: str) -> Kind | None:
    """What a file is said to be: by its declared type, or by its name where that says more."""
    declared, named = declared_kind(content_type), named_kind(filename)
    return named if declared in (None, Kind.TEXT) and named is not None else declared


def mismatch(hint: Kind | None, kind: Kind) -> tuple[str, ...]:
    """A warning where a file is not what it is said to be."""
    if hint is None or hint is kind:
        return ()
    return (f"the file's name or declared type says {hint}, its content is {kind}",)


def _by_signature(data: bytes) -> Kind | None:
    """The kind of a binary format; None if the beginning is none that is known here."""
    if is_pdf(data):
        return Kind.PDF
    if data.startswith(b"{\\rtf"):
        return Kind.RTF
    if data.startswith(zip_kinds.MAGICS):
        return zip_kinds.identify(io.BytesIO(data))
    if data.startswith(compound.MAGIC):
        return compound.identify(data)
    return next((kind for signature, kind in _PICTURES.items() if signature.match(data)), None)


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
    hint = _TEXT_EXPORTS.get(hint, hint) if hint else None
    if hint is not None:
        return hint if hint in TEXTUAL else None
    return _unnamed(data, head)


def _unnamed(data: bytes, head: str) -> Kind:
    """The kind of a text that neither a name nor a declared type says anything about."""
    if len({found.lower() for found in _MAIL_HEADER.findall(head)}) >= 3:
        return Kind.MHTML if _SAVED_PAGE.search(head) else Kind.EML
    if head.lstrip().startswith((r"\documentclass", r"\documentstyle")):
        return Kind.LATEX
    if head.lstrip()[:1] in ("{", "[") and len(data) <= _JSON_EXAMINED_BYTES:
        return _json_kind(data)
    return Kind.TEXT


def _json_kind(data: bytes) -> Kind:
    """JSON, a notebook in JSON, or one JSON value per line."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        lines = [line for line in data.splitlines()[:_JSON_LINES_EXAMINED] if line.strip()]
        return Kind.JSONL if len(lines) > 1 and all(map(_is_json, lines)) else Kind.TEXT
    return Kind.IPYNB if isinstance(value, dict) and {"cells", "nbformat"} <= value.keys() else Kind.JSON


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
