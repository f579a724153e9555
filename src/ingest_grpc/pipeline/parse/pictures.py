"""Pictures: nothing but pixels, so only OCR can read them."""

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.extraction import join_pages
from ingest_grpc.pipeline.parse.ocr import request
from ingest_grpc.pipeline.parse.ocr.rendering import count_frames
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source


def parse(source: Source) -> Parsed:
    """Each frame of a picture is a page.

    ParseFailure NO_TEXT in the fast method; FILE_UNREADABLE, IMAGE_TOO_LARGE, TOO_MANY_PAGES, OCR_FOUND_NO_TEXT or
    OCR_UNAVAILABLE. Unread until its pages were read.
    """
    if not request.can_read(source):
        raise ParseFailure(request.why_no_text(source), f"a picture ({source.kind})")
    frames = count_frames(source.data, source.options.limits)
    if source.read_pages is None:
        source.report(0, frames, "pages")
    pages = request.texts_of(source, range(1, frames + 1))
    if not any(has_text(page.markdown) for page in pages):
        raise ParseFailure(
            Reason.OCR_FOUND_NO_TEXT, f"OCR read nothing in {frames} pictures", engine=source.options.ocr_engine
        )
    return Parsed(join_pages(pages), source.options.ocr_engine, pages=frames)
