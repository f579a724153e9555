"""Every bad file there is."""

from collections.abc import Iterator

from tests.hostile import archives, binaries, markup, offices, pdfs, texts, torn
from tests.hostile.case import Case

FAMILIES = (pdfs, offices, archives, markup, texts, binaries, torn)


def all_cases() -> Iterator[Case]:
    """The cases of all families; names are unique within a family only."""
    for family in FAMILIES:
        yield from family.cases()
