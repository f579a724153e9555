"""Whether Markdown holds words: an empty success is the one result nobody may get."""

import re

_NOT_EVIDENCE = re.compile(
    r"""\\?!\[[^\]]{0,500}\]\([^)]{0,2000}\)   # references to pictures
      | <!--.{0,2000}?-->                      # comments
      | ^[-*_|:\s]{3,}+$                       # rules, and the line under a table's head
    """,
    re.VERBOSE,
)
_HEADING = re.compile(r"^#{1,6} ")
_WORD = re.compile(r"[^\W_]")


def has_text(markdown: str) -> bool:
    """True if something readable is left without pictures, comments and rules."""
    return any(_is_evidence(line) for line in markdown.splitlines())


def has_text_below_headings(markdown: str) -> bool:
    """True if there is more than headings: an empty sheet still has its name."""
    return any(_is_evidence(line) and not _HEADING.match(line) for line in markdown.splitlines())


def _is_evidence(line: str) -> bool:
    return _WORD.search(_NOT_EVIDENCE.sub("", line)) is not None
