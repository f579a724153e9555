"""One order from two scores."""

import pytest

from ingest_grpc.pipeline.index.ranking import by_both, by_one, relative


def chunks(ranked: list) -> list[int]:  # type: ignore[type-arg]
    return [each.chunk for each in ranked]


def test_relative__to_the_best() -> None:
    assert relative({1: 8.0, 2: 2.0}) == {1: 1.0, 2: 0.25}
    assert relative({}) == {}
    assert relative({1: 0.0}) == {1: 0.0}


def test_by_one__keeps_the_other_score_open() -> None:
    (text,) = by_one({1: 0.5}, None)
    (near,) = by_one(None, {1: 0.5})
    assert (text.text_score, text.vector_score, text.score) == (0.5, None, 0.5)
    assert (near.text_score, near.vector_score, near.score) == (None, 0.5, 0.5)


def test_by_both__is_the_weighted_sum_of_normalised_scores() -> None:
    ranked = by_both({1: 1.0, 2: 0.5}, {1: 0.2, 2: 0.6, 3: 0.4}, 0.5)
    assert chunks(ranked) == [2, 1, 3]
    assert [each.score for each in ranked] == pytest.approx([0.75, 0.5, 0.25])
    assert [each.text_score for each in ranked] == [0.5, 1.0, None]
    assert [each.vector_score for each in ranked] == [0.6, 0.2, 0.4]


@pytest.mark.parametrize(("weight", "order"), [(1.0, [1, 2]), (0.0, [2, 1])])
def test_by_both__weights_at_the_ends(weight: float, order: list[int]) -> None:
    assert chunks(by_both({1: 1.0, 2: 0.1}, {1: -0.5, 2: 0.9}, weight)) == order


def test_by_both__without_a_matching_word_is_the_order_of_the_vectors() -> None:
    assert chunks(by_both({}, {1: 0.1, 2: 0.9, 3: 0.5}, 0.7)) == [2, 3, 1]


def test_by_both__equal_ones_keep_a_fixed_order() -> None:
    assert chunks(by_both({3: 1.0, 1: 1.0, 2: 1.0}, {3: 0.5, 1: 0.5, 2: 0.5}, 0.5)) == [1, 2, 3]
