"""Lines as an OCR engine reads them into paragraphs."""

import re
from collections.abc import Iterable

_BROKEN_WORD = re.compile(r"[^\W\d_][-\u00ad]$")
_LIST_ITEM = re.compile(r"([-*•–]|\d{1,3}[.)])\s")


def join_lines(lines: Iterable[str]) -> str:
    """Lines joined into paragraphs where an empty line stands between them; words broken at a line's end are one
    again; items of a list keep their lines."""
    paragraphs: list[str] = []
    current = ""
    for line in (line.strip() for line in lines):
        if not line:
            paragraphs.append(current)
            current = ""
        elif _BROKEN_WORD.search(current) and line[0].islower():
            current = current[:-1] + line
        elif current and _LIST_ITEM.match(line):
            current = f"{current}\n{line}"
        else:
            current = f"{current} {line}" if current else line
    return "\n\n".join(text for text in (*paragraphs, current) if text)
