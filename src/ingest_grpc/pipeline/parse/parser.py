"""One document to Markdown: detect, hand to the format's module, put the result into its final form."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ingest_grpc.errors import Reason
from ingest_grpc.normal_form import composed
from ingest_grpc.pipeline.parse import (
    data,
    eml,
    foreign,
    html,
    msg,
    notebook,
    office,
    packages,
    pdf,
    pictures,
    rtf,
    table,
    text,
)
from ingest_grpc.pipeline.parse.detect import detect
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Options, ReportUnits, Source
from ingest_grpc.pipeline.parse.types import Kind

PARSERS: Mapping[Kind, Callable[[Source], Parsed]] = {
    Kind.PDF: pdf.parse,
    Kind.DOCX: office.parse,
    Kind.DOC: foreign.parse_binary,
    Kind.PPTX: office.parse,
    Kind.PPT: foreign.parse_binary,
    Kind.XLSX: office.parse,
    Kind.XLS: foreign.parse_binary,
    Kind.ODT: packages.parse,
    Kind.ODS: packages.parse,
    Kind.ODP: packages.parse,
    Kind.RTF: rtf.parse,
    Kind.HTML: html.parse,
    Kind.MHTML: eml.parse_page,
    Kind.EML: eml.parse,
    Kind.MSG: msg.parse,
    Kind.EPUB: packages.parse,
    Kind.MARKDOWN: text.parse,
    Kind.TEXT: text.parse,
    Kind.CSV: table.parse,
    Kind.TSV: table.parse,
    Kind.JSON: data.parse_json,
    Kind.JSONL: data.parse_json_lines,
    Kind.XML: data.parse_xml,
    Kind.RST: foreign.parse_markup,
    Kind.IPYNB: notebook.parse,
    Kind.LATEX: foreign.parse_markup,
    Kind.PNG: pictures.parse,
    Kind.JPEG: pictures.parse,
    Kind.TIFF: pictures.parse,
    Kind.WEBP: pictures.parse,
}


_STORED_OF = frozenset({Kind.PDF, Kind.DOCX, Kind.PPTX, Kind.ODT, Kind.ODP, Kind.HTML, Kind.EPUB})
"""Kinds whose pictures can be stored."""

_MAX_ATTACHMENT_DEPTH = 3


def parse(  # long: what the task says of a document
    content: bytes,
    filename: str,
    content_type: str,
    options: Options,
    report: ReportUnits,
    read_pages: Mapping[int, str] | None = None,
) -> tuple[Kind, Parsed]:
    """Convert a whole document: what it is, and its Markdown in NFC with \\n as the only line end.

    `filename` and `content_type` are hints. ParseFailure for everything that can be wrong with a document;
    MemoryError if it does not fit. Unread if OCR has to read pages first: their texts are `read_pages` then.
    """
    if not content:
        raise ParseFailure(Reason.EMPTY_FILE, "0 bytes")
    detected = detect(content, filename, content_type)
    if detected.kind not in _STORED_OF:
        options = replace(options, store_images=False)
    source = Source(content, detected.kind, options, _charset(content_type), report, read_pages=read_pages)
    parsed = _parsed(source, depth=0)
    warnings = list(dict.fromkeys((*detected.warnings, *parsed.warnings)))
    return detected.kind, replace(parsed, markdown=_final_form(parsed.markdown), warnings=warnings)


def _parsed(source: Source, depth: int) -> Parsed:
    def attached(content: bytes, filename: str, content_type: str) -> Parsed:
        """An attachment is a document of its own, with attachments of its own up to a depth."""
        if not content:
            raise ParseFailure(Reason.EMPTY_FILE, "0 bytes")
        if depth == _MAX_ATTACHMENT_DEPTH:
            raise ParseFailure(Reason.UNSUPPORTED_TYPE, f"attached deeper than {_MAX_ATTACHMENT_DEPTH} levels")
        kind = detect(content, filename, content_type).kind
        # Pages and pictures go by number, and these would be another document's: neither inside of documents.
        options = replace(source.options, ocr_engine="", store_images=False)
        return _parsed(Source(content, kind, options, _charset(content_type)), depth + 1)

    parser = PARSERS.get(source.kind)
    if parser is None:
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, f"a {source.kind} inside a document")
    return parser(replace(source, attached=attached))


def _charset(content_type: str) -> str:
    """The charset parameter of a content type: "text/plain; charset=x" gives "x"; "" without one."""
    _, _, parameter = content_type.partition("charset=")
    return parameter.split(";", 1)[0].strip(" \"'")


def _final_form(markdown: str) -> str:
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").strip("\n\ufeff")
    return composed(lines) + "\n"
