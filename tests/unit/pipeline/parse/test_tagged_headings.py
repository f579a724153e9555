"""Headings of tagged PDFs."""

from types import SimpleNamespace
from typing import Any

from ingest_grpc.pipeline.parse.layout.headings import Bookmark
from ingest_grpc.pipeline.parse.tagged_headings import tagged_headings


def element(kind: str | None, marks: tuple[int, ...] = (), *children: Any) -> Any:
    return SimpleNamespace(element_type=kind, marked_content_ids=marks, children=children)


def page(*roots: Any) -> Any:
    items = [
        SimpleNamespace(mcid=mcid, text=text) for mcid, text in ((1, "The"), (1, "Tower"), (2, "words"), (3, "Use"))
    ]
    return SimpleNamespace(page_num=4, text_items=items, structure_tree=SimpleNamespace(roots=roots))


def test_headings__with_their_levels_pages_and_the_texts_of_their_parts() -> None:
    tree = element("Document", (), element("H1", (), element("Span", (1,))), element("P", (2,)), element("H3", (3,)))
    assert tagged_headings([page(tree)]) == [Bookmark(0, "The Tower", 4), Bookmark(2, "Use", 4)]


def test_headings__of_a_tree_deeper_than_any_recursion() -> None:
    deep = element("H2", (3,))
    for _ in range(50_000):
        deep = element("Sect", (), deep)
    assert tagged_headings([page(deep)]) == [Bookmark(1, "Use", 4)]


def test_headings__none_without_tags() -> None:
    assert tagged_headings([SimpleNamespace(structure_tree=None), page(element(None), element("P", (2,)))]) == []
