"""LaTeX before the engine sees it: what the engine would print as it stands becomes what a reader would see.

Comments, accents, ties, labels and references, link targets around headings, and macros without arguments. What is
set verbatim stays as it is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_VERBATIM = re.compile(r"\\begin\{(verbatim\*?|lstlisting|minted|alltt)\}|\\verb\*?([^A-Za-z\s])[^\n]{0,500}?\2")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*(?=\S))?")
_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "d": "\u0323", "b": "\u0331", "k": "\u0328",
    "r": "\u030a",
}  # fmt: skip
_ACCENT = re.compile(
    r"""\\([`'^"~=.])(?:\{\\?([A-Za-z])\}|\\?([A-Za-z])(?![A-Za-z]*\{))|\\([uvHcdbkr])\{\\?([A-Za-z])\}"""
)
_LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
}  # fmt: skip
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|aa|AA|o|O|l|L)(?:\{\}|\s+|(?![A-Za-z]))")
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_TARGET = re.compile(
    rf"\\hypertarget\{{[^{{}}]*\}}\{{\s*(\\[a-z]*(?:section|chapter|paragraph)\*?{_GROUP})\s*"
    rf"(?:\\label\{{[^{{}}]*\}})?\s*\}}"
)
_LABEL = re.compile(r"\\label\{[^{}]*\}")
_REFERENCE = re.compile(r"\\(?:eq|auto|page|c|C|name)?ref\*?\{([^{}]{0,500})\}")
_CITATION = re.compile(r"\\[A-Za-z]{0,20}cite[A-Za-z]{0,20}\*?(?:\[[^\]]{0,200}\]){0,2}\{([^{}]{0,500})\}")
_TIE = re.compile(r"(?<!\\)~")
_HEAD_FIELD = re.compile(rf"\\(title|author|date){_GROUP}")
_MARKUP = re.compile(r"\\(?:emph|textbf|textit|texttt|textsc|textrm|thanks)\{([^{}]*)\}")
_MACRO = re.compile(rf"\\(?:re)?newcommand\*?\s*(?:\{{\\([A-Za-z]+)\}}|\\([A-Za-z]+))\s*{_GROUP}")
_MAX_MACROS = 200
_MAX_MACRO_CHARACTERS = 500
_MAX_GROWTH = 2


def prepared(text: str) -> str:
    """The same document, easier to read for an engine; never more than some times as long."""
    pieces, at = [], 0
    for start, end in _verbatim(text):
        pieces += [_plain(text[at:start]), text[start:end]]
        at = end
    return "".join((*pieces, _plain(text[at:])))


def _verbatim(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of what is set verbatim. An environment that is never closed is looked for once only."""
    at, unclosed = 0, set[str]()
    while (found := _VERBATIM.search(text, at)) is not None:
        at = found.end()
        if found[1] in unclosed:
            continue
        if found[1] is not None:
            mark = f"\\end{{{found[1]}}}"
            closed = text.find(mark, at)
            if closed < 0:
                unclosed.add(found[1])
                continue
            at = closed + len(mark)
        yield found.start(), at


def _plain(text: str) -> str:
    for step in _STEPS:
        text = step(text)
    return text


def _without_comments(text: str) -> str:
    return _COMMENT.sub(r"\1", text)


def _with_macros(text: str) -> str:
    """Macros without arguments, one level deep: more could grow without end."""
    bodies = {found[1] or found[2]: found[3] for found in list(_MACRO.finditer(text))[:_MAX_MACROS]}
    bodies = {name: body for name, body in bodies.items() if "#" not in body and len(body) <= _MAX_MACRO_CHARACTERS}
    if not bodies:
        return text
    rest = _MACRO.sub(lambda found: "" if (found[1] or found[2]) in bodies else found[0], text)
    use = re.compile(rf"\\({'|'.join(map(re.escape, bodies))})(?![A-Za-z])(?:\{{\}})?")
    uses = sum(len(bodies[found[1]]) for found in use.finditer(rest))
    return use.sub(lambda found: bodies[found[1]], rest) if uses <= _MAX_GROWTH * len(text) else text


def _accented(found: re.Match[str]) -> str:
    accent, letter = found[1] or found[4], found[2] or found[3] or found[5]
    return unicodedata.normalize("NFC", letter + _ACCENTS[accent])


def _with_accents(text: str) -> str:
    return _LETTER.sub(lambda found: _LETTERS[found[1]], _ACCENT.sub(_accented, text))


def _without_targets(text: str) -> str:
    text = _LABEL.sub("", _TARGET.sub(r"\1", text))
    return _CITATION.sub(r"[\1]", _REFERENCE.sub(r"\1", text))


def _with_plain_head(text: str) -> str:
    """Title, author and date are shown as they stand: without markup, names set apart by commas."""

    def plain(found: re.Match[str]) -> str:
        value = _MARKUP.sub(r"\1", found[2]).replace(r"\and", ",").replace("\\\\", " ")
        return f"\\{found[1]}{{{' '.join(value.split()).replace(' ,', ',')}}}"

    return _HEAD_FIELD.sub(plain, text)


def _without_ties(text: str) -> str:
    return _TIE.sub(" ", text)


_STEPS: tuple[Callable[[str], str], ...] = (
    _without_comments,
    _with_macros,
    _with_accents,
    _without_targets,
    _without_ties,
    _with_plain_head,
)
