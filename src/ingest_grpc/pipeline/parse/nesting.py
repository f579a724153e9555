"""How deep the elements of XML and HTML stand inside one another, and how far the tables of HTML spread.

Engines follow depth by recursion: too much of it ends their process, or makes them leave out what stands deep
without a word. Both are counted here by looking at tags alone, before an engine sees them.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure

_STEP = 1024
_XML_TOKEN = re.compile(rb"</|<[!?]|<|/>")

_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<raw>script|style|textarea|title)\b.*?(?P<raw_end></(?P=raw)|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<attributes>[^>]*+)(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""Comments, elements whose content is no markup, and tags. Each that does not end reaches to the end of the text."""

_SPAN = re.compile(r"\b(col|row)span\s*=\s*[\"']?\s*(\d{1,9})", re.IGNORECASE)
_CELLS = frozenset({"td", "th"})
_NEVER_ENDED = "area base br col embed hr img input link meta param source track wbr"
_ENDED_BY_THEMSELVES = "html head body p li dt dd option optgroup tr td th thead tbody tfoot colgroup caption rt rp"
_NO_LEVEL = frozenset(f"{_NEVER_ENDED} {_ENDED_BY_THEMSELVES}".split(" "))
"""Elements of HTML whose end tag may be left out: without it they nest nothing."""

_MAX_COLUMN_SPAN, _MAX_ROW_SPAN = 1_000, 65_534
"""What HTML makes of greater spans (HTML Standard, 4.9.11)."""


class XmlDepth:
    """Follows the depth of one XML text that comes in pieces. Comments and CDATA count as what they look like."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.max_elements_deep
        self._depth = 0
        self._held_back = b""

    def feed(self, piece: bytes) -> None:
        """ParseFailure TOO_DEEPLY_NESTED once the limit is passed."""
        text = self._held_back + piece
        self._held_back = text[-1:] if text[-1:] in (b"<", b"/") else b""  # half a token
        end = len(text) - len(self._held_back)
        for start in range(0, end, _STEP):
            self._step(text, start, min(start + _STEP, end))

    def _step(self, text: bytes, start: int, stop: int) -> None:
        """Counting tokens is some fifty times faster than looking at each; that is done where it could matter."""
        ends = text.count(b"</", start, stop + 1)
        starts = text.count(b"<", start, stop) - ends
        if self._depth + starts > self._limit:
            self._token_by_token(text[start : stop + 1], stop - start)
            return
        others = text.count(b"<!", start, stop + 1) + text.count(b"<?", start, stop + 1)
        self._depth = max(0, self._depth + starts - others - ends - text.count(b"/>", start, stop + 1))

    def _token_by_token(self, text: bytes, length: int) -> None:
        for token in _XML_TOKEN.finditer(text):
            if token.start() >= length:
                return
            if token[0] == b"<":
                self._depth += 1
            elif token[0] in (b"</", b"/>"):
                self._depth = max(0, self._depth - 1)
            if self._depth > self._limit:
                raise _too_deep(self._limit, "elements")


@dataclass(slots=True)
class _Table:
    """A table so far. Spans make rows wider than the cells that stand in them."""

    rows: int = 0
    width: int = 0
    widest: int = 0
    carried: int = 0
    ending: Counter[int] = field(default_factory=Counter)

    def begin_row(self) -> None:
        self.rows += 1
        self.carried -= self.ending.pop(self.rows, 0)
        self.width = self.carried

    def add_cell(self, columns: int, rows: int) -> None:
        self.width += columns
        self.widest = max(self.widest, self.width)
        if rows > 1:
            self.carried += columns
            self.ending[self.rows + rows] += columns

    @property
    def cells(self) -> int:
        """Cells once every row is as wide as the widest, and every span is filled."""
        return self.rows * self.widest


class _OpenElements:
    """The elements of HTML that are open. An end tag ends what stands inside its element too, and nothing if there
    is no such element."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: list[str] = []
        self._count: Counter[str] = Counter()

    def begin(self, name: str) -> None:
        self._names.append(name)
        self._count[name] += 1
        if len(self._names) > self._limit:
            raise _too_deep(self._limit, "elements")

    def end(self, name: str) -> None:
        while self._count[name]:
            last = self._names.pop()
            self._count[last] -= 1
            if last == name:
                return


def check_page(text: str, limits: Limits) -> None:
    """ParseFailure TOO_DEEPLY_NESTED, or OUTPUT_TOO_LARGE for tables of too many cells, in an HTML text."""
    elements, tables, cells = _OpenElements(limits.max_nesting), [_Table()], 0
    for tag in _TAG.finditer(text):
        if tag["name"] is None:
            _check_raw(tag, limits)
            continue
        name, ends = tag["name"].lower(), bool(tag["end"])
        if name in _CELLS or name == "tr":
            if not ends:
                _grow(tables[-1], name, tag["attributes"])
        elif ends:
            elements.end(name)
            if name == "table" and len(tables) > 1:
                cells += tables.pop().cells
        elif name not in _NO_LEVEL and not tag["attributes"].endswith("/"):
            elements.begin(name)
            if name == "table":
                tables.append(_Table())
    _check_cells(cells + sum(table.cells for table in tables), limits)


def _check_raw(element: re.Match[str], limits: Limits) -> None:
    """A script that never ends is begun anew by the engine at each of the scripts inside it."""
    if element["raw"] and not element["raw_end"]:
        begins = element[0].lower().count(f"<{element['raw'].lower()}")
        if begins > limits.max_nesting:
            raise _too_deep(limits.max_nesting, "elements")


def _grow(table: _Table, name: str, attributes: str) -> None:
    if name == "tr":
        table.begin_row()
        return
    spans = {which.lower(): int(number) for which, number in _SPAN.findall(attributes)} if attributes else {}
    table.add_cell(min(spans.get("col", 1), _MAX_COLUMN_SPAN), min(spans.get("row", 1), _MAX_ROW_SPAN))


def _check_cells(cells: int, limits: Limits) -> None:
    if cells > limits.max_table_cells:
        detail = f"tables of {cells} cells, at most {limits.max_table_cells}"
        raise ParseFailure(Reason.OUTPUT_TOO_LARGE, detail, engine=STDLIB)


def check_depth(pieces: Iterable[bytes], limits: Limits) -> None:
    """ParseFailure TOO_DEEPLY_NESTED for an XML text in pieces."""
    depth = XmlDepth(limits)
    for piece in pieces:
        depth.feed(piece)


def check_well_formed(pieces: Iterable[bytes], limits: Limits) -> None:
    """As `check_depth`; and ParseFailure FILE_UNREADABLE for what is no XML, or declares entities.

    Some readers go round in circles where elements do not end.
    """
    depth, parser = XmlDepth(limits), expat.ParserCreate()
    parser.EntityDeclHandler = _refuse_entities
    try:
        for piece in pieces:
            depth.feed(piece)
            parser.Parse(piece)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two for encodings that it does not have
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not well-formed XML: {error}", engine=STDLIB) from None


def _refuse_entities(*_declaration: object) -> None:
    raise ParseFailure(Reason.FILE_UNREADABLE, "a part declares entities", engine=STDLIB)


def _too_deep(limit: int, what: str) -> ParseFailure:
    return ParseFailure(Reason.TOO_DEEPLY_NESTED, f"{what} nested deeper than {limit} levels", engine=STDLIB)
