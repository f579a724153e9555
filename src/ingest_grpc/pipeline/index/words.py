"""Words for a search engine that splits at white space and punctuation: of texts, and of what users ask.

Chinese, Japanese and Korean have no spaces: a run of their characters becomes its overlapping pairs, as
Lucene's CJKBigramFilter makes them.
"""

import re

MAX_TERMS = 64
"""Words of a question that are searched; a longer one is a text, whose first words say what it is about."""

_CJK = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
_WORD = re.compile(r"\w+")

STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
        "this to was will with"
    )
)
"""Lucene's English ones: they cost most of a search and decide nothing; searched only where nothing else is."""


def searchable(text: str) -> str:
    """The text as it is given to the engine."""
    return _CJK.sub(lambda run: f" {_pairs(run[0])} ", text)


def terms(question: str) -> list[str]:
    """The distinct words of a question, in its order; each is letters, digits and underscores only."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(searchable(question)))
    telling = [word for word in found if word not in STOP_WORDS]
    return (telling or list(found))[:MAX_TERMS]


def _pairs(run: str) -> str:
    return run if len(run) == 1 else " ".join(run[at : at + 2] for at in range(len(run) - 1))
