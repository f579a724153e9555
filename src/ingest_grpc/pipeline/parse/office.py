"""DOCX, PPTX and XLSX: look into the ZIP, convert with xberg, then ask for evidence."""

import re

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import shared_strings, xberg_engine, zip_probe
from ingest_grpc.pipeline.parse.engines import STDLIB, XBERG
from ingest_grpc.pipeline.parse.evidence import has_text, has_text_below_headings
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.types import Kind

_WORKBOOK = "xl/workbook.xml"
_WORKBOOK_BYTES = 16 * 1024 * 1024
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s")
_SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")


def parse(source: Source) -> Parsed:
    """ParseFailure FILE_UNREADABLE, FILE_ENCRYPTED, DECOMPRESSION_BOMB, OUTPUT_TOO_LARGE, ONLY_PICTURES, or EMPTY_FILE
    for a file that has neither text nor pictures."""
    members = zip_probe.members(source.data, source.options.limits)
    _check_pages(source, members)
    extraction = xberg_engine.extract(source, unreadable=Reason.FILE_UNREADABLE)
    enough = has_text_below_headings if source.kind is Kind.XLSX else has_text
    if not enough(extraction.markdown):
        raise _why_empty(members, extraction.losses)
    return Parsed(
        markdown=extraction.markdown,
        engine=XBERG,
        pages=_slides(members) if source.kind is Kind.PPTX else None,
        title=extraction.title,
        author=extraction.author,
        language=extraction.language,
        warnings=list(extraction.warnings),
        losses=list(extraction.losses),
        images=extraction.images,
    )


def _check_pages(source: Source, members: list[str]) -> None:
    """A workbook can name one sheet, however large, as often as it likes; and one text, however long."""
    limits = source.options.limits
    if source.kind is Kind.PPTX and (slides := _slides(members)) > limits.max_pages:
        raise ParseFailure(Reason.TOO_MANY_PAGES, f"{slides} slides, at most {limits.max_pages}", engine=STDLIB)
    if source.kind is Kind.XLSX:
        sheets = len(_SHEET.findall(zip_probe.part(source.data, _WORKBOOK, _WORKBOOK_BYTES)))
        if sheets > limits.max_pages:
            raise ParseFailure(Reason.TOO_MANY_PAGES, f"{sheets} sheets, at most {limits.max_pages}", engine=STDLIB)
        shared_strings.check(source.data, members, limits)


def _slides(members: list[str]) -> int:
    return sum(_SLIDE.fullmatch(name) is not None for name in members)


def _why_empty(members: list[str], losses: tuple[str, ...]) -> ParseFailure:
    if losses:
        return ParseFailure(Reason.FILE_UNREADABLE, "; ".join(losses), engine=XBERG)
    reason = Reason.ONLY_PICTURES if any("/media/" in name for name in members) else Reason.EMPTY_FILE
    return ParseFailure(reason, f"no text in any of {len(members)} parts", engine=XBERG)
