"""A document on its way to a parser, and what the parser is told beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ingest_grpc.pipeline.parse.types import Kind

ReportUnits = Callable[[int, int, str], None]
"""Tell the watchers: units done, units in all, what a unit is ("pages")."""


def _silent(_done: int, _total: int, _unit: str) -> None:
    """Progress nobody asked for."""


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of one conversion: bytes of Markdown, the largest side of a PDF page in points (1/72 inch), and
    the wall seconds after which this process is killed."""

    max_output_bytes: int
    max_page_points: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Source:
    """The whole document, what it was found to be, and the charset its sender declared ("" = none)."""

    data: bytes
    kind: Kind
    options: Options
    declared_charset: str = ""
    report: ReportUnits = field(default=_silent)
