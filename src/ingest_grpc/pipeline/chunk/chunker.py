"""Chunks of Markdown: its blocks, packed by the embedder's own count of tokens."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

from ingest_grpc.pipeline.chunk.blocks import BlockReader
from ingest_grpc.pipeline.chunk.interface import Chunk, ChunkLimits, CountTokens, without_page_marks
from ingest_grpc.pipeline.chunk.packing import Group, Packer, context
from ingest_grpc.pipeline.chunk.pieces import Piece, cut, pieces_of, sentences

T = TypeVar("T")

VERSION = "1"
MIN_TOKENS = 32
"""So that a cut table's header, the headings and a few words of text have room."""

MIN_CHARACTERS = 200
CONTEXT_SHARE = 4
"""Headings take at most this part of a passage; outer ones are left out first."""

PART_SHARE = 0.8
"""Between words a piece is cut into parts of this share of what fits, since words differ in tokens."""

SMALL_CHARACTERS = 3
"""So many per token that a chunk may have: a text that is no longer is packed by its length. The passages are
counted anyway, and most texts have more characters per token."""

COUNTED_AT_ONCE = 512
MARK_CHARACTERS = 40
_MARKS_BEFORE = re.compile(r"[ \t]*(?:<!-- page \d+ -->[ \t]*)?(?:\r\n?|\n|\Z)")
_MARK_BEHIND = re.compile(r"<!-- page \d+ -->\Z")


class MarkdownChunker:
    """See `interface.Chunker`. `count_tokens` is that of the embedder the chunks are for."""

    def __init__(self, count_tokens: CountTokens, limits: ChunkLimits) -> None:
        """Raises ValueError for limits that leave no room."""
        if limits.max_tokens < MIN_TOKENS or limits.max_characters < MIN_CHARACTERS:
            raise ValueError(f"a chunk needs at least {MIN_TOKENS} tokens and {MIN_CHARACTERS} characters")
        if not 0 <= limits.overlap_tokens <= limits.max_tokens // 2:
            raise ValueError("overlap_tokens must be between 0 and half of max_tokens")
        self._count_tokens = count_tokens
        self._limits = limits
        self._blocks = BlockReader()

    @property
    def identity(self) -> str:
        limits = self._limits
        return f"markdown-{VERSION}/{limits.max_tokens}/{limits.overlap_tokens}/{limits.max_characters}"

    def chunk(self, markdown: str) -> list[Chunk]:
        """See `interface.Chunker.chunk`."""
        pieces = list(pieces_of(self._blocks.read(markdown)))
        return _Work(markdown, self._count_tokens, self._limits).chunks(pieces)


