"""Tables of DOC files: the engine runs all cells of a table, and the paragraph behind it, into one another.

Before it converts, the marks that end cells and rows are exchanged, byte for byte, for characters that come out of
it as they are: a row becomes a paragraph, a cell ends with a sign that the document does not use. Afterwards these
paragraphs become pipe tables. Which marks end what is told by the paragraphs' properties ([MS-DOC] 2.4.3, 2.8.6).
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import olefile

from ingest_grpc.pipeline.parse.compound import UNREADABLE

_STREAM = "WordDocument"
_FLAGS, _TEXT_LENGTH, _PAPX_PLC, _CLX = 0x0A, 0x4C, 0x102, 0x1A2
_SECOND_TABLE = 0x0200
_COMPRESSED = 0x40000000
_PAGE = 512
_BX = 13
_IN_TABLE, _ROW_END = 0x2416, 0x2417
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_VARIABLE, _TABLE_DEFINITION = 6, 0xD608

_CELL_MARK, _PARAGRAPH_MARK = 0x07, 0x0D
_MOST_PLACES = 20
"""Places looked at per byte: an honest document has far fewer."""

_SIGNS = "¦¤¬þÞðÐ×÷µ"
"""Candidates for signs: one byte in code page 1252, and seldom written."""

_MARKER = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+)?")


@dataclass(frozen=True, slots=True)
class Marked:
    """A document whose cells end with `cell`, with `line` between the paragraphs of one cell."""

    data: bytes
    cell: str
    line: str

    def restored(self, markdown: str) -> str:
        """What the engine made of it, with tables where their rows are."""
        blocks: list[str] = []
        rows: list[list[str]] = []
        for block in re.split(r"\n{2,}", markdown):
            if self.cell in block:
                rows.append(self._cells(block))
                continue
            blocks += _table(rows)
            rows = []
            blocks.append(block.replace(self.line, " "))
        return "\n\n".join([*blocks, *_table(rows)])

    def _cells(self, block: str) -> list[str]:
        *cells, rest = _MARKER.sub("", block, count=1).replace("\n", " ").split(self.cell)
        return [" ".join(cell.replace(self.line, "<br>").split()).removesuffix("<br>") for cell in cells] + (
            [rest.strip()] if rest.strip() else []
        )


def _table(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    width = max(map(len, rows))
    lines = ["| " + " | ".join(c.replace("|", "\\|") for c in row + [""] * (width - len(row))) + " |" for row in rows]
    return ["\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])]


def marked(data: bytes) -> Marked | None:
    """The document with its cells marked; None if it has no table, or one that cannot be made out."""
    try:
        return _marked(data)
    except UNREADABLE:
        return None  # the engine will say what is wrong, or read what is left


def _marked(data: bytes) -> Marked | None:
    file = olefile.OleFileIO(io.BytesIO(data), write_mode=True)
    document = bytearray(file.openstream(_STREAM).read())
    (flags,) = struct.unpack_from("<H", document, _FLAGS)
    tables = file.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()
    pieces = list(_pieces(document, tables))
    signs = _unused(document, pieces)
    if len(signs) < 2:
        return None
    cell, line = signs[:2]
    if not _exchange(document, tables, pieces, ord(cell), ord(line)):
        return None
    file.write_stream(_STREAM, bytes(document))
    file.fp.seek(0)
    return Marked(file.fp.read(), cell, line)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters that lie together: from which byte to which, one or two bytes each."""

    start: int
    end: int
    width: int


def _pieces(document: bytearray, tables: bytes) -> Iterator[_Piece]:
    start, length = struct.unpack_from("<II", document, _CLX)
    clx, at = tables[start : start + length], 0
    while clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    (size,) = struct.unpack_from("<I", clx, at + 1)
    plc, count = clx[at + 5 : at + 5 + size], (size - 4) // 12
    positions = struct.unpack_from(f"<{count + 1}I", plc)
    for index in range(count):
        (place,) = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * index + 2)
        characters = positions[index + 1] - positions[index]
        width = 1 if place & _COMPRESSED else 2
        begin = (place & ~_COMPRESSED) // (2 if width == 1 else 1)
        yield _Piece(begin, begin + characters * width, width)


def _unused(document: bytearray, pieces: list[_Piece]) -> list[str]:
    used: set[str] = set()
    for piece in pieces:
        encoding = "cp1252" if piece.width == 1 else "utf-16-le"
        used |= set(document[piece.start : piece.end].decode(encoding, "replace"))
    return [sign for sign in _SIGNS if sign not in used]


def _exchange(document: bytearray, tables: bytes, pieces: list[_Piece], cell: int, line: int) -> bool:
    """Puts the signs in the place of the marks; False if there was none."""
    found, looked_at = False, 0
    for start, end, in_table, ends_row in _paragraphs(document, tables):
        if not in_table:
            continue
        for piece in pieces:
            places = range(max(start, piece.start), min(end, piece.end), piece.width)
            looked_at += len(places) + 1
            if looked_at > _MOST_PLACES * len(document):
                raise ValueError("paragraphs or pieces lie over one another")
            for at in places:
                if piece.width == 2 and document[at + 1]:
                    continue
                if document[at] == _CELL_MARK:
                    document[at] = _PARAGRAPH_MARK if ends_row else cell
                    found = True
                elif document[at] == _PARAGRAPH_MARK:
                    document[at] = line
    return found


def _paragraphs(document: bytearray, tables: bytes) -> Iterator[tuple[int, int, bool, bool]]:
    """(first byte, byte behind, in a table, ends a row) of every paragraph."""
    start, length = struct.unpack_from("<II", document, _PAPX_PLC)
    count = (length - 4) // 8
    pages = struct.unpack_from(f"<{count}I", tables, start + 4 * (count + 1))
    for number in pages:
        page = bytes(document[(number & 0x3FFFFF) * _PAGE : ((number & 0x3FFFFF) + 1) * _PAGE])
        runs = page[_PAGE - 1]
        places = struct.unpack_from(f"<{runs + 1}I", page)
        for run in range(runs):
            properties = _properties(page, page[4 * (runs + 1) + _BX * run] * 2)
            yield places[run], places[run + 1], _IN_TABLE in properties, _ROW_END in properties


def _properties(page: bytes, at: int) -> set[int]:
    """The properties of a paragraph that are set."""
    if at == 0:
        return set()
    size = page[at] * 2 - 1 if page[at] else page[at + 1] * 2
    begin = at + 1 if page[at] else at + 2
    modifiers, at, found = page[begin + 2 : begin + size], 0, set[int]()
    while at + 2 < len(modifiers):
        (code,) = struct.unpack_from("<H", modifiers, at)
        at += 2
        kind = code >> 13
        if modifiers[at]:
            found.add(code)
        if kind != _VARIABLE:
            at += _OPERAND_BYTES[kind]
        elif code == _TABLE_DEFINITION:
            at += 1 + struct.unpack_from("<H", modifiers, at)[0]
        else:
            at += 1 + modifiers[at]
    return found
