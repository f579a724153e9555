"""The blocks of a Markdown text with their places: headings, prose, tables, fences, and containers of such.

CommonMark by markdown-it-py, block structure only. Tables are found here, in what it takes for paragraphs:
it would make an object of every cell, which a large spreadsheet turns into gigabytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.chunk.interface import without_page_marks

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_END = re.compile(r"\r\n?|\n")
_LINES = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_ESCAPED_PIPE = re.compile(r"\\.")

WINDOW_CHARACTERS = 64 * 1024


def lines_of(text: str) -> list[str]:
    """The lines with their ends, as CommonMark counts them: not at every character that str.splitlines knows."""
    return _LINES.findall(text)


class Kind(StrEnum):
    """What a block is, as far as cutting it differs."""

    HEADING = "HEADING"
    PROSE = "PROSE"
    TABLE = "TABLE"
    FENCE = "FENCE"
    LINES = "LINES"
    CONTAINER = "CONTAINER"


@dataclass(slots=True)
class Block:
    """A block from offset `start` to `end` of the text, blank lines after it included.

    `level` and `title` belong to a heading. `body` is where a table's rows begin, after its delimiter row, or
    a fence's lines, after its opening one. `markup` closes a fence; `closed` says whether the text does.
    """

    kind: Kind
    start: int
    end: int
    level: int = 0
    title: str = ""
    body: int = 0
    markup: str = ""
    closed: bool = True
    children: list["Block"] = field(default_factory=list)

    def reach(self, *, start: int | None = None, end: int | None = None) -> None:
        """Takes in what stands before or after it; so do its own first and last block."""
        self.start = self.start if start is None else start
        self.end = self.end if end is None else end
        if self.children:
            self.children[0].reach(start=start)
            self.children[-1].reach(end=end)


class BlockReader:
    """Reads blocks; safe in several threads, since markdown-it-py keeps what it reads in a state of its own."""

    def __init__(self) -> None:
        # Here and not above: a server that has no knowledge base need not load it.
        from markdown_it import MarkdownIt  # noqa: PLC0415

        self._parser = MarkdownIt("commonmark")
        self._parser.core.ruler.enableOnly(["normalize", "block"])

    def read(self, text: str) -> list[Block]:
        """The blocks of the text, end to end: they cover it all, but for white space before the first.

        Window by window, for the parser takes a hundred times the size of a list. The last block of a window
        may go on: it is read again, from its start, with what follows.
        """
        blocks: list[Block] = []
        at, size = 0, WINDOW_CHARACTERS
        while at < len(text):
            cut = _LINE_END.search(text, at + size)
            end = cut.end() if cut else len(text)
            found = self._read(text, at, end)
            if end == len(text):
                return blocks + found
            if finished := _finished(text, found):
                blocks += finished
                at, size = finished[-1].end, WINDOW_CHARACTERS
            else:
                size *= 2  # one block that is larger than the window
        return blocks

    def _read(self, text: str, start: int, end: int) -> list[Block]:
        window = text[start:end]
        lines = [start, *(start + match.end() for match in _LINE_END.finditer(window))]
        if lines[-1] < end:
            lines.append(end)
        tokens = iter(self._parser.parse(window))
        return list(_tiled(text, _blocks(text, lines, tokens), start, end))


def _finished(text: str, blocks: list[Block]) -> list[Block]:
    """The blocks without the last; of a single list its items without the last, which its marker begins anew.

    Not so of a quote: a line of it may lack the mark.
    """
    if len(blocks) > 1:
        return blocks[:-1]
    if blocks and len(blocks[0].children) > 1:
        *children, last = blocks[0].children
        if last.kind is Kind.CONTAINER and not text[last.start : last.end].lstrip().startswith(">"):
            return [replace(blocks[0], end=last.start, children=children)]
    return []


_CONTAINERS = {"bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"}


def _blocks(text: str, lines: list[int], tokens: "Iterator[Token]") -> Iterator[Block]:
    """The blocks up to the end of the container that is being read."""
    for token in tokens:
        if token.nesting < 0:
            return
        if token.map is None:  # only "inline" below a paragraph, which is read with it
            continue
        start, end = lines[token.map[0]], lines[min(token.map[1], len(lines) - 1)]
        if token.type in _CONTAINERS:
            children = list(_blocks(text, lines, tokens))
            yield Block(Kind.CONTAINER, start, end, children=list(_tiled(text, iter(children), start, end)))
        elif token.type == "heading_open":
            title = " ".join(next(tokens).content.split())
            next(tokens)
            yield Block(Kind.HEADING, start, end, level=int(token.tag[1:]), title=title)
        elif token.type == "paragraph_open":
            next(tokens), next(tokens)
            yield from _paragraph(text, start, end)
        elif token.type == "fence":
            yield _fence(text, token.markup, start, end)
        elif token.type != "html_block" or not _is_blank(token.content):
            yield Block(Kind.LINES, start, end)


def _tiled(text: str, blocks: Iterator[Block], start: int, end: int) -> Iterator[Block]:
    """The blocks made to meet: blank lines go to the block before; text that is no block, as link reference
    definitions are, becomes prose. Line prefixes before the first block of a container belong to it."""
    last: Block | None = None
    for block in blocks:
        if last is not None and block.start > last.end:
            if not _is_blank(text[last.end : block.start]):
                yield last
                last = Block(Kind.PROSE, last.end, block.start)
            else:
                last.reach(end=block.start)
        if last is not None:
            yield last
        elif not _is_blank(text[start : block.start], markers=""):
            yield Block(Kind.PROSE, start, block.start)
        else:
            block.reach(start=start)
        last = block
    if last is None:
        if not _is_blank(text[start:end], markers=""):
            yield Block(Kind.PROSE, start, end)
        return
    if not _is_blank(text[last.end : end]):
        yield last
        yield Block(Kind.PROSE, last.end, end)
        return
    last.reach(end=max(last.end, end))
    yield last


def _is_blank(text: str, markers: str = ">") -> bool:
    """Whether it holds nothing to read: white space, page marks, and the markers of quotes around them."""
    return not without_page_marks(text).strip(markers + " \t\r\n")


def _paragraph(text: str, start: int, end: int) -> Iterator[Block]:
    """The paragraph, or what stands above a table in it and the table (GFM 0.29, section 4.10)."""
    at = previous = start
    for line in lines_of(text[start:end]):
        if at > start and _DELIMITER.fullmatch(line.strip("> \t\r\n")) and _is_table(text[previous:at], line):
            if previous > start:
                yield Block(Kind.PROSE, start, previous)
            yield Block(Kind.TABLE, previous, end, body=at + len(line))
            return
        previous, at = at, at + len(line)
    yield Block(Kind.PROSE, start, end)


def _is_table(header: str, delimiter: str) -> bool:
    return "|" in header and _cells(header) == _cells(delimiter)


def _cells(row: str) -> int:
    inner = _ESCAPED_PIPE.sub("", row).strip(" \t\r\n>")
    return inner.removeprefix("|").removesuffix("|").count("|") + 1


def _fence(text: str, markup: str, start: int, end: int) -> Block:
    lines = lines_of(text[start:end])
    last = lines[-1].strip("> \t\r\n")
    closed = len(lines) > 1 and last.startswith(markup) and not last.strip(markup[0])
    return Block(Kind.FENCE, start, end, body=start + len(lines[0]), markup=markup, closed=closed)
