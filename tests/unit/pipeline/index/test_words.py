"""Words of texts and questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.pipeline.index.words import MAX_TERMS, searchable, terms


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What is the Price of apples?", ["what", "price", "apples"]),
        ("to be or not to be", ["to", "be", "or", "not"]),
        ("apple APPLE apple", ["apple"]),
        ('"quoted" AND (x OR y*)', ["quoted", "x", "y"]),
        ("C++ & foo_bar-baz", ["c", "foo_bar", "baz"]),
        ("東京都 tower", ["東京", "京都", "tower"]),
        ("犬", ["犬"]),
        ("", []),
        ("?!", []),
    ],
)
def test_terms__of_a_question(question: str, found: list[str]) -> None:
    assert terms(question) == found


def test_terms__are_bounded() -> None:
    assert len(terms(" ".join(f"word{n}" for n in range(1_000)))) == MAX_TERMS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain text", "plain text"),
        ("東京都庁", " 東京 京都 都庁 "),
        ("the 東京 tower", "the  東京  tower"),
        ("한국어", " 한국 국어 "),
        ("カタカナ", " カタ タカ カナ "),
    ],
)
def test_searchable__pairs_of_characters_that_know_no_spaces(text: str, found: str) -> None:
    assert searchable(text) == found


@given(st.text(max_size=60))
def test_terms__have_nothing_that_could_be_syntax(question: str) -> None:
    assert all(term and all(character.isalnum() or character == "_" for character in term) for term in terms(question))
