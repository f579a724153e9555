import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.pipeline.align.sections import split

LONG = 1_000


def sections(text: str, max_characters: int = LONG) -> list[tuple[tuple[str, ...], str]]:
    found = split(text.splitlines(keepends=True), max_characters)
    return [(section.heading_path, section.text) for section in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \n\t\n", []),
        ("plain\n\ntext\n", [((), "plain\n\ntext")]),
        ("before\n# A\nin a\n", [((), "before"), (("A",), "in a")]),
        ("# A\nin a\n## B\nin b\n# C\nin c\n", [(("A",), "in a"), (("A", "B"), "in b"), (("C",), "in c")]),
        ("# A\n### C\nin c\n## B\nin b\n", [(("A", "C"), "in c"), (("A", "B"), "in b")]),  # a level that is left out
        ("# A\n## B\n### C\n", []),  # headings alone have no text
        ("# A ##\nx\n", [(("A",), "x")]),
        ("#\tA\nx\n", [(("A",), "x")]),
        ("   # A\nx\n", [(("A",), "x")]),
        ("#\nx\n", [((), "x")]),  # a heading without a title
        ("## ##\nx\n", [((), "x")]),
        ("# A#\nx\n", [(("A#",), "x")]),
        ("    # code\nx\n", [((), "    # code\nx")]),
        ("#hashtag\n", [((), "#hashtag")]),
        ("####### seven\n", [((), "####### seven")]),
        ("# A\n\n\n  indented\n\n\n", [(("A",), "  indented")]),
    ],
)
def test_split__at_headings(text: str, expected: list[tuple[tuple[str, ...], str]]) -> None:
    assert sections(text) == expected


@pytest.mark.parametrize(
    "fenced",
    [
        "```\n# no\n```\n",
        "```python\n# no\n```\n",
        "~~~\n# no\n```\n# neither\n~~~\n",
        "````\n```\n# no\n```\n````\n",
        "```\n# no\n``` x\n# nor\n```\n",  # a closing fence has nothing behind it
        "  ```\n# no\n  ```\n",
        "```\n\nTitle\n=====\n\n```\n",
    ],
)
def test_split__not_at_headings_inside_of_a_code_fence(fenced: str) -> None:
    assert sections(f"# A\n{fenced}# B\nx\n") == [(("A",), fenced.rstrip("\n")), (("B",), "x")]


def test_split__of_a_fence_that_never_closes() -> None:
    assert sections("# A\n```\n# no\n# nor\n") == [(("A",), "```\n# no\n# nor")]


def test_split__of_inline_code_that_only_looks_like_a_fence() -> None:
    assert sections("```a``` is code\n# B\nx\n") == [((), "```a``` is code"), (("B",), "x")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n=====\nx\n", [(("Title",), "x")]),
        ("Title\n--\nx\n", [(("Title",), "x")]),
        ("One\n===\na\n\nTwo\n---\nb\n", [(("One",), "a"), (("One", "Two"), "b")]),
        ("text\nof two lines\n---\nx\n", [((), "text\nof two lines\n---\nx")]),
        ("text\n\n---\nx\n", [((), "text\n\n---\nx")]),  # a thematic break
        ("- item\n---\nx\n", [((), "- item\n---\nx")]),
        ("| a |\n---\nx\n", [((), "| a |\n---\nx")]),
        ("# A\n---\nx\n", [(("A",), "---\nx")]),
    ],
)
def test_split__at_underlined_headings(text: str, expected: list[tuple[tuple[str, ...], str]]) -> None:
    assert sections(text) == expected


def test_split__not_inside_of_a_front_matter() -> None:
    text = "---\ntitle: x\n# comment: y\n---\n# A\nx\n"
    assert sections(text) == [((), "---\ntitle: x\n# comment: y\n---"), (("A",), "x")]


def test_split__of_a_thematic_break_at_the_top() -> None:
    assert sections("---\n\n# A\nx\n") == [((), "---"), (("A",), "x")]


def test_split__cuts_long_sections_between_lines() -> None:
    text = "# A\n" + "".join(f"line {number}\n" for number in range(6))
    assert sections(text, 20) == [
        (("A",), "line 0\nline 1"),
        (("A",), "line 2\nline 3"),
        (("A",), "line 4\nline 5"),
    ]


def test_split__of_a_line_that_comes_in_pieces() -> None:
    # The second piece begins with what would be a heading on a line of its own.
    assert [section.text for section in split(["a" * 5, "# no\n"], LONG)] == ["aaaaa# no"]


LINES = st.lists(
    st.sampled_from(["# A", "## B", "### C ##", "text", "", "```", "~~~", "---", "===", "    # code", "- item"])
)


@given(LINES, st.integers(1, 40))
def test_split__loses_no_line_but_headings_and_keeps_the_order(lines: list[str], max_characters: int) -> None:
    found = list(split([f"{line}\n" for line in lines], max_characters))
    kept = [line for section in found for line in section.text.split("\n") if line.strip()]
    remaining = iter(lines)
    assert all(any(line.rstrip() == other.rstrip() for other in remaining) for line in kept)
    lost = len([line for line in lines if line.strip()]) - len(kept)
    headings = sum(line.startswith("#") for line in lines)
    underlined = sum(line in ("---", "===") for line in lines)
    assert lost <= headings + 2 * underlined
    assert all(section.text.strip() for section in found)
