"""Formats that xberg reads whole: DOC, PPT, XLS, MSG, RST and LaTeX; then ask for evidence."""

from dataclasses import replace

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import doc_tables, latex, xberg_engine
from ingest_grpc.pipeline.parse.engines import STDLIB, XBERG
from ingest_grpc.pipeline.parse.evidence import has_text, has_text_below_headings
from ingest_grpc.pipeline.parse.extraction import Extraction
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.text import fenced, read
from ingest_grpc.pipeline.parse.types import Kind


def parse_binary(source: Source) -> Parsed:
    """An Office document or message in an OLE file. ParseFailure FILE_UNREADABLE, or EMPTY_FILE without any text."""
    tables = doc_tables.marked(source.data) if source.kind is Kind.DOC else None
    extraction = xberg_engine.extract(
        source if tables is None else replace(source, data=tables.data), unreadable=Reason.FILE_UNREADABLE
    )
    if tables is not None:
        extraction = replace(extraction, text=tables.restored(extraction.markdown), pages=())
    enough = has_text_below_headings if source.kind is Kind.XLS else has_text
    if not enough(extraction.markdown):
        raise _why_empty(extraction)
    return _parsed(extraction, list(extraction.warnings))


def parse_markup(source: Source) -> Parsed:
    """Marked-up text: decoded here, since the engine reads UTF-8 only. What it gives up on stays as it is.

    ParseFailure EMPTY_FILE, TEXT_UNDECODABLE.
    """
    decoded = read(source)
    text = latex.prepared(decoded.text) if source.kind is Kind.LATEX else decoded.text
    page = Source(text.encode("utf-8", "replace"), source.kind, source.options)
    try:
        extraction = xberg_engine.extract(page, unreadable=Reason.FILE_UNREADABLE)
    except ParseFailure as failure:
        if failure.reason is not Reason.FILE_UNREADABLE:
            raise
        warning = f"not readable as {source.kind}, kept as text: {failure.detail}"
        return Parsed(fenced(decoded.text, source.kind.lower()), STDLIB, warnings=[*decoded.warnings, warning])
    if not has_text(extraction.markdown):
        raise ParseFailure(Reason.EMPTY_FILE, "only markup, no text", engine=XBERG)
    return _parsed(extraction, decoded.warnings + list(extraction.warnings))


def _why_empty(extraction: Extraction) -> ParseFailure:
    if extraction.losses:
        return ParseFailure(Reason.FILE_UNREADABLE, "; ".join(extraction.losses), engine=XBERG)
    return ParseFailure(Reason.EMPTY_FILE, "no text in the document", engine=XBERG)


def _parsed(extraction: Extraction, warnings: list[str]) -> Parsed:
    return Parsed(
        extraction.markdown,
        XBERG,
        title=extraction.title,
        author=extraction.author,
        language=extraction.language,
        warnings=warnings,
        losses=list(extraction.losses),
    )
