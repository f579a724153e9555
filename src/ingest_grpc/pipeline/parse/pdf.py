"""PDF: probe with PDFium, convert with the chosen engine, have scans read, then ask for evidence."""

import re
from itertools import islice

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import converters, pdf_pictures, pdf_probe
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.extraction import Extraction
from ingest_grpc.pipeline.parse.inflate import Allowance, Bomb, fully_inflated, slices
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.ocr import request
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.stored_images import Linked

_STREAM = re.compile(rb"stream\r?\n")
_MAX_STREAMS_EXAMINED = 2_000
_MAX_PAGES_EXAMINED = 200


def parse(source: Source) -> Parsed:
    """ParseFailure PDF_UNREADABLE, PDF_PAGE_TOO_LARGE, TOO_MANY_PAGES, NO_TEXT, OCR_FOUND_NO_TEXT, OCR_UNAVAILABLE
    or DECOMPRESSION_BOMB. Unread in the accurate method, if pages have to be read by OCR first."""
    probe = pdf_probe.probe(source.data, source.options.limits)
    if source.read_pages is None:
        source.report(0, probe.pages, "pages")
    engine = converters.chosen(source)
    try:
        extraction = converters.extract(source.without_images, Reason.PDF_UNREADABLE)
    except ParseFailure as failure:
        raise _bomb(source) or failure from None
    with_text_layer = extraction.pages_with_text
    unread = _unread(source, probe.pages, extraction)
    if unread and request.can_read(source):
        extraction = extraction.with_texts(request.texts_of(source, unread))
        engine = f"{engine}/{source.options.ocr_engine}"
        unread = [page for page in unread if page not in extraction.pages_with_text]
    if not has_text(extraction.markdown):
        raise _why_empty(source, probe.pages, engine)
    linked = Linked(extraction.markdown)
    if source.options.store_images:
        # A page without a text layer is a picture itself, of what was read.
        linked = pdf_pictures.placed(source.data, extraction, with_text_layer, source.options.limits)
    return Parsed(
        markdown=linked.markdown,
        engine=engine,
        pages=probe.pages,
        title=probe.title or extraction.title,
        author=probe.author or extraction.author,
        language=probe.language or extraction.language,
        warnings=list(extraction.warnings),
        losses=[*extraction.losses, *_pages_lost(unread, probe.pages), *linked.losses],
        images=linked.images,
    )


def _unread(source: Source, pages: int, extraction: Extraction) -> list[int]:
    """The pages that show something but gave no text; all of them if the engine found no text at all."""
    with_text = extraction.pages_with_text
    if not with_text and not has_text(extraction.markdown):
        if (bomb := _bomb(source)) is not None:
            raise bomb
        return list(range(1, pages + 1))  # not interpreted here: a hostile page ends the process that does so
    if not with_text:
        return []  # the engine did not say what came from which page
    silent = [page for page in range(1, pages + 1) if page not in with_text]
    if not silent:
        return []
    return pdf_probe.pages_with_content(source.data, silent[:_MAX_PAGES_EXAMINED]) + silent[_MAX_PAGES_EXAMINED:]


def _pages_lost(lost: list[int], pages: int) -> list[str]:
    """A sentence about the pages that show something but gave no text; nothing if there are none."""
    if not lost:
        return []
    named = ", ".join(map(str, lost[:20])) + (", ..." if len(lost) > 20 else "")
    return [f"{len(lost)} of {pages} pages have no extractable text and may be scans: {named}"]


def _why_empty(source: Source, pages: int, engine: str) -> ParseFailure:
    return ParseFailure(request.why_no_text(source), f"no text on any of {pages} pages", engine=engine)


def _bomb(source: Source) -> ParseFailure | None:
    """The failure of a file whose streams expand too far; None if they do not. The engine stops by itself where a
    stream grows too large, and then finds less than there is, or nothing: only for what it could not read."""
    try:
        _expand_streams(memoryview(source.data), source.options.limits)
    except Bomb as bomb:
        engine = converters.chosen(source)
        return ParseFailure(Reason.DECOMPRESSION_BOMB, str(bomb), engine=engine, retire=True)
    return None


def _expand_streams(data: memoryview, limits: Limits) -> None:
    """Count what the file's streams expand to; Bomb if that is too much. Pictures in formats of their own count 0."""
    allowance = Allowance(len(data), limits)
    for found in islice(_STREAM.finditer(data), _MAX_STREAMS_EXAMINED):
        allowance.count(fully_inflated(slices(data[found.end() :])))
