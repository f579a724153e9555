"""Composed characters (Unicode NFC), in time that does not explode.

Composing sorts each run of combining marks, which takes the square of its length: 160 kB of marks keep a core busy
for a quarter of a minute. Like the Stream-Safe Text Format (Unicode Standard Annex #15, section 13), longer runs are
therefore broken by an invisible joiner, which no text that people write needs.
"""

import re
import unicodedata

_MOST_MARKS = 30
_JOINER = "\u034f"
_LONG_RUN = re.compile(rf"[^\w\s\x00-\x7f]{{{_MOST_MARKS + 1},}}")
"""Marks are no letters; what else matches, such as a row of box drawings, is looked at one by one."""


def composed(text: str) -> str:
    """The text in NFC; in a run of more than 30 combining marks a joiner stands after each 30."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_broken, text))


def _broken(run: re.Match[str]) -> str:
    pieces, marks = [], 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            pieces.append(_JOINER)
            marks = 1
        pieces.append(character)
    return "".join(pieces)
