"""Blocks to Markdown."""

import re
from collections.abc import Iterable, Sequence

from ingest_grpc.pipeline.parse.layout.page import Block

_FENCE = re.compile("`{3,}")


def render(blocks: Iterable[Block]) -> str:
    """The blocks of a page, one after the other; list items stay together."""
    parts: list[str] = []
    previous = ""
    for block in blocks:
        text = _written(block)
        if not text:
            continue
        together = block.kind == previous == "list_item"
        parts.append(("\n" if together else "\n\n") + text if parts else text)
        previous = block.kind
    return "".join(parts)


def _written(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{'#' * min(max(block.level, 1), 6)} {block.text}" if block.text else ""
        case "list_item":
            return f"{'  ' * block.level}{block.marker or '-'} {block.text}"
        case "code":
            return fenced(block.lines, block.language)
        case "table":
            return pipe_table(block.rows)
        case "figure":
            return f"![{block.text}]()" if block.text else ""
        case "rule":
            return "---"
    return _emphasised(block)


def _emphasised(block: Block) -> str:
    marks = "*" * (2 * block.bold + block.italic)
    return f"{marks}{block.text}{marks}" if block.text else ""


def fenced(lines: Sequence[str], language: str = "") -> str:
    """A code block whose fence is longer than any in it."""
    longest = max((len(run) for line in lines for run in _FENCE.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}{language}", *lines, fence))


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """A pipe table; its first row is the head, short rows are padded."""
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    written = [_row(row, width) for row in rows]
    return "\n".join((written[0], "|" + " --- |" * width, *written[1:]))


def _row(row: Sequence[str], width: int) -> str:
    cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row] + [""] * (width - len(row))
    return "| " + " | ".join(cells) + " |"
