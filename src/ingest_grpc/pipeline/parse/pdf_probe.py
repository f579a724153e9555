"""A look at a PDF with PDFium before anything is believed: can it be opened, how many pages, how large.

PDFium can hang or abort on hostile files when it *interprets* a page; opening a file and reading page
dictionaries does not do that. Everything here runs in a child that can be killed.
"""

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import pypdfium2
import pypdfium2.raw as pdfium

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import PDFIUM
from ingest_grpc.pipeline.parse.layout.headings import Bookmark
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure

MAX_BOOKMARKS = 10_000
_MAX_LANGUAGE_BYTES = 200


@dataclass(frozen=True, slots=True)
class Probe:
    """What a readable PDF says about itself; None where it says nothing."""

    pages: int
    title: str | None
    author: str | None = None
    language: str | None = None


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
            title, author = (document.get_metadata_value(key).strip() or None for key in ("Title", "Author"))
            return Probe(pages, title, author, _language(document))
    except pypdfium2.PdfiumError as error:
        raise ParseFailure(Reason.PDF_UNREADABLE, str(error), engine=PDFIUM) from None


def _language(document: pypdfium2.PdfDocument) -> str | None:
    """The tag of BCP 47 in the catalogue."""
    size = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    if not 2 < size <= _MAX_LANGUAGE_BYTES:
        return None
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0").strip() or None


def bookmarks(data: bytes) -> list[Bookmark]:
    """The outline of a readable PDF, at most its first MAX_BOOKMARKS entries."""
    with pypdfium2.PdfDocument(data) as document:
        found = []
        for entry in islice(document.get_toc(), MAX_BOOKMARKS):
            target = entry.get_dest()
            index = target.get_index() if target is not None else None
            found.append(Bookmark(entry.level, entry.get_title(), 0 if index is None else index + 1))
        return found


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
