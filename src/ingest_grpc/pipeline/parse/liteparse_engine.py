"""liteparse, the accurate engine for PDF: its blocks, with the tables and headings that our own layout pass finds."""

import ctypes
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from liteparse._liteparse import LiteParse

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import pdf_probe
from ingest_grpc.pipeline.parse.engines import LITEPARSE
from ingest_grpc.pipeline.parse.extraction import Extraction, PageText
from ingest_grpc.pipeline.parse.layout.headings import set_headings
from ingest_grpc.pipeline.parse.layout.listings import place_listings
from ingest_grpc.pipeline.parse.layout.markdown import render
from ingest_grpc.pipeline.parse.layout.page import Block, Box, Page, Rule, Word
from ingest_grpc.pipeline.parse.layout.tables import place_tables
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.tagged_headings import tagged_headings

_BOLD = re.compile("bold|black|heavy|demi", re.IGNORECASE)
_FIXED_WIDTH = re.compile("mono|courier|consol|typewriter|cmtt|menlo|code", re.IGNORECASE)
_BOLD_WEIGHT = 600
_STRAIGHT_POINTS = 1.5
_MIN_RULE_POINTS = 3.0
_TURNED_DEGREES = 1.0
_OUT_OF_MEMORY = ("memory allocation", "out of memory", "cannot allocate memory", "bad_alloc")


@cache
def load() -> None:
    """Load the library's own copy of PDFium, which it would open at the first document: too late once confined."""
    spec = find_spec("liteparse")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        ctypes.CDLL(str(Path(folder) / "libpdfium.so"))


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert a PDF, page by page. ParseFailure `unreadable` if the library cannot read it."""
    parser = LiteParse(
        output_format="markdown",
        ocr_enabled=False,
        quiet=True,
        continue_on_page_error=True,
        max_pages=source.options.limits.max_pages,
        extract_blocks=True,
        extract_vector_graphics=True,
        extract_text_metadata=True,
        extract_structure_tree=True,
        emit_word_boxes=True,
    )
    try:
        parsed = parser.parse_bytes(source.data)
    except Exception as error:  # noqa: BLE001 - the library documents no types
        raise _failure(error, unreadable) from None
    pages = [_with_tables(page) for page in parsed.pages]
    pages = set_headings(pages, pdf_probe.bookmarks(source.data) or tagged_headings(parsed.pages))
    return Extraction(
        pages=tuple(PageText(page.number, render(page.blocks)) for page in pages),
        losses=tuple(f"page {error.page_num} could not be read: {error.message}" for error in parsed.page_errors),
    )


def _failure(error: Exception, unreadable: Reason) -> ParseFailure:
    if any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        raise MemoryError(str(error))
    return ParseFailure(unreadable, str(error), engine=LITEPARSE)


def _with_tables(native: Any) -> Page:
    page = Page(
        number=native.page_num,
        width=native.width,
        height=native.height,
        blocks=[_block(block) for block in native.blocks or ()],
        words=[word for item in native.text_items for word in _words(item)],
        rules=[rule for line in native.vector_graphics.lines if (rule := _rule(line)) is not None],
    )
    turned = sum(abs(item.rotation) > _TURNED_DEGREES for item in native.text_items)
    # On a page whose text is turned rows and columns change places: the engine's own tables are the better ones.
    return page if 2 * turned > len(native.text_items) else place_tables(place_listings(page))


def _block(block: Any) -> Block:
    rows = [[cell.text for cell in row] for row in ([block.header] if block.header else []) + list(block.rows or ())]
    return Block(
        kind=block.kind,
        text=block.text or "",
        box=_box(block.bbox) if block.bbox is not None else None,
        level=block.level or 0,
        bold=block.bold,
        italic=block.italic,
        marker=block.marker or "",
        language=block.lang or "",
        lines=list(block.lines or ()),
        rows=rows,
    )


def _words(item: Any) -> list[Word]:
    size = item.font_height or item.height
    name = item.font_name or ""
    bold = _BOLD.search(name) is not None or (item.font_weight or 0) >= _BOLD_WEIGHT
    fixed_width = _FIXED_WIDTH.search(name) is not None
    parts = item.words or (item,)
    return [Word(text, _box(part), size, bold, fixed_width) for part in parts if (text := part.text.strip())]


def _rule(line: Any) -> Rule | None:
    across, down = abs(line.x2 - line.x1), abs(line.y2 - line.y1)
    if down < _STRAIGHT_POINTS and across > _MIN_RULE_POINTS:
        return Rule(True, (line.y1 + line.y2) / 2, min(line.x1, line.x2), max(line.x1, line.x2))
    if across < _STRAIGHT_POINTS and down > _MIN_RULE_POINTS:
        return Rule(False, (line.x1 + line.x2) / 2, min(line.y1, line.y2), max(line.y1, line.y2))
    return None


def _box(rectangle: Any) -> Box:
    return Box(rectangle.x, rectangle.y, rectangle.x + rectangle.width, rectangle.y + rectangle.height)
