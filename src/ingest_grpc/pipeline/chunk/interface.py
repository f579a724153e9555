"""What a chunk is, and what makes chunks of Markdown."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

CountTokens = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, with special tokens, as the embedder counts them: many texts per call are cheaper."""

HEADING_SEPARATOR = " > "

_PAGE_MARK = re.compile(r"<!-- page \d+ -->")


def without_page_marks(text: str) -> str:
    """The text without the comments that a conversion leaves between pages: they are no words."""
    return _PAGE_MARK.sub("", text) if "<!-- page " in text else text


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document.

    `start` and `end` are offsets in characters of the Markdown, and `markdown[start:end]` is what the chunk
    covers. `text` is just that, except where a table or a fence had to be cut: then the header row is
    repeated, or the fence closed and opened again. `heading_path` holds the headings above the passage,
    outermost first. `passage` is what is embedded and what `tokens` counts: the headings that the text does not
    show itself, and the text without page marks.
    """

    ordinal: int
    text: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    tokens: int
    passage: str


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """How large a chunk may be: `max_tokens` of its passage, and `max_characters` of it.

    The second guards against tokenizers that count a blob of thousands of characters as one token, and keeps a hundred
    chunks of any script, which is what Search may find, below the 4 MiB of a reply.
    `overlap_tokens` is how much of its predecessor a chunk repeats at most (whole blocks or sentences).
    """

    max_tokens: int
    overlap_tokens: int = 0
    max_characters: int = 8_000


class Chunker(Protocol):
    """Cuts Markdown. Synchronous and bound by the CPU: to be called off the event loop; safe in several threads."""

    @property
    def identity(self) -> str:
        """Name, version and limits: with it and the embedder's identity, equal bytes give equal chunks."""
        ...

    def chunk(self, markdown: str) -> list[Chunk]:
        """The document's chunks in its order, with ordinals 0, 1, 2 …; none where there is no text.

        Together they cover every character that is neither white space nor a page mark ("<!-- page 7 -->").
        No chunk exceeds the limits. Deterministic.
        """
        ...
