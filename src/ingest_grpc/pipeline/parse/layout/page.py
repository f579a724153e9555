"""A page's words, rules and blocks. Lengths are points (1/72 inch) from the page's top left corner, y downwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle on a page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def contains(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def overlap(self, other: "Box") -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


def bounds(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them; there must be one."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


class Word(NamedTuple):
    """A word, and the font it is set in: its height in points, and two properties of its face."""

    text: str
    box: Box
    size: float
    bold: bool = False
    fixed_width: bool = False


class Rule(NamedTuple):
    """A thin straight line, or an edge of a filled area: `at` is its y if horizontal, its x if vertical."""

    horizontal: bool
    at: float
    start: float
    end: float


@dataclass(slots=True)
class Block:
    """A part of a page in reading order. `kind` is heading, paragraph, list_item, code, table, figure or rule.

    `level` counts from 1 for headings and from 0 for the depth of list items. `text` may hold emphasis and links
    in Markdown; a table has `rows` instead, code has `lines`.
    """

    kind: str
    text: str = ""
    box: Box | None = None
    level: int = 0
    bold: bool = False
    italic: bool = False
    marker: str = ""
    language: str = ""
    lines: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """One page; `number` counts from 1."""

    number: int
    width: float
    height: float
    blocks: list[Block]
    words: list[Word] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
