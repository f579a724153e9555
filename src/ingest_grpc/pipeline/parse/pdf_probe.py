"""A look at a PDF with PDFium before anything is believed: can it be opened, how many pages, how large.

PDFium can hang or abort on hostile files when it *interprets* a page; opening a file and reading page
dictionaries does not do that. Everything here runs in a child that can be killed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import PDFIUM
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure


@dataclass(frozen=True, slots=True)
class Probe:
    """What a readable PDF says about itself. `title` is that of its metadata, None if absent."""

    pages: int
    title: str | None


def probe(data: bytes, limits: Limits) -> Probe:
    """ParseFailure PDF_UNREADABLE (corrupt, encrypted, no pages), TOO_MANY_PAGES or PDF_PAGE_TOO_LARGE."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            pages = len(document)
            if pages == 0:
                raise ParseFailure(Reason.PDF_UNREADABLE, "the PDF has no pages", engine=PDFIUM)
            if pages > limits.max_pages:
                raise ParseFailure(Reason.TOO_MANY_PAGES, f"{pages} pages, at most {limits.max_pages}", engine=PDFIUM)
            for index in range(pages):
                _check_size(index, document.get_page_size(index), limits.max_page_points)
            return Probe(pages, document.get_metadata_value("Title").strip() or None)
    except pypdfium2.PdfiumError as error:
        raise ParseFailure(Reason.PDF_UNREADABLE, str(error), engine=PDFIUM) from None


def _check_size(index: int, size: tuple[float, float], max_page_points: float) -> None:
    largest = max(size)
    if largest > max_page_points:
        raise ParseFailure(
            Reason.PDF_PAGE_TOO_LARGE,
            f"page {index + 1} measures {size[0]:g} x {size[1]:g} points, more than {max_page_points:g}",
            engine=PDFIUM,
        )


def pages_with_content(data: bytes, pages: Iterable[int]) -> list[int]:
    """Which of these pages (from 1) show anything at all: a blank page without text is no loss.

    Interprets the pages; call it only for a document that proved to have text.
    """
    with pypdfium2.PdfDocument(data) as document:
        return [page for page in pages if _shows_something(document, page - 1)]


def _shows_something(document: pypdfium2.PdfDocument, index: int) -> bool:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return True
    try:
        return int(pdfium.FPDFPage_CountObjects(page)) > 0
    finally:
        page.close()
