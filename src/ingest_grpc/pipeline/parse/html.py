"""HTML: decoded here (the engine reads UTF-8 only), converted with xberg, then asked for evidence."""

import html
import re

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import converters, nesting, stored_images
from ingest_grpc.pipeline.parse.characters import decode
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.types import Kind

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,1000})</title", re.IGNORECASE)
_HEAD_BYTES = 4096


def parse(source: Source) -> Parsed:
    """ParseFailure TEXT_UNDECODABLE; ONLY_PICTURES for pictures only, EMPTY_FILE without even those."""
    decoded = decode(source.data, _declared_charset(source))
    parsed = parse_text(decoded.text, source)
    parsed.warnings += decoded.warnings
    return parsed


def parse_text(text: str, source: Source) -> Parsed:
    """Convert HTML that is decoded already; `source` says the limits.

    ParseFailure ONLY_PICTURES, EMPTY_FILE, TOO_DEEPLY_NESTED, OUTPUT_TOO_LARGE.
    """
    nesting.check_page(text, source.options.limits)
    text, pictures = stored_images.take_embedded(text) if source.options.store_images else (text, {})
    # The engine is not asked for pictures: they were taken already.
    page = Source(text.encode("utf-8", "replace"), Kind.HTML, source.options).without_images
    engine = converters.chosen(page)
    extraction = converters.extract(page, Reason.FILE_UNREADABLE)
    if not has_text(extraction.markdown):
        pictures_only = re.search("<(img|svg|canvas|video)", text, re.IGNORECASE) is not None
        reason = Reason.ONLY_PICTURES if pictures_only else Reason.EMPTY_FILE
        raise ParseFailure(reason, "no text in the page", engine=engine)
    linked = stored_images.link(extraction.markdown, pictures, source.options.limits)
    found = _TITLE.search(text)
    title = html.unescape(found[1]).strip() if found else None
    return Parsed(
        linked.markdown,
        engine,
        title=title or extraction.title,
        author=extraction.author,
        language=extraction.language,
        warnings=list(extraction.warnings),
        losses=list(linked.losses),
        images=linked.images,
    )


def _declared_charset(source: Source) -> str:
    """The charset of the sender's content type, else the one in the page's own head."""
    if source.declared_charset:
        return source.declared_charset
    head = source.data[:_HEAD_BYTES]
    found = _XML_ENCODING.search(head) or _META_CHARSET.search(head)
    return found[1].decode("ascii") if found else ""
