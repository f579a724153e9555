"""Which keys pass the patterns of a data source."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.service.knowledge_bases.patterns import Globs, KeyFilter


def as_regex(glob: str) -> re.Pattern[str]:
    """The same language, said in another way; it backtracks, so only for short patterns."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob if "/" in glob else f"**/{glob}")
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        ("*.pdf", "a.pdf", True),
        ("*.pdf", "deep/down/a.pdf", True),
        ("*.pdf", "a.pdf/b", False),
        ("*.pdf", "a.pdfx", False),
        ("in/*.pdf", "in/a.pdf", True),
        ("in/*.pdf", "in/deep/a.pdf", False),
        ("in/**", "in/deep/a.pdf", True),
        ("in/**/a.pdf", "in/a.pdf", True),
        ("in/**/a.pdf", "in/x/y/a.pdf", True),
        ("in/**/a.pdf", "in/xa.pdf", False),
        ("?.md", "é.md", True),
        ("a?b/c", "a/b/c", False),
        ("a.c", "abc", False),
        ("**", "", True),
        ("a\nb*", "a\nb\n", True),
    ],
)
def test_glob(glob: str, key: str, matches: bool) -> None:
    assert Globs([glob]).match(key) is matches


_GLOBS = st.lists(st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?"]), min_size=1, max_size=7), max_size=3)


@given(_GLOBS.map(lambda globs: ["".join(glob) for glob in globs]), st.text("ab/\n", max_size=8))
def test_globs__agree_with_regular_expressions(globs: list[str], key: str) -> None:
    assert Globs(globs).match(key) == any(as_regex(glob).fullmatch(key) for glob in globs)


@pytest.mark.parametrize("glob", ["*?" * 511 + "!", "*a" * 511 + "!", "**a" * 340 + "!", "**/a*" * 200 + "!"])
def test_hostile_pattern__costs_what_any_other_does(glob: str) -> None:
    """By backtracking none of these would end in a lifetime."""
    assert not Globs([glob] * 10).match("a" * 1_024)


def test_filter__wants_an_include_pattern_and_no_exclude_pattern() -> None:
    keys = ["a.md", "b.txt", "drafts/c.md"]

    def passing(include: list[str], exclude: list[str]) -> list[str]:
        return [key for key in keys if KeyFilter(include, exclude).passes(key)]

    assert passing([], []) == keys
    assert passing(["*.md"], []) == ["a.md", "drafts/c.md"]
    assert passing(["*.md", "b*"], ["drafts/**"]) == ["a.md", "b.txt"]
    assert passing([], ["*"]) == []
