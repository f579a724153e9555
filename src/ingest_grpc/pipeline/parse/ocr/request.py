"""How a parser gets the text of pages that only OCR can read.

A parser runs in a process that cannot do OCR. It asks for pages by raising `Unread`; the executor has them read,
several at once, by processes that can, and gives the document to the parser again, now with the texts.
"""

from collections.abc import Sequence

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.extraction import PageText
from ingest_grpc.pipeline.parse.outcome import Unread
from ingest_grpc.pipeline.parse.source import Source


def can_read(source: Source) -> bool:
    """Whether OCR may be asked for: the method wants it and an engine is there."""
    return source.options.accurate and bool(source.options.ocr_engine)


def texts_of(source: Source, pages: Sequence[int]) -> list[PageText]:
    """The texts of these pages (from 1), "" for one without any; a picture is page 1. Unread if none was read yet."""
    if source.read_pages is None:
        raise Unread(pages)
    return [PageText(page, source.read_pages.get(page, "")) for page in pages]


def why_no_text(source: Source) -> Reason:
    """Why a document that shows something gave no text."""
    if not source.options.accurate:
        return Reason.NO_TEXT
    return Reason.OCR_FOUND_NO_TEXT if source.options.ocr_engine else Reason.OCR_UNAVAILABLE
