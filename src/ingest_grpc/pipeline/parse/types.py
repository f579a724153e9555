"""The content types this service converts, and the file name extensions that suggest them. No imports of weight."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath


class Kind(StrEnum):
    """A format the service knows by name; the values are the words used in warnings."""

    PDF = "PDF"
    DOCX = "DOCX"
    PPTX = "PPTX"
    XLSX = "XLSX"
    HTML = "HTML"
    MARKDOWN = "Markdown"
    TEXT = "plain text"
    CSV = "CSV"
    JSON = "JSON"
    XML = "XML"
    RTF = "RTF"
    EML = "EML"


_OOXML = "application/vnd.openxmlformats-officedocument"

CONTENT_TYPES: Mapping[Kind, str] = {
    Kind.PDF: "application/pdf",
    Kind.DOCX: f"{_OOXML}.wordprocessingml.document",
    Kind.PPTX: f"{_OOXML}.presentationml.presentation",
    Kind.XLSX: f"{_OOXML}.spreadsheetml.sheet",
    Kind.HTML: "text/html",
    Kind.MARKDOWN: "text/markdown",
    Kind.TEXT: "text/plain",
    Kind.CSV: "text/csv",
    Kind.JSON: "application/json",
    Kind.XML: "application/xml",
    Kind.RTF: "application/rtf",
    Kind.EML: "message/rfc822",
}
"""The canonical content type of each kind: what a finished record says its file is."""

SUPPORTED_CONTENT_TYPES: tuple[str, ...] = tuple(CONTENT_TYPES.values())

_ALIASES: Mapping[str, Kind] = {
    "application/x-pdf": Kind.PDF,
    "application/xhtml+xml": Kind.HTML,
    "text/x-markdown": Kind.MARKDOWN,
    "application/csv": Kind.CSV,
    "text/tab-separated-values": Kind.CSV,
    "text/json": Kind.JSON,
    "application/ld+json": Kind.JSON,
    "text/xml": Kind.XML,
    "text/rtf": Kind.RTF,
    "text/richtext": Kind.RTF,
}
"""Other names under which the same formats are declared."""

EXTENSIONS: Mapping[str, Kind] = {
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".docm": Kind.DOCX,
    ".pptx": Kind.PPTX,
    ".pptm": Kind.PPTX,
    ".xlsx": Kind.XLSX,
    ".xlsm": Kind.XLSX,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xhtml": Kind.HTML,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".log": Kind.TEXT,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".json": Kind.JSON,
    ".xml": Kind.XML,
    ".rtf": Kind.RTF,
    ".eml": Kind.EML,
}

_BY_CONTENT_TYPE: Mapping[str, Kind] = {value: kind for kind, value in CONTENT_TYPES.items()} | dict(_ALIASES)

TEXTUAL = frozenset({Kind.MARKDOWN, Kind.TEXT, Kind.CSV, Kind.JSON, Kind.XML, Kind.HTML, Kind.EML})
"""Kinds that are characters, whose content alone often cannot tell one from another."""


def declared_kind(content_type: str) -> Kind | None:
    """The kind a declared content type stands for; None when it says nothing ("application/octet-stream")."""
    return _BY_CONTENT_TYPE.get(content_type.split(";", 1)[0].strip().lower())


def named_kind(filename: str) -> Kind | None:
    """The kind that a file name's extension suggests; None when unknown."""
    return EXTENSIONS.get(PurePosixPath(filename).suffix.lower())
