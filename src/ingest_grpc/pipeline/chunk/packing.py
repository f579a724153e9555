"""Packing: pieces into groups that make chunks, as full as the limits and the headings allow."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ingest_grpc.pipeline.chunk.blocks import Kind
from ingest_grpc.pipeline.chunk.interface import HEADING_SEPARATOR
from ingest_grpc.pipeline.chunk.pieces import Piece

TINY_SHARE = 8
"""A section of less than this part of the limit is joined with its next sibling, so that no chunk is a mere line."""


@dataclass(slots=True)
class Group:
    """Consecutive pieces; `repeats_from` is where the repeated end of the chunk before begins, if any is."""

    pieces: list[Piece] = field(default_factory=list)
    tokens: float = 0.0
    repeats_from: int | None = None

    @classmethod
    def of(cls, pieces: list[Piece]) -> "Group":
        """The pieces as a group."""
        return cls(pieces, sum(piece.tokens for piece in pieces))

    def add(self, piece: Piece) -> None:
        """Appends the piece that follows in the text."""
        self.pieces.append(piece)
        self.tokens += piece.tokens

    @property
    def is_bare(self) -> bool:
        """Whether it has nothing but headings, if anything."""
        return all(piece.kind is Kind.HEADING for piece in self.pieces)

    @property
    def start(self) -> int:
        return self.pieces[0].start if self.repeats_from is None else self.repeats_from

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    @property
    def heading_path(self) -> tuple[str, ...]:
        """The headings that are above all of its text."""
        bodies = [piece.path for piece in self.pieces if piece.kind is not Kind.HEADING]
        return common(bodies) if bodies else self.pieces[-1].path

    @property
    def above(self) -> tuple[str, ...]:
        """Those of them that its own text does not show."""
        first = self.pieces[0]
        shown = first.path[:-1] if first.kind is Kind.HEADING else first.path
        return common([shown, self.heading_path])


def common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with."""
    shortest = min(paths, key=len)
    for depth, title in enumerate(shortest):
        if any(path[depth] != title for path in paths):
            return shortest[:depth]
    return shortest


def context(above: tuple[str, ...]) -> str:
    """The line in front of a passage that says which headings it stands below."""
    return HEADING_SEPARATOR.join(above) + "\n\n" if above else ""


Room = Callable[[Piece, Piece], tuple[float, int]]
"""Tokens and characters that a chunk from the one piece to the other has for them, besides what is put around."""


class Packer:
    """Packs the pieces of one text. `finer` cuts a piece in smaller ones, or gives back one that cannot be cut."""

    def __init__(self, max_tokens: int, room: Room, finer: Callable[[Piece], list[Piece]]) -> None:
        self._tiny = max_tokens / TINY_SHARE
        self._room = room
        self._finer = finer

    def pack(self, pieces: Iterable[Piece]) -> Iterator[Group]:
        """The groups, in order. A heading begins a group, unless the one before is tiny; none ends one."""
        waiting = list(pieces)[::-1]
        group = Group()
        while waiting:
            piece = waiting.pop()
            if piece.kind is Kind.HEADING and self._is_done(group, piece):
                yield group
                group = Group()
            if self._fits(group, piece):
                group.add(piece)
            elif group.is_bare:  # cut the piece, rather than make a chunk of headings alone
                finer = self._finer(piece)
                if len(finer) > 1:
                    waiting += reversed(finer)
                    continue
                if group.pieces:
                    yield group
                group = Group.of([piece])
            else:
                full, headings = _without_trailing_headings(group)
                yield full
                group = headings
                waiting.append(piece)
        if group.pieces:
            yield group

    def _is_done(self, group: Group, heading: Piece) -> bool:
        """Whether a section ends here: a tiny one is joined with the next, if they have a heading in common."""
        if group.is_bare:
            return False
        return group.tokens >= self._tiny or not common([group.heading_path, heading.path])

    def _fits(self, group: Group, piece: Piece) -> bool:
        first = group.pieces[0] if group.pieces else piece
        tokens, characters = self._room(first, piece)
        return group.tokens + piece.tokens <= tokens and piece.end - first.start <= characters


def _without_trailing_headings(group: Group) -> tuple[Group, Group]:
    count = len(group.pieces)
    while count and group.pieces[count - 1].kind is Kind.HEADING:
        count -= 1
    return Group.of(group.pieces[:count]), Group.of(group.pieces[count:])
