"""What a reader expects of chunks, case by case."""

from itertools import pairwise

import pytest

from ingest_grpc.pipeline.chunk.chunker import MarkdownChunker
from ingest_grpc.pipeline.chunk.interface import ChunkLimits
from ingest_grpc.units import MIB
from ingest_grpc.wire.requests.knowledge_bases import MAX_CHUNK_TOKENS, MAX_TOP_K
from tests.unit.pipeline.chunk.counting import chunks, count_tokens

PARAGRAPH = "The quick brown fox jumps over the lazy dog. It was not amused. "


@pytest.mark.parametrize("text", ["", "   ", "\n\n \t\n"])
def test_chunk__of_nothing_is_nothing(text: str) -> None:
    assert chunks(text) == []


def test_chunk__a_short_text_is_one() -> None:
    text = "\n# Title\n\nSome words.\n\n"
    (chunk,) = chunks(text)

    assert chunk.text == chunk.passage == "# Title\n\nSome words."
    assert text[chunk.start : chunk.end] == chunk.text
    assert (chunk.ordinal, chunk.heading_path) == (0, ("Title",))
    assert chunk.tokens == count_tokens([chunk.passage])[0]


def test_heading_path__of_each_section() -> None:
    text = f"# A\n\n{PARAGRAPH}\n\n## B `x`\n\n{PARAGRAPH}\n\nC\n=\n\n{PARAGRAPH}\n\n#### D\n\n{PARAGRAPH}\n"
    found = chunks(text)

    assert [chunk.heading_path for chunk in found] == [("A",), ("A", "B `x`"), ("C",), ("C", "D")]
    assert found[1].text.startswith("## B")
    assert found[1].passage == f"A\n\n{found[1].text}"


def test_heading_path__what_looks_like_a_heading_in_code_is_none() -> None:
    assert {chunk.heading_path for chunk in chunks(f"# A\n\n```\n# B\n```\n\n    # C\n\n{PARAGRAPH * 5}")} == {("A",)}


def test_headings__one_never_ends_a_chunk() -> None:
    text = "".join(f"{PARAGRAPH * 2}\n\n## Section {number}\n\n" for number in range(20)) + "end"
    assert all(not chunk.text.splitlines()[-1].startswith("#") for chunk in chunks(text, 60))


def test_headings__tiny_sections_of_one_parent_are_joined() -> None:
    text = "# Glossary\n\n## A\n\nAnt.\n\n## B\n\nBee.\n"
    assert [(chunk.heading_path, chunk.text) for chunk in chunks(text, 200)] == [(("Glossary",), text.rstrip())]


def test_headings__too_long_for_a_passage_are_left_out_outermost_first() -> None:
    text = f"# {'Long ' * 30}\n\n## Short\n\n{PARAGRAPH * 8}"
    later = chunks(text)[1:]

    assert {chunk.heading_path[-1] for chunk in later} == {"Short"}
    assert all(chunk.passage.startswith("Short\n\n") for chunk in later)


def test_table__each_part_repeats_the_header() -> None:
    header = "| Name | Value |\n| --- | ---: |\n"
    text = "# Prices\n\n" + header + "".join(f"| item {n} | {n * 37} |\n" for n in range(60))
    found = chunks(text)

    assert len(found) > 4
    for chunk in found:
        assert header in chunk.text
        assert chunk.heading_path == ("Prices",)
    assert found[0].text == text[: found[0].end]
    assert all(chunk.text == header + text[chunk.start : chunk.end] for chunk in found[1:])


def test_table__below_a_line_of_text_and_in_a_quote() -> None:
    rows = "".join(f"> | item {n} | {n * 37} |\n" for n in range(40))
    found = chunks("> See\n> | a | b |\n> | - | - |\n" + rows)
    assert len(found) > 2
    assert all(chunk.text.startswith("> | a | b |\n> | - | - |\n> | item") for chunk in found[1:])


def test_table__a_header_that_leaves_no_room_is_not_repeated() -> None:
    columns = 60
    text = "| head " * columns + "|\n" + "| - " * columns + "|\n" + ("| x " * columns + "|\n") * 3
    found = chunks(text)
    assert sum("head" in chunk.text for chunk in found) < len(found)


def test_fence__is_not_cut_where_it_fits() -> None:
    fence = "```python\n" + "call()\n" * 10 + "```"
    found = chunks(f"{PARAGRAPH * 3}\n\n{fence}\n\n{PARAGRAPH * 3}\n\n{fence}\n")
    assert sum(chunk.text.count(fence) for chunk in found) == 2
    assert sum(chunk.text.count("```") for chunk in found) == 4


@pytest.mark.parametrize("lead", ["", "> ", "- "], ids=["plain", "quoted", "listed"])
def test_fence__too_long_for_one_is_several_well_formed_ones(lead: str) -> None:
    inside = lead.replace("-", " ")
    text = f"{lead}~~~sql\n" + "".join(f"{inside}select {n};\n" for n in range(80)) + f"{inside}~~~\n"
    found = chunks(text)

    assert len(found) > 3
    for chunk in found[1:]:
        lines = chunk.text.splitlines()
        assert (lines[0], lines[-1]) == (f"{inside}~~~sql", f"{inside}~~~")
        assert sum("~~~" in line for line in lines) == 2


