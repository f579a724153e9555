"""Markdown into sections: the text below each heading, with the headings that lead to it.

ATX headings ("## Title") and one-line setext headings (underlined) split; what looks like one inside a code
fence or a front matter does not (CommonMark 0.31.2, sections 4.2, 4.3 and 4.5).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_CLOSING = re.compile(r"(^|[ \t]+)#+$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_NO_PARAGRAPH = re.compile(r"[ \t]*([>|<#*+-]|\d+[.)][ \t]|$)| {4}|\t")
"""Lines that cannot be the text of a setext heading: quotes, tables, HTML, lists, code, blank lines."""


@dataclass(frozen=True, slots=True)
class Section:
    """Text and the titles of the headings above it, outermost first."""

    heading_path: tuple[str, ...]
    text: str


def split(lines: Iterable[str], max_characters: int) -> Iterator[Section]:
    """The sections with text, in order. A longer one is cut between lines into several with the same headings.

    `lines` keep their line ends; one without an end goes on in the next. A line longer than `max_characters`
    makes a section of its own.
    """
    splitter = _Splitter(max_characters)
    for line in lines:
        yield from splitter.take(line)
    yield from splitter.flush()


class _Splitter:
    """The section that is being read, and where in the document that is."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters
        self._headings: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._size = 0
        self._fence: str | None = None
        self._front_matter = False
        self._begins_line = True
        self._first = True

    def take(self, line: str) -> Iterator[Section]:
        """The next line; yields what it completes."""
        heading = self._heading_of(line.rstrip("\n")) if self._begins_line else None
        self._begins_line = line.endswith("\n")
        self._first = False
        if heading is not None:
            yield from self.flush()
            self._enter(*heading)
            return
        if self._size + len(line) > self._max_characters:
            yield from self.flush()
        self._text.append(line)
        self._size += len(line)

    def flush(self) -> Iterator[Section]:
        """The section as far as it was read."""
        text = "".join(self._text).strip("\n").rstrip(" \t\n")
        self._text, self._size = [], 0
        if text.strip():
            yield Section(tuple(title for _, title in self._headings if title), text)

    def _enter(self, level: int, title: str) -> None:
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, title))

    def _heading_of(self, line: str) -> tuple[int, str] | None:
        """(level, title) if a heading ends with this line."""
        if self._is_verbatim(line):
            return None
        if match := _ATX.match(line):
            return len(match[1]), _CLOSING.sub("", line[match.end() :].strip()).strip()
        if (match := _UNDERLINE.match(line)) and self._ends_with_title():
            title = self._text.pop().strip()
            self._size = sum(map(len, self._text))
            return 1 if match[1][0] == "=" else 2, title
        return None

    def _is_verbatim(self, line: str) -> bool:
        """Whether the line belongs to a code fence or to a front matter, their delimiters included."""
        if self._first and line.rstrip() == "---":
            self._front_matter = True
            return True
        if self._front_matter:
            self._front_matter = line.rstrip() not in ("---", "...", "")
            return True
        match = _FENCE.match(line)
        if self._fence is not None:
            closes = match and match[1].startswith(self._fence) and not match[2].strip()
            self._fence = None if closes else self._fence
            return True
        if match and not (match[1][0] == "`" and "`" in match[2]):
            self._fence = match[1]
            return True
        return False

    def _ends_with_title(self) -> bool:
        """Whether the line before is a paragraph of its own."""
        if not self._text or _NO_PARAGRAPH.match(self._text[-1].rstrip("\n")):
            return False
        return len(self._text) == 1 or not self._text[-2].strip()
