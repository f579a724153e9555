"""ODT, ODS, ODP and EPUB: look into the ZIP, convert with xberg, then ask for evidence."""

import re
from dataclasses import replace

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import book_pictures, stored_images, xberg_engine, zip_probe
from ingest_grpc.pipeline.parse.engines import STDLIB, XBERG
from ingest_grpc.pipeline.parse.evidence import has_text, has_text_below_headings
from ingest_grpc.pipeline.parse.extraction import Extraction
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.types import Kind

_MANIFEST_BYTES = 1024 * 1024
_MANIFEST = "META-INF/manifest.xml"
_ENCRYPTED_PART = re.compile(rb"<[\w.-]*:?encryption-data\b")
_BOOK_ENCRYPTION = "META-INF/encryption.xml"
_ENCRYPTED_BOOK_PART = re.compile(rb"""EncryptionMethod[^>]{0,300}Algorithm\s*=\s*["']([^"']{1,300})""")
_FONT_ALGORITHMS = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")
"""How publishers obscure embedded fonts; the text of such a book is open."""

_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|tiff?|bmp|emf|wmf)$", re.IGNORECASE)


def parse(source: Source) -> Parsed:
    """ParseFailure FILE_UNREADABLE, FILE_ENCRYPTED, DECOMPRESSION_BOMB, ONLY_PICTURES, or EMPTY_FILE for a file that
    has neither text nor pictures."""
    members = zip_probe.members(source.data, source.options.limits)
    _refuse_encrypted(source)
    book = source.kind is Kind.EPUB
    extraction = xberg_engine.extract(source.without_images if book else source, unreadable=Reason.FILE_UNREADABLE)
    enough = has_text_below_headings if source.kind is Kind.ODS else has_text
    if not enough(extraction.markdown):
        raise _why_empty(members, extraction.losses)
    if book and source.options.store_images:
        extraction = _with_pictures(source, members, extraction)
    return Parsed(
        extraction.markdown,
        XBERG,
        title=extraction.title,
        author=extraction.author,
        language=extraction.language,
        warnings=list(extraction.warnings),
        losses=list(extraction.losses),
        images=extraction.images,
    )


def _with_pictures(source: Source, members: list[str], book: Extraction) -> Extraction:
    limits = source.options.limits
    linked = stored_images.link(book.markdown, book_pictures.found(source.data, members, limits), limits)
    return replace(book, text=linked.markdown, images=linked.images, losses=(*book.losses, *linked.losses))


def _refuse_encrypted(source: Source) -> None:
    """OpenDocument names encrypted parts in its manifest, EPUB in a file of its own."""
    if source.kind is Kind.EPUB:
        found = _ENCRYPTED_BOOK_PART.findall(zip_probe.part(source.data, _BOOK_ENCRYPTION, _MANIFEST_BYTES))
        encrypted = any(algorithm not in _FONT_ALGORITHMS for algorithm in found)
    else:
        manifest = zip_probe.part(source.data, _MANIFEST, _MANIFEST_BYTES)
        encrypted = _ENCRYPTED_PART.search(manifest) is not None
    if encrypted:
        raise ParseFailure(Reason.FILE_ENCRYPTED, f"the parts of the {source.kind} are encrypted", engine=STDLIB)


def _why_empty(members: list[str], losses: tuple[str, ...]) -> ParseFailure:
    if losses:
        return ParseFailure(Reason.FILE_UNREADABLE, "; ".join(losses), engine=XBERG)
    reason = Reason.ONLY_PICTURES if any(map(_PICTURE.search, members)) else Reason.EMPTY_FILE
    return ParseFailure(reason, f"no text in any of {len(members)} parts", engine=XBERG)
