"""What an OCR engine is: it turns the pixels of one page into text."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in shades of grey: `width` times `height` bytes, row by row from the top; 0 is black."""

    pixels: bytes
    width: int
    height: int
    dots_per_inch: int


class Recognizer(Protocol):
    """An engine that is loaded and needs no file any more."""

    def read(self, picture: Picture) -> str:
        """The text of a page, paragraphs separated by empty lines; "" if there is none."""
        ...
