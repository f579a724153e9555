"""Listings of programs and drawings made of characters, which an engine may take for tables."""

from collections.abc import Sequence
from dataclasses import replace

from ingest_grpc.pipeline.parse.layout.page import Block, Box, Page, Word
from ingest_grpc.pipeline.parse.layout.reading import lines_of

_MOST = 0.9


def place_listings(page: Page) -> Page:
    """The page with its tables in a fixed-width font, and without any rule, written as code; neighbours are one."""
    blocks: list[Block] = []
    for block in page.blocks:
        inside = [word for word in page.words if block.box is not None and block.box.contains(*word.box.centre)]
        if block.kind == "table" and block.box is not None and _is_listing(block.box, inside, page):
            block = Block("code", box=block.box, lines=_as_set(inside))
        if block.kind == "code" and blocks and blocks[-1].kind == "code" and blocks[-1].language == block.language:
            blocks[-1] = replace(blocks[-1], lines=[*blocks[-1].lines, *block.lines])
        else:
            blocks.append(block)
    return replace(page, blocks=blocks)


def _is_listing(box: Box, words: Sequence[Word], page: Page) -> bool:
    if any(box.contains((rule.start + rule.end) / 2, rule.at) for rule in page.rules if rule.horizontal):
        return False
    count = sum(len(word.text) for word in words)
    return count > 0 and sum(len(word.text) for word in words if word.fixed_width) >= _MOST * count


def _as_set(words: Sequence[Word]) -> list[str]:
    """The lines with their indentation and gaps."""
    widths = sorted(word.box.width / len(word.text) for word in words)
    width = widths[len(widths) // 2] or 1.0
    left = min(word.box.left for word in words)
    lines = []
    for line in lines_of(words):
        text = ""
        for word in line:
            column = round((word.box.left - left) / width)
            text += " " * max(column - len(text), 1 if text else 0) + word.text
        lines.append(text)
    return lines
