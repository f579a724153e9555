"""PDF: probe with PDFium, convert with xberg, then ask for evidence."""

import re
from itertools import islice

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import pdf_probe, xberg_engine
from ingest_grpc.pipeline.parse.engines import XBERG
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.inflate import Allowance, Bomb, fully_inflated, slices
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_STREAM = re.compile(rb"stream\r?\n")
_MAX_STREAMS_EXAMINED = 2_000
_MAX_PAGES_EXAMINED = 200


def parse(source: Source) -> Parsed:
    """ParseFailure PDF_UNREADABLE, PDF_PAGE_TOO_LARGE, NO_TEXT or DECOMPRESSION_BOMB."""
    probe = pdf_probe.probe(source.data, source.options.limits)
    source.report(0, probe.pages, "pages")
    try:
        extraction = xberg_engine.extract(source, unreadable=Reason.PDF_UNREADABLE)
    except ParseFailure as failure:
        raise _bomb(source) or failure from None
    if not has_text(extraction.markdown):
        raise _why_empty(source, probe.pages)
    return Parsed(
        markdown=extraction.markdown,
        engine=XBERG,
        pages=probe.pages,
        title=probe.title or extraction.title,
        warnings=list(extraction.warnings),
        losses=_pages_lost(source.data, probe.pages, extraction.pages_with_text),
    )


def _pages_lost(data: bytes, pages: int, with_text: frozenset[int]) -> list[str]:
    """A sentence about the pages that show something but gave no text; nothing if there are none."""
    if not with_text:
        return []  # the engine did not say what came from which page
    silent = [page for page in range(1, pages + 1) if page not in with_text]
    lost = pdf_probe.pages_with_content(data, silent[:_MAX_PAGES_EXAMINED]) + silent[_MAX_PAGES_EXAMINED:]
    if not lost:
        return []
    named = ", ".join(map(str, lost[:20])) + (", ..." if len(lost) > 20 else "")
    return [f"{len(lost)} of {pages} pages have no extractable text and may be scans: {named}"]


def _why_empty(source: Source, pages: int) -> ParseFailure:
    """The engine returns nothing for a scan and for a bomb alike: tell them apart by expanding the streams."""
    return _bomb(source) or ParseFailure(Reason.NO_TEXT, f"no text on any of {pages} pages", engine=XBERG)


def _bomb(source: Source) -> ParseFailure | None:
    """The failure of a file whose streams expand too far; None if they do not. The engine stops by itself where a
    stream grows too large, and then finds less than there is, or nothing: only for what it could not read."""
    try:
        _expand_streams(memoryview(source.data), source.options.limits)
    except Bomb as bomb:
        return ParseFailure(Reason.DECOMPRESSION_BOMB, str(bomb), engine=XBERG, retire=True)
    return None


def _expand_streams(data: memoryview, limits: Limits) -> None:
    """Count what the file's streams expand to; Bomb if that is too much. Pictures in formats of their own count 0."""
    allowance = Allowance(len(data), limits)
    for found in islice(_STREAM.finditer(data), _MAX_STREAMS_EXAMINED):
        allowance.count(fully_inflated(slices(data[found.end() :])))
