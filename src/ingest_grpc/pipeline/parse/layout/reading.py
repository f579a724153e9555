"""Words into lines and lines into text."""

from collections.abc import Iterable, Sequence

from ingest_grpc.pipeline.parse.layout.page import Box, Word, bounds

_MIN_GUTTER_EMS = 0.6
_RIGHT_TO_LEFT = ("\u0590", "\u08ff")


def lines_of(words: Iterable[Word]) -> list[list[Word]]:
    """The words in lines from top to bottom; in a line from left to right, or as its script is read."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.box.centre[1], word.box.left)):
        if lines and _same_line(lines[-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.box.left, reverse=_reads_leftwards(line)) for line in lines]


def text_of(words: Iterable[Word]) -> str:
    """The words as one line of text."""
    return " ".join(word.text for line in lines_of(words) for word in line)


def line_box(line: Sequence[Word]) -> Box:
    """The box around a line."""
    return bounds([word.box for word in line])


def gutters(words: Sequence[Word]) -> list[float]:
    """The middles of the white stripes that run down between the words."""
    size = sorted(word.size for word in words)[len(words) // 2]
    found: list[float] = []
    reached: float | None = None
    for word in sorted(words, key=lambda word: word.box.left):
        if reached is not None and word.box.left - reached >= _MIN_GUTTER_EMS * size:
            found.append((word.box.left + reached) / 2)
        reached = word.box.right if reached is None else max(reached, word.box.right)
    return found


def _same_line(line: Sequence[Word], word: Word) -> bool:
    last = line[-1].box
    top, bottom = max(last.top, word.box.top), min(last.bottom, word.box.bottom)
    return bottom - top > 0.5 * min(last.height, word.box.height)


def _reads_leftwards(line: Sequence[Word]) -> bool:
    letters = [character for word in line for character in word.text if character.isalpha()]
    first, last = _RIGHT_TO_LEFT
    return 2 * sum(first <= character <= last for character in letters) > len(letters)
