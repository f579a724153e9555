"""Tables whose columns are told by white space, with horizontal rules between some of their rows."""

from collections.abc import Sequence
from itertools import pairwise

from ingest_grpc.pipeline.parse.layout.grids import Table, has_columns, is_table
from ingest_grpc.pipeline.parse.layout.page import Box, Rule, Word, bounds
from ingest_grpc.pipeline.parse.layout.reading import gutters, line_box, lines_of, text_of

_SAME_EXTENT_POINTS = 6.0
_SAME_HEIGHT_POINTS = 3.0
_MIN_RULE_POINTS = 60.0
_CONTINUATION = 1.2
"""Lines of one row are closer than this many times the smallest distance of lines."""
_MAX_LONE_RULES = 50
_MIN_ROWS_BELOW = 3
_HEAD_GAP = 0.7
_ROW_GAP = 1.2
"""How far, in heights of a line, the next line of the head and the next row may be."""
_RULES_OF_A_BOOK = 3
"""Above the head, below it, at the end. Where there are more, they may stand between the rows."""

Cells = list[list[Word]]


def find_between_rules(words: Sequence[Word], rules: Sequence[Rule]) -> list[Table]:
    """Tables between horizontal rules of one length, as books set them."""
    tables = []
    for group in _same_extent([rule for rule in rules if rule.horizontal]):
        ys = _heights(group)
        if len(ys) < 2:
            continue
        box = Box(group[0].start - 2, ys[0] - 1, group[0].end + 2, ys[-1] + 1)
        rows = _rows([word for word in words if box.contains(*word.box.centre)], ys)
        if rows and not any(has_columns(cell) for row in rows for cell in row):
            texts = [[text_of(cell) for cell in row] for row in rows]
            if is_table(texts):
                tables.append(Table(box, texts))
    return tables


def find_below_heads(words: Sequence[Word], rules: Sequence[Rule]) -> list[Table]:
    """Tables whose head alone is underlined, as word processors set them: below it as many lines as keep its
    columns apart."""
    lone = [group[0] for group in _same_extent([rule for rule in rules if rule.horizontal]) if len(group) == 1]
    if len(lone) > _MAX_LONE_RULES:
        return []
    lines = lines_of(words) if lone else []
    tables = []
    for rule in lone:
        found = _below(rule, lines)
        texts = [[text_of(cell) for cell in row] for row in _rows(found, (rule.at,))]
        if len(texts) >= _MIN_ROWS_BELOW and is_table(texts):
            tables.append(Table(bounds([word.box for word in found]), texts))
    return tables


def _below(rule: Rule, lines: Sequence[Sequence[Word]]) -> list[Word]:
    """The words of the head above a rule and of the rows below it; none if the head has but one column."""
    inside = [[word for word in line if rule.start - 2 <= word.box.centre[0] <= rule.end + 2] for line in lines]
    inside = [line for line in inside if line]
    head: list[Word] = []
    for line in reversed([line for line in inside if line_box(line).centre[1] < rule.at]):
        box = line_box(line)
        reach = bounds([word.box for word in head]).top if head else rule.at
        if reach - box.bottom > _HEAD_GAP * box.height or not gutters([*line, *head]):
            break
        head += line
    columns = len(gutters(head)) if head else 0
    if not columns:
        return []
    found, reach = list(head), rule.at
    for line in [line for line in inside if line_box(line).centre[1] >= rule.at]:
        box = line_box(line)
        if box.top - reach > _ROW_GAP * box.height or len(gutters([*found, *line])) < columns:
            break
        found += line
        reach = max(reach, box.bottom)
    return found


def _rows(words: Sequence[Word], ys: Sequence[float]) -> list[Cells]:
    between = gutters(words) if words else []
    if not between:
        return []
    bands = _bands(words, ys)
    has_head = len(ys) >= _RULES_OF_A_BOOK and len(bands) > 1
    rows: list[Cells] = []
    for index, band in enumerate(bands):
        lines = [_cells(line, between) for line in lines_of(band)]
        if (has_head and index == 0) or (len(ys) > _RULES_OF_A_BOOK and not all(_filled(line) > 1 for line in lines)):
            rows.append(_joined(lines))
        else:
            rows += _split(lines)
    return rows


def _split(lines: Sequence[Cells]) -> list[Cells]:
    """Lines that stand closer together than others are one row; if all are equally far, each is a row, but for
    those that go on with one: their first column is empty."""
    heights = [line_box([word for cell in line for word in cell]).centre[1] for line in lines]
    pitches = [after - before for before, after in pairwise(heights)]
    close = min(pitches, default=0.0) * _CONTINUATION
    alike = max(pitches, default=0.0) <= close
    rows = [list(lines[0])]
    for pitch, line in zip(pitches, lines[1:], strict=True):
        if (not line[0]) if alike else pitch <= close:
            rows[-1] = _joined((rows[-1], line))
        else:
            rows.append(list(line))
    return rows


def _cells(line: Sequence[Word], between: Sequence[float]) -> Cells:
    cells: Cells = [[] for _ in range(len(between) + 1)]
    for word in line:
        cells[sum(word.box.centre[0] > gutter for gutter in between)].append(word)
    return cells


def _joined(lines: Sequence[Cells]) -> Cells:
    return [[word for line in lines for word in line[column]] for column in range(len(lines[0]))]


def _filled(line: Cells) -> int:
    return sum(map(bool, line))


def _bands(words: Sequence[Word], ys: Sequence[float]) -> list[list[Word]]:
    """The words between each two rules; empty bands left out."""
    bands: list[list[Word]] = [[] for _ in range(len(ys) + 1)]
    for word in words:
        bands[sum(word.box.centre[1] > y for y in ys)].append(word)
    return [band for band in bands if band]


def _heights(rules: Sequence[Rule]) -> list[float]:
    heights: list[float] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if not heights or rule.at - heights[-1] > _SAME_HEIGHT_POINTS:
            heights.append(rule.at)
    return heights


def _same_extent(rules: Sequence[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in rules:
        if rule.end - rule.start < _MIN_RULE_POINTS:
            continue
        for group in groups:
            if abs(group[0].start - rule.start) + abs(group[0].end - rule.end) < _SAME_EXTENT_POINTS:
                group.append(rule)
                break
        else:
            groups.append([rule])
    return groups
