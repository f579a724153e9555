"""Headings from bookmarks and fonts."""

from ingest_grpc.pipeline.parse.layout.headings import Bookmark, set_headings
from ingest_grpc.pipeline.parse.layout.page import Block, Box, Page, Word


class Sheet:
    """A page that is written from top to bottom."""

    def __init__(self, number: int = 1) -> None:
        self.page = Page(number, 600, 800, [])

    def put(
        self, text: str, size: float, kind: str = "paragraph", level: int = 0, fixed_width: bool = False
    ) -> "Sheet":
        top = 20.0 * len(self.page.blocks)
        for index, part in enumerate(text.split()):
            box = Box(50.0 * index, top, 50.0 * index + 45, top + size)
            self.page.words.append(Word(part, box, size, fixed_width=fixed_width))
        self.page.blocks.append(Block(kind, text, Box(0, top, 600, top + size), level))
        return self


BODY = "ordinary words that fill a line of the page"


def outline(pages: list[Page]) -> list[tuple[int, str]]:
    return [(block.level, block.text) for page in pages for block in page.blocks if block.kind == "heading"]


def test_fonts__larger_ones_are_headings_by_rank() -> None:
    sheet = Sheet().put("Title", 20).put(BODY, 10).put("Part one", 14).put(BODY, 10).put("Part two", 14).put(BODY, 10)
    assert outline(set_headings([sheet.page], [])) == [(1, "Title"), (2, "Part one"), (2, "Part two")]


def test_fonts__what_the_engine_took_for_a_heading_but_is_set_as_text_is_none() -> None:
    sheet = Sheet().put("Title", 20).put(BODY, 10).put("Throughout this paper", 10, "heading", 4)
    assert outline(set_headings([sheet.page], [])) == [(1, "Title")]


def test_fonts__where_they_show_few_headings_the_engine_is_believed() -> None:
    first = Sheet(1).put("Title", 20).put(BODY, 10).put("Front material", 10, "heading", 4).put(BODY, 10)
    second = Sheet(2).put(BODY, 10).put("a sentence that goes on", 10, "heading", 4).put("Colours", 10, "heading", 4)
    second.put("It ends.", 10, "heading", 4)
    assert outline(set_headings([first.page, second.page], [])) == [
        (1, "Title"), (2, "Front material"), (2, "Colours"),
    ]  # fmt: skip


def test_fonts__listings_do_not_count_as_the_text() -> None:
    sheet = Sheet().put("Title", 20).put(BODY, 10)
    for _ in range(20):
        sheet.put(BODY, 8, "code", fixed_width=True)
    assert outline(set_headings([sheet.page], [])) == [(1, "Title")]


def test_fonts__a_sentence_that_goes_on_and_a_lone_number_are_no_headings() -> None:
    sheet = Sheet().put(BODY, 10).put("and goes on in a larger font", 14).put("12", 30).put(BODY, 10)
    assert outline(set_headings([sheet.page], [])) == []


def test_bookmarks__say_the_level_whatever_the_font() -> None:
    first = Sheet(1).put("The Handbook", 14).put(BODY, 10).put("1 Scope", 14).put(BODY, 10)
    second = Sheet(2).put("Terms", 10).put(BODY, 10)
    bookmarks = [Bookmark(0, "The Handbook", 1), Bookmark(1, "1  Scope", 1), Bookmark(2, "Terms", 2)]
    assert outline(set_headings([first.page, second.page], bookmarks)) == [
        (1, "The Handbook"), (2, "1 Scope"), (3, "Terms"),
    ]  # fmt: skip


def test_bookmarks__each_is_used_once_and_on_its_page() -> None:
    sheet = Sheet(1).put("Summary", 10).put(BODY, 10).put("Summary", 10)
    assert outline(set_headings([sheet.page], [Bookmark(0, "Summary", 1)])) == [(1, "Summary")]
    assert outline(set_headings([sheet.page], [Bookmark(0, "Summary", 7)])) == []


def test_bookmarks__a_font_they_do_not_explain_ranks_below_those_they_do() -> None:
    sheet = Sheet().put("Scope", 20).put(BODY, 10).put("Details", 14).put(BODY, 10)
    assert outline(set_headings([sheet.page], [Bookmark(1, "Scope", 1)])) == [(2, "Scope"), (3, "Details")]


def test_numbers__say_the_level_below_the_title() -> None:
    sheet = Sheet().put("A Study", 20).put(BODY, 10).put("1 Scope", 14).put(BODY, 10)
    sheet.put("1.1 Terms", 14).put(BODY, 10).put("2. Method", 14).put(BODY, 10)
    assert outline(set_headings([sheet.page], [])) == [
        (1, "A Study"), (2, "1 Scope"), (3, "1.1 Terms"), (2, "2. Method"),
    ]  # fmt: skip
