"""The headings that a tagged PDF names in its logical structure, as liteparse hands it over."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ingest_grpc.pipeline.parse.layout.headings import Bookmark

_HEADING = re.compile(r"H([1-6]?)|Title")


def tagged_headings(pages: Iterable[Any]) -> list[Bookmark]:
    """One bookmark for each heading in the structure trees; [] for PDFs that are not tagged."""
    return [heading for page in pages if page.structure_tree for heading in _of_page(page)]


def _of_page(page: Any) -> Iterator[Bookmark]:
    texts: dict[int, list[str]] = {}
    for item in page.text_items:
        if item.mcid is not None:
            texts.setdefault(item.mcid, []).append(item.text)
    for element in _all(page.structure_tree.roots):
        if (found := _HEADING.fullmatch(element.element_type or "")) is not None:
            marked = (mark for part in _all([element]) for mark in part.marked_content_ids)
            title = " ".join(text for mark in marked for text in texts.get(mark, ()))
            yield Bookmark(int(found[1] or 1) - 1, title, page.page_num)


def _all(elements: Iterable[Any]) -> Iterator[Any]:
    """The elements and all below them; a stack, because the depth is the document's choice."""
    stack = list(elements)[::-1]
    while stack:
        element = stack.pop()
        yield element
        stack += list(element.children)[::-1]
