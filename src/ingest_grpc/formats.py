"""The formats this service reads: one table, from which content types, extensions and every list of them follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


class Kind(StrEnum):
    """A format the service knows by name; the values are the words used in warnings and in lists for people."""

    PDF = "PDF"
    DOCX = "DOCX"
    DOC = "DOC"
    PPTX = "PPTX"
    PPT = "PPT"
    XLSX = "XLSX"
    XLS = "XLS"
    ODT = "ODT"
    ODS = "ODS"
    ODP = "ODP"
    RTF = "RTF"
    HTML = "HTML"
    MHTML = "MHTML"
    EML = "EML"
    MSG = "MSG"
    EPUB = "EPUB"
    MARKDOWN = "Markdown"
    TEXT = "TXT"
    CSV = "CSV"
    TSV = "TSV"
    JSON = "JSON"
    JSONL = "JSONL"
    XML = "XML"
    RST = "RST"
    IPYNB = "IPYNB"
    LATEX = "LaTeX"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"
    WEBP = "WebP"
    ZIP = "ZIP"


PDF_HEAD_BYTES = 1024
"""Where a PDF has its mark: other bytes may come before it."""


def is_pdf(head: bytes) -> bool:
    """Whether a file with this beginning is a PDF."""
    return b"%PDF-" in head[:PDF_HEAD_BYTES]


@dataclass(frozen=True, slots=True)
class Format:
    """What is known of a format beside its content.

    `content_type` is the canonical one: what a finished record says its file is. `aliases` are other names under
    which it is declared. `extensions` suggest it, the first one is the usual one. `textual` formats are characters,
    whose content alone often cannot tell one from another. `picture` formats are pixels, read by OCR alone.
    """

    content_type: str
    extensions: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    textual: bool = False
    picture: bool = False


_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_MACROS = "macroenabled.12"

FORMATS: Mapping[Kind, Format] = {
    Kind.PDF: Format("application/pdf", (".pdf",), ("application/x-pdf",)),
    Kind.DOCX: Format(
        f"{_OOXML}.wordprocessingml.document",
        (".docx", ".docm", ".dotx", ".dotm"),
        (f"{_OOXML}.wordprocessingml.template", f"application/vnd.ms-word.document.{_MACROS}"),
    ),
    Kind.DOC: Format("application/msword", (".doc", ".dot")),
    Kind.PPTX: Format(
        f"{_OOXML}.presentationml.presentation",
        (".pptx", ".pptm", ".ppsx", ".potx"),
        (
            f"{_OOXML}.presentationml.slideshow",
            f"{_OOXML}.presentationml.template",
            f"application/vnd.ms-powerpoint.presentation.{_MACROS}",
        ),
    ),
    Kind.PPT: Format("application/vnd.ms-powerpoint", (".ppt", ".pps", ".pot")),
    Kind.XLSX: Format(
        f"{_OOXML}.spreadsheetml.sheet",
        (".xlsx", ".xlsm", ".xltx"),
        (f"{_OOXML}.spreadsheetml.template", f"application/vnd.ms-excel.sheet.{_MACROS}"),
    ),
    Kind.XLS: Format("application/vnd.ms-excel", (".xls", ".xlt"), ("application/msexcel",)),
    Kind.ODT: Format(f"{_ODF}.text", (".odt", ".ott"), (f"{_ODF}.text-template",)),
    Kind.ODS: Format(f"{_ODF}.spreadsheet", (".ods", ".ots"), (f"{_ODF}.spreadsheet-template",)),
    Kind.ODP: Format(f"{_ODF}.presentation", (".odp", ".otp"), (f"{_ODF}.presentation-template",)),
    Kind.RTF: Format("application/rtf", (".rtf",), ("text/rtf", "text/richtext")),
    Kind.HTML: Format("text/html", (".html", ".htm", ".xhtml", ".xht"), ("application/xhtml+xml",), textual=True),
    Kind.MHTML: Format("multipart/related", (".mhtml", ".mht"), ("application/x-mimearchive",), textual=True),
    Kind.EML: Format("message/rfc822", (".eml",), textual=True),
    Kind.MSG: Format("application/vnd.ms-outlook", (".msg",)),
    Kind.EPUB: Format("application/epub+zip", (".epub",)),
    Kind.MARKDOWN: Format("text/markdown", (".md", ".markdown"), ("text/x-markdown",), textual=True),
    Kind.TEXT: Format("text/plain", (".txt", ".text", ".log"), textual=True),
    Kind.CSV: Format("text/csv", (".csv",), ("application/csv",), textual=True),
    Kind.TSV: Format("text/tab-separated-values", (".tsv", ".tab"), textual=True),
    Kind.JSON: Format(
        "application/json",
        (".json", ".geojson"),
        ("text/json", "application/ld+json", "application/geo+json"),
        textual=True,
    ),
    Kind.JSONL: Format(
        "application/x-ndjson", (".jsonl", ".ndjson"), ("application/jsonl", "application/x-jsonlines"), textual=True
    ),
    Kind.XML: Format("application/xml", (".xml",), ("text/xml",), textual=True),
    Kind.RST: Format("text/x-rst", (".rst", ".rest"), ("text/prs.fallenstein.rst",), textual=True),
    Kind.IPYNB: Format("application/x-ipynb+json", (".ipynb",), textual=True),
    Kind.LATEX: Format(
        "application/x-latex",
        (".tex", ".latex", ".ltx"),
        ("text/x-tex", "application/x-tex", "text/x-latex"),
        textual=True,
    ),
    Kind.PNG: Format("image/png", (".png",), picture=True),
    Kind.JPEG: Format("image/jpeg", (".jpg", ".jpeg"), ("image/jpg",), picture=True),
    Kind.TIFF: Format("image/tiff", (".tif", ".tiff"), picture=True),
    Kind.WEBP: Format("image/webp", (".webp",), picture=True),
    Kind.ZIP: Format("application/zip", (".zip",), ("application/x-zip-compressed", "application/x-zip")),
}
"""Every format, in the order in which people read it."""


def _extensions() -> Iterator[tuple[str, Kind]]:
    return ((extension, kind) for kind, known in FORMATS.items() for extension in known.extensions)


def _content_types() -> Iterator[tuple[str, Kind]]:
    for kind, known in FORMATS.items():
        yield from ((name, kind) for name in (known.content_type, *known.aliases))


EXTENSIONS: Mapping[str, Kind] = dict(_extensions())
"""Extension, lower case with its dot, to the format that it suggests."""

CONTENT_TYPES: Mapping[Kind, str] = {kind: known.content_type for kind, known in FORMATS.items()}
"""The canonical content type of each format."""

TEXTUAL = frozenset(kind for kind, known in FORMATS.items() if known.textual)
PICTURES = frozenset(kind for kind, known in FORMATS.items() if known.picture)

SUPPORTED_NAMES = ", ".join(FORMATS)
"""All formats in one sentence's words."""

_BY_CONTENT_TYPE: Mapping[str, Kind] = dict(_content_types())


def declared_kind(content_type: str) -> Kind | None:
    """The format a declared content type stands for; None when it says nothing ("application/octet-stream")."""
    return _BY_CONTENT_TYPE.get(content_type.split(";", 1)[0].strip().lower())


def named_kind(filename: str) -> Kind | None:
    """The format that a file name's extension suggests; None when unknown."""
    return EXTENSIONS.get(PurePosixPath(filename).suffix.lower())


def usual_extension(kind: Kind) -> str:
    """The extension most files of this format have, without its dot."""
    return FORMATS[kind].extensions[0].removeprefix(".")