def test_fence__that_the_text_leaves_open_is_closed() -> None:
    assert chunks("```\ncode")[0].text == "```\ncode\n```"
    assert all(chunk.text.endswith("\n```") for chunk in chunks("```\n" + "code here\n" * 80))


def test_list__is_cut_between_items() -> None:
    text = "".join(f"- item {n} of the list\n" for n in range(60))
    assert all(chunk.text.startswith("- item") for chunk in chunks(text))


def test_prose__is_cut_between_sentences() -> None:
    assert all(chunk.text.endswith(".") for chunk in chunks(PARAGRAPH * 20))


def test_japanese__is_cut_between_sentences() -> None:
    sentence = "これは日本語の文章です。"
    found = chunks(sentence * 50)
    assert len(found) > 5
    assert all(chunk.text.endswith("。") for chunk in found)


def test_blob__is_held_by_the_limit_of_characters() -> None:
    blob = MarkdownChunker(lambda texts: [1 for _ in texts], ChunkLimits(400, 0, 1_000)).chunk("x" * 9_000)
    assert len(blob) >= 9
    assert max(len(chunk.passage) for chunk in blob) <= 1_000
    assert "".join(chunk.text for chunk in blob) == "x" * 9_000


def test_headings__in_a_quote_are_text() -> None:
    found = chunks(f"# A\n\n> ## B\n>\n> {PARAGRAPH * 12}\n")
    assert len(found) > 2
    assert {chunk.heading_path for chunk in found} == {("A",)}
    assert all(chunk.passage.startswith(("A\n\n", "# A\n\n")) for chunk in found)


@pytest.mark.parametrize(
    "unit",
    [
        ".",
        ". ",
        ".*",
        "!?",
        " ",
        "\t",
        "|",
        "| ",
        "-|",
        "--- ",
        "|-|\n",
        "> ",
        "- ",
        "1. ",
        "`",
        "~~~\n",
        "<!-- ",
        "[a]: ",
        "\\",
    ],
)
def test_runs_of_one_mark__take_no_square_of_time(unit: str) -> None:
    """A hundred thousand of them: minutes where something looks at the whole rest from each."""
    text = f"x | y\n{unit * (100_000 // len(unit))}"
    found = chunks(text, 400, 0, 8_000)
    assert sum(len(chunk.text) for chunk in found) <= 2 * len(text)


def test_link_definitions__are_text_as_any_other() -> None:
    text = "# A\n\n[one]: https://one.example\n\n- x\n\n[two]: https://two.example\n"
    assert "".join(chunk.text for chunk in chunks(text)) == text.rstrip()


def test_page_marks__are_no_text() -> None:
    text = "<!-- page 1 -->\n\n# A\n\nfirst\n\n<!-- page 2 -->\n\nsecond\n\n<!-- page 3 -->\n\n<!-- page 4 -->"
    (chunk,) = chunks(text)
    assert chunk.text == text[chunk.start : chunk.end] == "# A\n\nfirst\n\n<!-- page 2 -->\n\nsecond"
    assert chunk.passage == "# A\n\nfirst\n\n\n\nsecond"
    assert chunks("<!-- page 1 -->\n\n<!-- page 2 -->\n") == []
    assert [chunk.text for chunk in chunks("<!-- a note -->")] == ["<!-- a note -->"]


def test_page_marks__at_the_borders_of_chunks() -> None:
    text = "".join(f"<!-- page {n} -->\n\n{PARAGRAPH * 3}\n\n" for n in range(9))
    assert not any(chunk.text.startswith("<!--") or chunk.text.endswith("-->") for chunk in chunks(text))


def test_overlap__repeats_the_last_sentences_within_the_limit() -> None:
    text = " ".join(f"Sentence number {n} of many." for n in range(40))
    found = chunks(text, overlap_tokens=16)

    for before, after in pairwise(found):
        assert before.start < after.start < before.end < after.end
        assert count_tokens([text[after.start : before.end]])[0] <= 16
        assert after.text == text[after.start : after.end]
        assert after.text.startswith("Sentence")


def test_overlap__not_over_headings_tables_and_fences() -> None:
    table = "| a | b |\n| - | - |\n" + "".join(f"| {n} | {n} |\n" for n in range(40))
    text = f"# A\n\n{PARAGRAPH * 2}\n\n# B\n\n{table}"
    found = chunks(text, overlap_tokens=16)
    assert all(before.end <= after.start for before, after in pairwise(found))


def test_limits__let_all_that_a_search_finds_into_one_reply() -> None:
    assert MAX_TOP_K * ChunkLimits(MAX_CHUNK_TOKENS).max_characters * len("😀".encode()) < 4 * MIB


@pytest.mark.parametrize(
    "limits", [ChunkLimits(10), ChunkLimits(400, 300), ChunkLimits(400, -1), ChunkLimits(400, 0, 9)]
)
def test_limits__that_leave_no_room(limits: ChunkLimits) -> None:
    with pytest.raises(ValueError, match=r"at least|between"):
        MarkdownChunker(count_tokens, limits)


def test_identity__names_what_decides() -> None:
    def identity(*limits: int) -> str:
        return MarkdownChunker(count_tokens, ChunkLimits(*limits)).identity

    assert identity(400) == identity(400, 0, 8_000) != identity(400, 40)
