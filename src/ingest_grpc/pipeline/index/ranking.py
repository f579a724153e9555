"""One order from two scores: a convex combination of both, each normalised over the candidates.

Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval" (2022): better than reciprocal ranks, which
forget how much better one hit is than the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its scores, as `interface.Hit` has them."""

    chunk: int
    score: float
    text_score: float | None
    vector_score: float | None


def relative(bm25: Mapping[int, float]) -> dict[int, float]:
    """BM25 scores as parts of the best one: 0 is "no word matches", whatever the candidates."""
    best = max(bm25.values(), default=0.0)
    return {chunk: score / best if best > 0 else 0.0 for chunk, score in bm25.items()}


def by_one(text: Mapping[int, float] | None, cosines: Mapping[int, float] | None) -> list[Ranked]:
    """The order of one score alone."""
    if text is not None:
        return _ordered(Ranked(chunk, score, score, None) for chunk, score in text.items())
    return _ordered(Ranked(chunk, score, None, score) for chunk, score in (cosines or {}).items())


def by_both(text: Mapping[int, float], cosines: Mapping[int, float], text_weight: float) -> list[Ranked]:
    """The order of the weighted sum; a candidate without one of the scores has 0 there."""
    near = _spread(cosines)
    return _ordered(
        Ranked(
            chunk,
            text_weight * text.get(chunk, 0.0) + (1 - text_weight) * near.get(chunk, 0.0),
            text.get(chunk),
            cosines.get(chunk),
        )
        for chunk in text.keys() | cosines.keys()
    )


def _spread(cosines: Mapping[int, float]) -> dict[int, float]:
    """The cosines as 0 to 1, from the least of the candidates to the greatest: models differ in where theirs lie."""
    least, most = min(cosines.values(), default=0.0), max(cosines.values(), default=0.0)
    return {chunk: (cosine - least) / (most - least) if most > least else 1.0 for chunk, cosine in cosines.items()}


def _ordered(candidates: Iterable[Ranked]) -> list[Ranked]:
    return sorted(candidates, key=lambda each: (-each.score, each.chunk))