class _Work:
    """One text on its way. Texts are counted many at a time, each only once."""

    def __init__(self, text: str, count_tokens: CountTokens, limits: ChunkLimits) -> None:
        self._text = text
        self._count_tokens = count_tokens
        self._limits = limits
        self._counted: dict[str, int] = {"": 0}
        self._contexts: dict[tuple[str, ...], str] = {(): ""}

    def chunks(self, pieces: list[Piece]) -> list[Chunk]:
        """The chunks that the pieces make."""
        if len(self._text) <= SMALL_CHARACTERS * (self._limits.max_tokens - self._limits.overlap_tokens):
            for piece in pieces:
                piece.tokens = (piece.end - piece.start) / SMALL_CHARACTERS
        else:
            self._estimate(pieces)
        packer = Packer(self._limits.max_tokens, self._room, self._finer)
        groups = list(packer.pack(self._cut_large(pieces)))
        if self._limits.overlap_tokens:
            self._repeat_ends(groups)
        found: list[Chunk] = []
        for group, passage, tokens in self._fitting(groups):
            start, end = self._span(group)
            if start < end:
                text = self._body(group)
                found.append(Chunk(len(found), text, group.heading_path, start, end, tokens, passage))
        return found

    # How large things are

    def _estimate(self, pieces: list[Piece]) -> None:
        """Counts the pieces, but for those that are too long anyway: a tokenizer takes a hundred times their size."""
        short = [piece for piece in pieces if piece.end - piece.start <= self._limits.max_characters]
        for some in _slices(short):
            texts = [self._text[piece.start : piece.end] for piece in some]
            for piece, tokens in zip(some, self._count_tokens(texts), strict=True):
                piece.tokens = tokens

    def _count(self, texts: set[str]) -> None:
        for some in _slices([text for text in texts if text not in self._counted]):
            self._counted.update(zip(some, self._count_tokens(some), strict=True))

    def _tokens(self, text: str) -> int:
        if text not in self._counted:
            self._count({text})
        return self._counted[text]

    def _room(self, first: Piece, last: Piece) -> tuple[float, int]:
        """What a chunk from `first` to `last` has for its pieces."""
        above, before, after = self._context(first.path), first.before, last.after
        around = self._tokens(above) + self._tokens(before) + self._tokens(after)
        characters = self._limits.max_characters - len(above) - len(before) - len(after)
        return self._limits.max_tokens - self._limits.overlap_tokens - around, characters

    def _context(self, above: tuple[str, ...]) -> str:
        """The headings in front of a passage, without the outer ones that are too long for it."""
        if above not in self._contexts:
            line = context(above)
            too_long = (
                self._tokens(line) * CONTEXT_SHARE > self._limits.max_tokens
                or len(line) * CONTEXT_SHARE > self._limits.max_characters
            )
            self._contexts[above] = self._context(above[1:]) if too_long else line
        return self._contexts[above]

    # Cutting what is too large

    def _cut_large(self, pieces: list[Piece]) -> list[Piece]:
        """The pieces, each small enough for a chunk of its own, with what has to be put around it."""
        self._count({context(path) for path in {piece.path for piece in pieces}})
        while True:
            self._count({around for piece in pieces for around in (piece.opening, piece.closing)})
            large = [piece for piece in pieces if self._excess(piece) > 1]
            if not large:
                return pieces
            finer = {id(piece): parts for piece, parts in zip(large, self._cut_all(large), strict=True)}
            if all(len(parts) == 1 for parts in finer.values()):
                return pieces
            pieces = [part for piece in pieces for part in finer.get(id(piece), (piece,))]

    def _excess(self, piece: Piece) -> float:
        """How many times larger than its room a piece is. What would be put around it and leave too little room
        for it is not: a header of hundreds of columns, a fence of hundreds of marks."""
        tokens, characters = self._room(piece, piece)
        if tokens * 4 < self._limits.max_tokens or characters * 4 < self._limits.max_characters:
            piece.opening = piece.closing = ""
            tokens, characters = self._room(piece, piece)
        return max(piece.tokens / tokens, (piece.end - piece.start) / characters)

    def _finer(self, piece: Piece) -> list[Piece]:
        return self._cut_all([piece])[0]

    def _cut_all(self, pieces: list[Piece]) -> list[list[Piece]]:
        """The parts of each piece, with their tokens."""
        cuts = [cut(self._text, piece, 1 + int(self._excess(piece) / PART_SHARE)) for piece in pieces]
        self._estimate([part for parts in cuts for part in parts])
        for piece, parts in zip(pieces, cuts, strict=True):
            share = self._share(piece, parts)
            for part in parts:
                part.tokens *= share
        return cuts

    def _share(self, piece: Piece, parts: list[Piece]) -> float:
        """What a part counts in its place, of what it counts alone: a little less. Known from the whole piece,
        or from a sample of parts where that was too long to be counted."""
        whole = piece.tokens
        if not whole:
            size = self._limits.max_characters
            parts = [part for part in parts if part.end - parts[0].start <= size]
            whole = self._count_tokens([self._text[parts[0].start : parts[-1].end]])[0] if parts else 0
        alone = sum(part.tokens for part in parts)
        return min(1.0, whole / alone) if alone else 1.0

    # Overlap

    def _repeat_ends(self, groups: list[Group]) -> None:
        """Lets a chunk that goes on in a section begin with the last sentences of the chunk before."""
        pairs = [(before, after) for before, after in pairwise(groups) if _goes_on(before, after)]
        ends = [sentences(self._text[before.pieces[-1].start : before.end]) for before, _ in pairs]
        self._count({sentence for end in ends for sentence in end})
        for (_, after), end in zip(pairs, ends, strict=True):
            left, start = self._limits.overlap_tokens, after.start
            for sentence in reversed(end):
                left -= self._tokens(sentence)
                if left < 0:
                    break
                start -= len(sentence)
            if start < after.start:
                after.repeats_from = start

    # What a group says

    def _fitting(self, groups: list[Group]) -> Iterator[tuple[Group, str, int]]:
        """Each group with its passage and the tokens of that; those that are too large after all are divided."""
        while groups:
            passages = [self._passage(group) for group in groups]
            tokens = [count for some in _slices(passages) for count in self._count_tokens(some)]
            fine = [self._is_small(passage, count) for passage, count in zip(passages, tokens, strict=True)]
            if all(fine):
                yield from zip(groups, passages, tokens, strict=True)
                return
            first = fine.index(False)
            yield from zip(groups[:first], passages[:first], tokens[:first], strict=True)
            groups = [
                part
                for group, fits in zip(groups[first:], fine[first:], strict=True)
                for part in ([group] if fits else self._divided(group))
            ]

    def _is_small(self, passage: str, tokens: int) -> bool:
        return tokens <= self._limits.max_tokens and len(passage) <= self._limits.max_characters

    def _divided(self, group: Group) -> list[Group]:
        if group.repeats_from is not None:
            return [Group.of(group.pieces)]
        pieces = group.pieces
        if len(pieces) == 1:
            pieces = self._finer(pieces[0])
        if len(pieces) == 1:  # one character: only what is put around it can go
            pieces[0].opening = pieces[0].closing = ""
            pieces[0].path = ()
            return [Group.of(pieces)]
        half = len(pieces) // 2
        return [Group.of(pieces[:half]), Group.of(pieces[half:])]

    def _span(self, group: Group) -> tuple[int, int]:
        """Where its text begins and ends, without blank lines and page marks around it."""
        text, start, end = self._text, group.start, group.end
        while (lead := _MARKS_BEFORE.match(text, start, end)) and lead.end() > start:
            start = lead.end()
        end = start + len(text[start:end].rstrip())
        while mark := _MARK_BEHIND.search(text, max(start, end - MARK_CHARACTERS), end):
            end = start + len(text[start : mark.start()].rstrip())
        return start, end

    def _body(self, group: Group) -> str:
        start, end = self._span(group)
        before = "" if group.repeats_from is not None else group.pieces[0].before
        return before + self._text[start:end] + group.pieces[-1].after

    def _passage(self, group: Group) -> str:
        return self._context(group.above) + without_page_marks(self._body(group))


def _slices(texts: list[T]) -> Iterator[list[T]]:
    """What is counted together: a tokenizer keeps some kilobytes of every text of a call."""
    return (texts[at : at + COUNTED_AT_ONCE] for at in range(0, len(texts), COUNTED_AT_ONCE))


def _goes_on(before: Group, after: Group) -> bool:
    first, last = after.pieces[0], before.pieces[-1]
    return last.is_prose and first.is_prose and first.path == last.path
