"""Which blocks are headings, and of which level: told by a document's bookmarks first, by its fonts otherwise."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ingest_grpc.pipeline.parse.layout.page import Block, Page, Word
from ingest_grpc.pipeline.parse.layout.reading import lines_of

_LARGER = 1.06
"""A heading's font is this many times as high as that of the text."""
_SAME_SIZE = 1.12
_MIN_CHARACTERS = 4
_MAX_BELIEVED_CHARACTERS = 100
_FEW_PER_PAGE = 0.5
_DEEPEST_BELIEVED = 2
_MAX_CHARACTERS = 200
_MAX_LINES = 4
_WORD = re.compile(r"\w+")
_CONTINUES = re.compile(r"[^\w]*[a-z]")
_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d]")
_LETTER = re.compile(r"[^\W\d_]{2}")


class Bookmark(NamedTuple):
    """An entry of a document's outline: its depth from 0, its title, and its page from 1 (0 = unknown)."""

    depth: int
    title: str
    page: int


@dataclass(frozen=True, slots=True)
class _Face:
    """How a block is set: height of its font in points, and its lines."""

    size: float
    lines: int


def set_headings(pages: Sequence[Page], bookmarks: Iterable[Bookmark]) -> list[Page]:
    """The pages with headings found and their levels set, over the whole document."""
    body_size = _body_size(pages)
    outline = _Outline(bookmarks)
    faces: dict[int, _Face] = {}
    depths: dict[int, int] = {}
    for page in pages:
        for block in page.blocks:
            if block.kind not in ("heading", "paragraph"):
                continue
            face = _face(block, page.words)
            depth = outline.depth(block.text, page.number)
            if depth is not None:
                depths[id(block)] = depth
            if depth is not None or _looks_like_heading(block, face, body_size):
                faces[id(block)] = face
    levels = _levels(faces, depths)
    if not depths and len(levels) <= _FEW_PER_PAGE * len(pages):
        levels |= _believed(pages, levels)
    if not depths:
        levels |= _numbered([block for page in pages for block in page.blocks if id(block) in levels])
    return [replace(page, blocks=[_leveled(block, levels) for block in page.blocks]) for page in pages]


def _leveled(block: Block, levels: Mapping[int, int]) -> Block:
    level = levels.get(id(block))
    if level is not None:
        return replace(block, kind="heading", level=level, bold=False, italic=False)
    return replace(block, kind="paragraph") if block.kind == "heading" else block


def _looks_like_heading(block: Block, face: _Face, body_size: float) -> bool:
    if len(block.text) > _MAX_CHARACTERS or not 0 < face.lines <= _MAX_LINES or not _is_titular(block.text):
        return False
    return face.size >= _LARGER * body_size


def _believed(pages: Sequence[Page], levels: Mapping[int, int]) -> dict[int, int]:
    """What the engine took for headings, a level below those that a larger font shows: for documents that set theirs
    in the size of the text."""
    level = min(max(levels.values(), default=0) + 1, _DEEPEST_BELIEVED)
    found = {}
    for page in pages:
        for block in page.blocks:
            if block.kind != "heading" or id(block) in levels or len(block.text) > _MAX_BELIEVED_CHARACTERS:
                continue
            if _is_titular(block.text) and block.text[-1] not in ".,;" and _face(block, page.words).lines <= 2:
                found[id(block)] = level
    return found


def _is_titular(text: str) -> bool:
    """Whether a text may be a heading at all: letters for the most part, and not the end of a sentence."""
    letters = sum(map(str.isalpha, text))
    enough = len(text) >= _MIN_CHARACTERS and 2 * letters >= len(text) - text.count(" ")
    return enough and _LETTER.search(text) is not None and not _CONTINUES.match(text)


def _numbered(headings: Sequence[Block]) -> dict[int, int]:
    """Levels of headings that are numbered like 2.3.1, below that of the title, by the depth of their numbers."""
    numbers = {id(block): found[1] for block in headings if (found := _NUMBER.match(block.text))}
    return {block: number.count(".") + 2 for block, number in numbers.items()} if len(numbers) > 1 else {}


def _levels(faces: Mapping[int, _Face], depths: Mapping[int, int]) -> dict[int, int]:
    """Depth of the bookmark + 1; without one, the rank of the font among those of all headings."""
    sizes = _ranked([face.size for block, face in faces.items()])
    levels: dict[int, int] = {}
    known = {block: depth + 1 for block, depth in depths.items()}
    by_size: dict[int, Counter[int]] = {}
    for block, level in known.items():
        by_size.setdefault(_rank(sizes, faces[block].size), Counter())[level] += 1
    for block, face in faces.items():
        rank = _rank(sizes, face.size)
        if block in known:
            levels[block] = known[block]
        elif rank in by_size:
            levels[block] = by_size[rank].most_common(1)[0][0]
        else:
            levels[block] = _between(rank, by_size)
    return levels


def _between(rank: int, by_size: Mapping[int, Counter[int]]) -> int:
    """The level of a font that no bookmark explains: as far below the next larger explained one as its rank is."""
    larger = [known for known in by_size if known < rank]
    if not larger:
        return rank + 1
    nearest = max(larger)
    return by_size[nearest].most_common(1)[0][0] + rank - nearest


def _ranked(sizes: Iterable[float]) -> list[float]:
    """Sizes from the largest to the smallest, those that are nearly the same taken as one."""
    ranked: list[float] = []
    for size in sorted(sizes, reverse=True):
        if not ranked or size * _SAME_SIZE < ranked[-1]:
            ranked.append(size)
    return ranked


def _rank(ranked: Sequence[float], size: float) -> int:
    return min(range(len(ranked)), key=lambda index: abs(ranked[index] - size))


def _body_size(pages: Sequence[Page]) -> float:
    """The height of the font in which most of the document's characters are set, listings of programs apart."""
    count: Counter[float] = Counter()
    for page in pages:
        for word in page.words:
            if not word.fixed_width:
                count[round(word.size * 4) / 4] += len(word.text)
    return count.most_common(1)[0][0] if count else 0.0


def _face(block: Block, words: Sequence[Word]) -> _Face:
    if block.box is None:
        return _Face(0.0, 0)
    inside = [word for word in words if block.box.contains(*word.box.centre)]
    if not inside:
        return _Face(0.0, 0)
    sizes: Counter[float] = Counter()
    for word in inside:
        sizes[round(word.size * 4) / 4] += len(word.text)
    return _Face(sizes.most_common(1)[0][0], len(lines_of(inside)))


class _Outline:
    """Bookmarks, to be found by the words of their titles; each is used once."""

    def __init__(self, bookmarks: Iterable[Bookmark]) -> None:
        self._open: dict[str, list[Bookmark]] = {}
        for bookmark in bookmarks:
            self._open.setdefault(_key(bookmark.title), []).append(bookmark)
        self._open.pop("", None)

    def depth(self, text: str, page: int) -> int | None:
        """The depth of the bookmark with this title that leads to this page."""
        for bookmark in self._open.get(_key(text), ()):
            if bookmark.page in (0, page):
                self._open[_key(text)].remove(bookmark)
                return bookmark.depth
        return None


def _key(text: str) -> str:
    return "".join(_WORD.findall(text)).casefold()
