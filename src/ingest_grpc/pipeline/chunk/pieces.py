"""Pieces: blocks, or parts of blocks that are too large for a chunk, with what makes each part readable alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest_grpc.pipeline.chunk.blocks import Block, Kind, lines_of

MAX_TITLE_CHARACTERS = 300

# A run of dots is looked at once: without the look-behind and the possessive repeats a line of them takes the square.
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"')\]*_]*+\s++|[。！？]++[」』）)]*+\s*+")
_LEAD = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+[ \t>]*)*")
_MARKER = re.compile(r"[^>\s]")
_WHOLE = -1


@dataclass(slots=True)
class Piece:
    """Text from `start` to `end` that stays together; `tokens` is an estimate, 0 = not counted.

    `block` is what it can be cut along; None = only between words. A part of a table or of a fence knows where
    that began and ended, and what a chunk needs that begins or ends within it (`opening`, `closing`).
    """

    kind: Kind
    start: int
    end: int
    path: tuple[str, ...]
    block: Block | None = None
    tokens: float = 0.0
    opening: str = ""
    closing: str = ""
    whole_start: int = _WHOLE
    whole_end: int = _WHOLE

    @property
    def before(self) -> str:
        """What is put in front of a chunk that begins with this piece: a table's header, a fence's first line."""
        return "" if self.start == self.whole_start else self.opening

    @property
    def after(self) -> str:
        """What is put behind a chunk that ends with this piece: what closes a fence."""
        return "" if self.end == self.whole_end else self.closing

    @property
    def is_prose(self) -> bool:
        """Whether a part of it can be repeated without more."""
        return self.kind is Kind.PROSE and not self.opening


def pieces_of(blocks: list[Block]) -> Iterator[Piece]:
    """A piece per block, with the headings above it; a heading's path ends with itself."""
    open_headings: list[Block] = []
    path: tuple[str, ...] = ()
    for block in blocks:
        if block.kind is Kind.HEADING:
            while open_headings and open_headings[-1].level >= block.level:
                open_headings.pop()
            open_headings.append(block)
            path = tuple(_title(each.title) for each in open_headings if each.title)
        yield _whole(block, path)


def _title(title: str) -> str:
    return title if len(title) <= MAX_TITLE_CHARACTERS else title[: MAX_TITLE_CHARACTERS - 1] + "…"


def _whole(block: Block, path: tuple[str, ...]) -> Piece:
    """The block as a piece; a fence that the text leaves open is closed."""
    closing = "" if block.closed else f"\n{block.markup}"
    return Piece(block.kind, block.start, block.end, path, block, closing=closing)


def _inside(block: Block, path: tuple[str, ...]) -> Piece:
    """A block of a container, where a heading is one line of many."""
    piece = _whole(block, path)
    return replace(piece, kind=Kind.PROSE) if block.kind is Kind.HEADING else piece


def cut(text: str, piece: Piece, parts: int) -> list[Piece]:
    """The piece in smaller ones, end to end: along its structure, else between words into about `parts`.

    More than one, unless the piece is a single character.
    """
    while piece.block is not None:
        finer = _along(text, piece, piece.block)
        if len(finer) > 1:
            return finer
        inner = finer[0].block if finer else None
        piece = replace(finer[0] if finer else piece, block=None if inner is piece.block else inner)
    return _between_words(text, piece, parts)


def _along(text: str, piece: Piece, block: Block) -> list[Piece]:
    body = text[piece.start : piece.end]
    match block.kind:
        case Kind.CONTAINER:
            return [_inside(child, piece.path) for child in block.children]
        case Kind.TABLE:
            return _rows(text, piece, block)
        case Kind.FENCE:
            return _fence_lines(text, piece, block)
        case Kind.LINES:
            return _spans(piece, lines_of(body))
        case Kind.PROSE | Kind.HEADING:
            found = sentences(body)
            return _spans(piece, found if len(found) > 1 else lines_of(body))


def sentences(text: str) -> list[str]:
    """The text's sentences, white space after each included."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _spans(piece: Piece, texts: list[str]) -> list[Piece]:
    """A piece per text; the texts stand one after the other from the piece's start."""
    spans: list[Piece] = []
    at = piece.start
    for each in texts:
        spans.append(replace(piece, start=at, end=at + len(each), block=None))
        at += len(each)
    return spans


def _rows(text: str, piece: Piece, block: Block) -> list[Piece]:
    """A piece per row; a chunk that begins with a later one repeats the table's header."""
    whole = replace(piece, opening=_continued(text[block.start : block.body]), whole_start=block.start)
    rows = lines_of(text[block.body : block.end])
    return _spans(whole, _headed(text[block.start : block.body], rows))


def _fence_lines(text: str, piece: Piece, block: Block) -> list[Piece]:
    """A piece per line; a chunk that begins or ends between two opens or closes the fence again."""
    opening = _continued(text[block.start : block.body])
    prefix = opening[: len(opening) - len(opening.lstrip("> \t"))]
    whole = replace(
        piece,
        opening=opening,
        closing=f"\n{prefix}{block.markup}",
        whole_start=block.start,
        whole_end=block.end if block.closed else _WHOLE,
    )
    lines = lines_of(text[block.body : block.end])
    kept = max((number for number, line in enumerate(lines) if line.strip("> \t\r\n")), default=0)
    last = max(0, kept - 1) if block.closed else kept
    return _spans(whole, _headed(text[block.start : block.body], [*lines[:last], "".join(lines[last:])]))


def _headed(head: str, lines: list[str]) -> list[str]:
    """The lines, the first one after the head."""
    return [head + (lines[0] if lines else ""), *lines[1:]]


def _continued(head: str) -> str:
    """A block's first lines as they look further down: list markers become spaces, quote markers stay."""
    lead = _LEAD.match(head)
    width = lead.end() if lead else 0
    text = _MARKER.sub(" ", head[:width]) + head[width:]
    return text if text.endswith(("\n", "\r")) else text + "\n"


def _between_words(text: str, piece: Piece, parts: int) -> list[Piece]:
    """About equal parts that end after white space where there is some."""
    size = max(1, -(-(piece.end - piece.start) // max(2, parts)))
    finer: list[Piece] = []
    at = piece.start
    while at < piece.end:
        end = min(piece.end, at + size)
        if end < piece.end:
            end = _word_end(text, at + size // 2, end)
        finer.append(replace(piece, start=at, end=end, block=None))
        at = end
    return finer


def _word_end(text: str, least: int, most: int) -> int:
    """The place after the last white space between the two, else `most`."""
    return next((at for at in range(most, least, -1) if text[at - 1].isspace()), most)
