"""Lists of problems that fit into memory and on a screen, however much is broken."""

from collections.abc import Iterable

MAX_NAMED = 100
"""Lines of one kind that are given one by one."""


class Lines:
    """The first lines of one kind, and how many there are."""

    def __init__(self, kind: str, lines: Iterable[str] = ()) -> None:
        self._kind = kind
        self._named: list[str] = []
        self._count = 0
        for line in lines:
            self.add(line)

    def add(self, line: str) -> None:
        self._count += 1
        if self._count <= MAX_NAMED:
            self._named.append(line)

    def told(self) -> list[str]:
        """The lines that are named, and one for all others."""
        more = self._count - MAX_NAMED
        return [*self._named, f"… and {more:,} more of this kind ({self._kind})"] if more > 0 else self._named
