"""Which keys of a data source pass its patterns. Pure, and without backtracking: callers write the patterns."""

import re
from collections.abc import Sequence
from typing import Self

from ingest_grpc.model import DataSource

_TOKEN = re.compile(r"\*\*/|\*\*|.", re.DOTALL)


class Globs:
    """Patterns of which a key is to match one.

    "*" is anything within a part of a key, "?" one character of it, "**" any parts; without a slash a pattern is for
    the last part. All of them are one automaton: each of its states is a bit, and those that a key may be in are one
    number. So a key costs a few operations per character, however the patterns are written.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._start = 0
        self._end = 0
        self._takes = {"/": 0}
        """States that a character leads on from, to the next one."""
        self._takes_any = 0
        """The same for the characters that no pattern names."""
        self._stays = 0
        """States in which any character may come any number of times."""
        self._stays_in_part = 0
        """The same for any character but a slash."""
        self._skipped = 0
        """States that stand for a "**/", which may be nothing: who comes to one is in the next one as well."""
        bit = 1
        for glob in globs:
            self._start |= bit
            bit = self._add(glob if "/" in glob else f"**/{glob}", bit)
        self._start |= (self._start & self._skipped) << 1
        self._takes = {char: bits | (self._takes_any if char != "/" else 0) for char, bits in self._takes.items()}
        self._stays_in_part |= self._stays

    def _add(self, glob: str, bit: int) -> int:
        """Adds the states of one pattern from `bit` on; returns the bit that is free."""
        before = ""
        for token in _TOKEN.findall(glob):
            if token == "**":
                self._stays |= bit
            elif token == "*":
                self._stays_in_part |= bit
            elif token != "**/":
                self._take(token, bit)
                bit <<= 1
            elif before not in {"**", "**/"}:  # behind those it says nothing new
                self._stays |= bit
                self._skipped |= bit
                self._take("/", bit)
                bit <<= 1
            before = token
        self._end |= bit
        return bit << 1

    def _take(self, char: str, bit: int) -> None:
        if char == "?":
            self._takes_any |= bit
        else:
            self._takes[char] = self._takes.get(char, 0) | bit

    def match(self, key: str) -> bool:
        """Whether one of the patterns is for this key, all of it."""
        state = self._start
        for char in key:
            came = (state & self._takes.get(char, self._takes_any)) << 1
            stays = self._stays if char == "/" else self._stays_in_part
            state = came | (came & self._skipped) << 1 | state & stays
            if not state:
                return False
        return bool(state & self._end)


class KeyFilter:
    """A key passes if it matches an include pattern, where there are any, and no exclude pattern."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = Globs(include) if include else None
        self._exclude = Globs(exclude)

    @classmethod
    def of(cls, source: DataSource) -> Self:
        """The filter of a data source."""
        return cls(source.include_patterns, source.exclude_patterns)

    def passes(self, key: str) -> bool:
        return (self._include is None or self._include.match(key)) and not self._exclude.match(key)
