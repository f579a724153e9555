"""Puts the tables that a page's rules and white space show into the place of an engine's blocks."""

from collections.abc import Sequence
from dataclasses import replace

from ingest_grpc.pipeline.parse.layout.aligned import find_below_heads, find_between_rules
from ingest_grpc.pipeline.parse.layout.grids import Table, find_grids
from ingest_grpc.pipeline.parse.layout.page import Block, Page

_COVERED = 0.6
"""A block belongs to a table if this part of it lies in the table."""


def place_tables(page: Page) -> Page:
    """The page with tables built from its rules; blocks that the tables cover are gone."""
    tables: list[Table] = []
    for table in (
        *find_grids(page.words, page.rules),
        *find_between_rules(page.words, page.rules),
        *find_below_heads(page.words, page.rules),
    ):
        if not any(table.box.overlap(other.box) > 0 for other in tables):
            tables.append(table)
    blocks = page.blocks
    for table in tables:
        blocks = _with_table(blocks, table)
    return replace(page, blocks=blocks)


def _with_table(blocks: Sequence[Block], table: Table) -> list[Block]:
    covered = [
        block.box is not None
        and block.kind != "figure"
        and block.box.overlap(table.box) >= _COVERED * max(block.box.area, 1.0)
        for block in blocks
    ]
    kept = [block for block, gone in zip(blocks, covered, strict=True) if not gone]
    place = covered.index(True) if True in covered else _place(blocks, table)
    return [*kept[:place], Block("table", box=table.box, rows=table.rows), *kept[place:]]


def _place(blocks: Sequence[Block], table: Table) -> int:
    """Before the first block that begins below the table's top."""
    for index, block in enumerate(blocks):
        if block.box is not None and block.box.top > table.box.top:
            return index
    return len(blocks)
