"""What an engine makes of a document, whichever engine it was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ingest_grpc.pipeline.parse.evidence import has_text


class PageText(NamedTuple):
    """The Markdown of one page; `number` counts from 1."""

    number: int
    markdown: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """The Markdown of a document: in `pages` where the engine knows pages, else in `text`.

    `losses` are its warnings about parts that it left out. Title, author and language (a tag of BCP 47) are the
    document's own words about itself, None where it says nothing. `images` are the pictures to be stored.
    """

    text: str = ""
    pages: tuple[PageText, ...] = ()
    title: str | None = None
    author: str | None = None
    language: str | None = None
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    images: tuple[bytes, ...] = ()

    @property
    def markdown(self) -> str:
        """The whole, pages separated by invisible comments with their numbers."""
        return join_pages(self.pages) if self.pages else self.text

    @property
    def pages_with_text(self) -> frozenset[int]:
        """Empty where the engine knows no pages."""
        return frozenset(page.number for page in self.pages if has_text(page.markdown))

    def with_texts(self, texts: Sequence[PageText]) -> "Extraction":
        """With the texts of pages that the engine could not read."""
        known = {page.number: page for page in self.pages}
        for text in texts:
            before = known.get(text.number)
            joined = "\n\n".join(part for part in (text.markdown, before.markdown if before else "") if part)
            known[text.number] = PageText(text.number, joined)
        return replace(self, pages=tuple(known[number] for number in sorted(known)))


def join_pages(pages: Sequence[PageText]) -> str:
    """Each page under a comment with its number; a page without anything keeps its comment."""
    return "\n\n".join(f"<!-- page {page.number} -->\n\n{page.markdown.strip()}".strip() for page in pages)
