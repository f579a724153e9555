"""A document on its way to a parser, and what the parser is told beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.types import Kind

SPEED_OPTIMIZED = "SPEED_OPTIMIZED"
ACCURACY_OPTIMIZED = "ACCURACY_OPTIMIZED"

ReportUnits = Callable[[int, int, str], None]
"""Tell the watchers: units done, units in all, what a unit is ("pages")."""


ParseAttached = Callable[[bytes, str, str], Parsed]
"""Convert a document found inside another one: its bytes, its name, its declared type. Raises ParseFailure."""


def _refuse(_content: bytes, _filename: str, _content_type: str) -> Parsed:
    """Nobody converts what is attached to a part that is read on its own."""
    raise ParseFailure(Reason.UNSUPPORTED_TYPE, "attached to a part of a document")


def _silent(_done: int, _total: int, _unit: str) -> None:
    """Progress nobody asked for."""


@dataclass(frozen=True, slots=True)
class Options:
    """How one document is to be converted: its limits, the method as the contract names it, which engine was chosen
    for which kind, the OCR engine ("" = there is none), and whether its pictures are stored."""

    limits: Limits
    method: str = SPEED_OPTIMIZED
    engines: Mapping[str, str] = field(default_factory=dict)
    ocr_engine: str = ""
    store_images: bool = False

    @property
    def accurate(self) -> bool:
        return self.method == ACCURACY_OPTIMIZED


@dataclass(frozen=True, slots=True)
class Source:
    """The whole document, what it was found to be, and the charset its sender declared ("" = none).

    `read_pages` are the texts that OCR found, by page from 1; None as long as no page was asked for.
    """

    data: bytes
    kind: Kind
    options: Options
    declared_charset: str = ""
    report: ReportUnits = field(default=_silent)
    attached: ParseAttached = field(default=_refuse)
    read_pages: Mapping[int, str] | None = None

    @property
    def without_images(self) -> "Source":
        """For an engine that is not asked for pictures: others look for them."""
        return replace(self, options=replace(self.options, store_images=False))
