"""Tables that are drawn with rules on all sides of their cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest_grpc.pipeline.parse.layout.page import Box, Rule, Word
from ingest_grpc.pipeline.parse.layout.reading import gutters, lines_of, text_of

_SNAP_POINTS = 3.0
"""Rules that are closer than this are one: the edges of neighbouring filled cells, or the two edges of a thick rule."""
_MAX_RULES = 4_000
"""More belong to a drawing, and would take long to sort out."""
_MAX_CELLS = 20_000
_MIN_DRAWN = 0.5
"""The part of its edges that a table may leave out, where cells are merged."""
_MIN_NESTED_LINES = 4
_MIN_FILLED = 0.25
"""The part of a table's cells that holds text; a chart's grid has less."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table found on a page: where it stands and the texts of its cells, row by row."""

    box: Box
    rows: list[list[str]]


def find_grids(words: Sequence[Word], rules: Sequence[Rule]) -> list[Table]:
    """The ruled tables of a page with at least two rows and two columns of text."""
    if len(rules) > _MAX_RULES:
        return []
    tables = (_table(group, words) for group in _connected(rules))
    return [table for table in tables if table is not None]


def _connected(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules in groups that touch or cross one another: each group may be a table."""
    parent = list(range(len(rules)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    across = [index for index, rule in enumerate(rules) if rule.horizontal]
    down = sorted((index for index, rule in enumerate(rules) if not rule.horizontal), key=lambda index: rules[index].at)
    for index in across:
        for other in down:
            if rules[other].at < rules[index].start - _SNAP_POINTS:
                continue
            if rules[other].at > rules[index].end + _SNAP_POINTS:
                break
            if rules[other].start - _SNAP_POINTS <= rules[index].at <= rules[other].end + _SNAP_POINTS:
                parent[root(other)] = root(index)
    groups: dict[int, list[Rule]] = {}
    for index, rule in enumerate(rules):
        groups.setdefault(root(index), []).append(rule)
    return [group for group in groups.values() if len(group) >= 4]


def _table(rules: Sequence[Rule], words: Sequence[Word]) -> Table | None:
    ys = _snapped(rule.at for rule in rules if rule.horizontal)
    xs = _snapped(rule.at for rule in rules if not rule.horizontal)
    if len(ys) < 3 or len(xs) < 3 or len(xs) * len(ys) > _MAX_CELLS:
        return None
    box = Box(xs[0], ys[0], xs[-1], ys[-1])
    grid = _Grid(xs, ys, rules)
    if grid.drawn_part() < _MIN_DRAWN:
        return None
    held: dict[tuple[int, int], list[Word]] = {}
    for word in words:
        if box.contains(*word.box.centre) and (cell := grid.cell_of(word)) is not None:
            held.setdefault(cell, []).append(word)
    if any(has_columns(inside) for inside in held.values()):
        return None
    rows = [[text_of(held.get((row, column), ())) for column in range(len(xs) - 1)] for row in range(len(ys) - 1)]
    rows = _without_empty(rows)
    return Table(box, rows) if is_table(rows) else None


class _Grid:
    """The positions of all rules of a table, and which of its cells are one because no rule is between them."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float], rules: Iterable[Rule]) -> None:
        self._xs, self._ys = xs, ys
        self._walls: dict[tuple[bool, int], list[tuple[float, float]]] = {}
        for rule in rules:
            key = (rule.horizontal, _nearest(ys if rule.horizontal else xs, rule.at))
            self._walls.setdefault(key, []).append((rule.start, rule.end))

    def cell_of(self, word: Word) -> tuple[int, int] | None:
        """Row and column of the upper left cell of those that are one around `word`."""
        x, y = word.box.centre
        column, row = _slot(self._xs, x), _slot(self._ys, y)
        if column is None or row is None:
            return None
        middle_y = (self._ys[row] + self._ys[row + 1]) / 2
        while column > 0 and not self._wall(False, column, middle_y):
            column -= 1
        middle_x = (self._xs[column] + self._xs[column + 1]) / 2
        while row > 0 and not self._wall(True, row, middle_x):
            row -= 1
        return row, column

    def drawn_part(self) -> float:
        """Which part of the grid's edges, the outer ones too, are really drawn."""
        edges = [
            self._wall(horizontal, index, (before + after) / 2)
            for horizontal, positions, along in ((True, self._ys, self._xs), (False, self._xs, self._ys))
            for index in range(len(positions))
            for before, after in pairwise(along)
        ]
        return sum(edges) / len(edges)

    def _wall(self, horizontal: bool, index: int, along: float) -> bool:
        return any(start - 1 <= along <= end + 1 for start, end in self._walls.get((horizontal, index), ()))


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether cells with these texts look like a table and not like a frame around something else."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    filled = [sum(map(bool, row)) for row in rows]
    several = sum(count > 1 for count in filled)
    return sum(filled) >= max(4, _MIN_FILLED * len(rows) * len(rows[0])) and 2 * several >= len(rows)


def has_columns(words: Sequence[Word]) -> bool:
    """Whether one cell holds a table of its own, which nobody drew: then the grid is only a frame."""
    lines = lines_of(words)
    return len(lines) >= _MIN_NESTED_LINES and len(gutters(words)) > 0


def _without_empty(rows: list[list[str]]) -> list[list[str]]:
    """Drop rows and columns without any text: gaps between double rules."""
    rows = [row for row in rows if any(row)]
    kept = [column for column in range(len(rows[0])) if any(row[column] for row in rows)] if rows else []
    return [[row[column] for column in kept] for row in rows]


def _snapped(values: Iterable[float]) -> list[float]:
    """Sorted positions, those that are nearly equal taken together."""
    found: list[list[float]] = []
    for value in sorted(values):
        if found and value - found[-1][-1] <= _SNAP_POINTS:
            found[-1].append(value)
        else:
            found.append([value])
    return [sum(group) / len(group) for group in found]


def _nearest(positions: Sequence[float], value: float) -> int:
    return min(range(len(positions)), key=lambda index: abs(positions[index] - value))


def _slot(positions: Sequence[float], value: float) -> int | None:
    """Between which two positions `value` lies."""
    for index in range(len(positions) - 1):
        if positions[index] <= value <= positions[index + 1]:
            return index
    return None
