"""What some models want in front of questions and passages: "search_query: " and the like."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Texts in front of every question and of every passage; both are part of what makes a vector."""

    query: str = ""
    passage: str = ""

    @property
    def mark(self) -> str:
        """What the embedder's identity needs to name them."""
        if not self.query and not self.passage:
            return ""
        return "-" + hashlib.sha256(f"{len(self.query)}:{self.query}{self.passage}".encode()).hexdigest()[:8]

    def passages(self, texts: Sequence[str]) -> list[str]:
        return [self.passage + text for text in texts] if self.passage else list(texts)


NO_PREFIXES = Prefixes()
