"""One document to Markdown: detect, hand to the format's module, put the result into its final form."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import data, eml, html, office, pdf, rtf, table, text
from ingest_grpc.pipeline.parse.detect import detect
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Options, ReportUnits, Source
from ingest_grpc.pipeline.parse.types import Kind

PARSERS: Mapping[Kind, Callable[[Source], Parsed]] = {
    Kind.PDF: pdf.parse,
    Kind.DOCX: office.parse,
    Kind.PPTX: office.parse,
    Kind.XLSX: office.parse,
    Kind.HTML: html.parse,
    Kind.MARKDOWN: text.parse,
    Kind.TEXT: text.parse,
    Kind.CSV: table.parse,
    Kind.JSON: data.parse_json,
    Kind.XML: data.parse_xml,
    Kind.RTF: rtf.parse,
    Kind.EML: eml.parse,
}


def parse(
    content: bytes, filename: str, content_type: str, options: Options, report: ReportUnits
) -> tuple[Kind, Parsed]:
    """Convert a whole document: what it is, and its Markdown in NFC with \\n as the only line end.

    `filename` and `content_type` are hints. ParseFailure for everything that can be wrong with a document;
    MemoryError if it does not fit.
    """
    if not content:
        raise ParseFailure(Reason.EMPTY_FILE, "0 bytes")
    detected = detect(content, filename, content_type)
    charset = _charset(content_type)
    parsed = PARSERS[detected.kind](Source(content, detected.kind, options, charset, report))
    warnings = list(dict.fromkeys((*detected.warnings, *parsed.warnings)))
    return detected.kind, replace(parsed, markdown=_final_form(parsed.markdown), warnings=warnings)


def _charset(content_type: str) -> str:
    """The charset parameter of a content type: "text/plain; charset=x" gives "x"; "" without one."""
    _, _, parameter = content_type.partition("charset=")
    return parameter.split(";", 1)[0].strip(" \"'")


def _final_form(markdown: str) -> str:
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").strip("\n\ufeff")
    return unicodedata.normalize("NFC", lines) + "\n"
