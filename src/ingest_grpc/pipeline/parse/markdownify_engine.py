"""markdownify, the accurate engine for HTML: the document as it is written, element by element."""

import sys
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag
from markdownify import MarkdownConverter

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import MARKDOWNIFY
from ingest_grpc.pipeline.parse.extraction import Extraction
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_NOT_SHOWN = ("script", "style", "template", "noscript", "head")
_FRAMES_PER_LEVEL = 6


class _Converter(MarkdownConverter):
    """ATX headings; pictures as their alternative text only, links only where they lead somewhere."""

    def convert_img(self, el: Tag, text: str, parent_tags: Any) -> str:
        alternative = " ".join(str(el.get("alt") or "").split())
        return f"![{alternative}]()" if alternative else ""

    def convert_a(self, el: Tag, text: str, parent_tags: Any) -> str:
        address = str(el.get("href") or "")
        if address.lower().startswith(("javascript:", "data:")):
            return text
        return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]  # missing in its stubs


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert HTML in UTF-8. ParseFailure `unreadable` if it cannot be parsed, TOO_DEEPLY_NESTED beyond the limit."""
    try:
        page = BeautifulSoup(source.data.decode("utf-8", "replace"), "html.parser")
        language = page.html.get("lang") if page.html else None
        author = page.find("meta", attrs={"name": "author"})
        for element in page(_NOT_SHOWN):
            element.extract()
        markdown = _Converter(heading_style="ATX", bullets="-").convert_soup(page)
    except RecursionError:
        detail = f"elements nested deeper than {sys.getrecursionlimit() // _FRAMES_PER_LEVEL}"
        raise ParseFailure(Reason.TOO_DEEPLY_NESTED, detail, engine=MARKDOWNIFY) from None
    except (AssertionError, ValueError) as error:
        raise ParseFailure(unreadable, str(error), engine=MARKDOWNIFY) from None
    return Extraction(
        text=markdown,
        author=str(author.get("content") or "") or None if isinstance(author, Tag) else None,
        language=str(language) if language else None,
    )
