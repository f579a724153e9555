"""What a parser returns, and how it says that it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest_grpc.errors import Reason


@dataclass(slots=True)
class Parsed:
    """Markdown and what is known about how it came to be.

    `pages` is None for formats without pages; `warnings` say what is odd about the file, `losses` what of it is
    missing in the Markdown. `images` are the pictures to be stored, see stored_images.
    """

    markdown: str
    engine: str
    pages: int | None = None
    title: str | None = None
    author: str | None = None
    language: str | None = None
    warnings: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    images: tuple[bytes, ...] = ()


class Unread(Exception):
    """Some pages (from 1) can be read by OCR only: parse again with their texts in the source."""

    def __init__(self, pages: Sequence[int]) -> None:
        super().__init__(f"{len(pages)} pages need OCR")
        self.pages = tuple(pages)


class ParseFailure(Exception):
    """The document cannot become Markdown. `detail` is for operators.

    `retire` asks for the child to be replaced, because the attempt may have left something behind.
    """

    def __init__(self, reason: Reason, detail: str, *, engine: str | None = None, retire: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.engine = engine
        self.retire = retire
