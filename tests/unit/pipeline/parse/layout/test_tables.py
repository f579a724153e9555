"""Tables from rules and white space."""

from ingest_grpc.pipeline.parse.layout.aligned import find_below_heads, find_between_rules
from ingest_grpc.pipeline.parse.layout.grids import find_grids
from ingest_grpc.pipeline.parse.layout.listings import place_listings
from ingest_grpc.pipeline.parse.layout.page import Block, Box, Page, Rule, Word
from ingest_grpc.pipeline.parse.layout.tables import place_tables


def word(text: str, left: float, top: float) -> Word:
    return Word(text, Box(left, top, left + 6 * len(text), top + 10), 10)


def line(top: float, *cells: tuple[float, str]) -> list[Word]:
    """Words from (left, text) pairs; the words of a cell stand 3 points apart."""
    found = []
    for left, text in cells:
        at = left
        for part in text.split():
            found.append(word(part, at, top))
            at += 6 * len(part) + 3
    return found


def grid(xs: list[float], ys: list[float]) -> list[Rule]:
    return [Rule(True, y, xs[0], xs[-1]) for y in ys] + [Rule(False, x, ys[0], ys[-1]) for x in xs]


def test_grid__cells_hold_their_lines() -> None:
    words = line(5, (5, "Name"), (105, "Use")) + line(25, (5, "oak"), (105, "for all")) + line(37, (105, "floors"))
    (table,) = find_grids(words, grid([0, 100, 200], [0, 20, 50]))
    assert table.rows == [["Name", "Use"], ["oak", "for all floors"]]


def test_grid__a_merged_cell_is_one() -> None:
    rules = [rule for rule in grid([0, 100, 200], [0, 20, 40, 60]) if rule.horizontal or rule.at != 100]
    rules.append(Rule(False, 100, 20, 60))
    words = line(5, (95, "Head")) + line(25, (5, "a"), (105, "b")) + line(45, (5, "c"), (105, "d"))
    (table,) = find_grids(words, rules)
    assert table.rows == [["Head", ""], ["a", "b"], ["c", "d"]]


def test_grid__a_frame_around_a_table_that_nobody_drew_is_none() -> None:
    words = [word for top in range(25, 95, 15) for word in line(top, (5, "one"), (55, "two"), (105, "three"))]
    words += line(5, (5, "left"), (105, "right"))
    rules = [rule for rule in grid([0, 100, 200], [0, 20, 100]) if rule.horizontal or rule.at != 100]
    rules.append(Rule(False, 100, 0, 20))
    assert find_grids(words, rules) == []


def test_grid__a_drawing_of_few_edges_is_none() -> None:
    rules = [Rule(True, 10, 0, 30), Rule(True, 60, 0, 30), Rule(True, 90, 0, 10), Rule(False, 5, 0, 90)]
    rules += [Rule(False, 25, 0, 60), Rule(False, 200, 300, 400)]
    assert find_grids(line(20, (6, "a"), (40, "b")), rules) == []


BOOK = [Rule(True, 0, 0, 300), Rule(True, 20, 0, 300), Rule(True, 100, 0, 300)]


def test_rules__each_line_is_a_row_where_all_are_equally_far() -> None:
    words = line(5, (5, "Name"), (100, "License")) + line(25, (5, "Bazel"), (100, "Apache 2"))
    words += line(40, (5, "Kajiya"), (100, "BSD")) + line(55, (100, "or MIT")) + line(70, (5, "Flare"), (100, "none"))
    (table,) = find_between_rules(words, BOOK)
    assert table.rows == [["Name", "License"], ["Bazel", "Apache 2"], ["Kajiya", "BSD or MIT"], ["Flare", "none"]]


def test_rules__lines_that_stand_closer_are_one_row() -> None:
    words = line(5, (5, "Name"), (100, "Use")) + line(25, (5, "long"), (100, "for")) + line(36, (5, "name"), (100, "x"))
    words += line(60, (5, "short"), (100, "none")) + line(80, (5, "other"), (100, "one"))
    (table,) = find_between_rules(words, BOOK)
    assert table.rows == [["Name", "Use"], ["long name", "for x"], ["short", "none"], ["other", "one"]]


def test_rules__a_paragraph_between_two_lines_is_no_table() -> None:
    words = [word for top in (5, 25, 40) for word in line(top, (5, "some words of prose that fill all of the line"))]
    assert find_between_rules(words, BOOK) == []


def test_place__a_table_takes_the_place_of_the_blocks_that_it_covers() -> None:
    words = line(5, (5, "Name"), (105, "Use")) + line(25, (5, "oak"), (105, "floors"))
    blocks = [
        Block("paragraph", "before", Box(0, -30, 200, -10)),
        Block("paragraph", "Name Use", Box(5, 5, 150, 15)),
        Block("paragraph", "oak floors", Box(5, 25, 150, 35)),
        Block("paragraph", "after", Box(0, 60, 200, 70)),
    ]
    placed = place_tables(Page(1, 600, 800, blocks, words, grid([0, 100, 200], [0, 20, 40])))
    assert [block.kind for block in placed.blocks] == ["paragraph", "table", "paragraph"]
    assert placed.blocks[1].rows == [["Name", "Use"], ["oak", "floors"]]


def test_heads__an_underlined_head_and_the_rows_that_keep_its_columns() -> None:
    words = line(5, (5, "Name"), (105, "Use")) + line(25, (5, "oak"), (105, "floors"))
    words += line(40, (5, "pine"), (105, "roofs")) + line(55, (5, "prose that runs on across both of the columns"))
    (table,) = find_below_heads(words, [Rule(True, 18, 0, 300)])
    assert table.rows == [["Name", "Use"], ["oak", "floors"], ["pine", "roofs"]]


def test_heads__a_line_above_prose_is_none() -> None:
    words = line(5, (5, "a title")) + line(25, (5, "words")) + line(40, (5, "more words"))
    assert find_below_heads(words, [Rule(True, 18, 0, 300)]) == []


def test_listing__a_table_in_a_fixed_width_font_is_code_as_it_was_set() -> None:
    words = [
        Word(text, Box(left, top, left + 6 * len(text), top + 10), 10, fixed_width=True)
        for text, left, top in (("def", 0, 0), ("f():", 24, 0), ("return", 24, 12), ("1", 66, 12))
    ]
    table = Block("table", box=Box(0, 0, 90, 24), rows=[["def", "f():"], ["return", "1"]])
    page = Page(1, 600, 800, [table, Block("code", lines=["f()"])], words)
    (block,) = place_listings(page).blocks
    assert (block.kind, block.lines) == ("code", ["def f():", "    return 1", "f()"])
    ruled = place_listings(Page(1, 600, 800, [table], words, [Rule(True, 11, 0, 90)]))
    assert ruled.blocks[0].kind == "table"
