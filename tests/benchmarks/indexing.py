"""Chunk, embed and index with the same libraries, by the least code that does it; and a corpus to do it with."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import sqlite_vec
import wordllama
from markdown_it import MarkdownIt

from tests.benchmarks.harness import ROOT

MAX_TOKENS = 400
DIMENSION = 256


class BareIndex:
    """One file with a chunk table, FTS5 and vec0, as the documentation of both shows it; durable commits."""

    def __init__(self, path: Path) -> None:
        self.db = apsw.Connection(str(path))
        self.db.enable_load_extension(True)
        self.db.load_extension(sqlite_vec.loadable_path())
        self.db.pragma("journal_mode", "wal")
        self.db.pragma("synchronous", "full")
        self.db.execute(
            "CREATE TABLE chunks (id INTEGER PRIMARY KEY, document TEXT, text TEXT);"
            "CREATE INDEX by_document ON chunks (document);"
            "CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize='porter');"
            f"CREATE VIRTUAL TABLE near USING vec0(embedding float[{DIMENSION}])"
        )

    def put(self, document: str, texts: Sequence[str], vectors: Sequence[bytes]) -> None:
        """A document's chunks in place of the former ones, in one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        ids = [row[0] for row in self.db.execute("SELECT id FROM chunks WHERE document = ?", (document,))]
        for table, key in (("chunks", "id"), ("words", "rowid"), ("near", "rowid")):
            self.db.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(each,) for each in ids])
        first = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM chunks").get
        rows = list(enumerate(texts, first))
        self.db.executemany("INSERT INTO chunks VALUES (?, ?, ?)", [(n, document, text) for n, text in rows])
        self.db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", rows)
        self.db.executemany("INSERT INTO near (rowid, embedding) VALUES (?, ?)", list(enumerate(vectors, first)))
        self.db.execute("COMMIT")

    def by_vector(self, vector: bytes, top_k: int) -> list[int]:
        rows = self.db.execute("SELECT rowid FROM near WHERE embedding MATCH ? AND k = ?", (vector, top_k))
        return [row[0] for row in rows]

    def by_words(self, question: str, top_k: int) -> list[int]:
        words = " OR ".join(f'"{word}"' for word in question.split())
        rows = self.db.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (words, top_k))
        return [row[0] for row in rows]

    def texts(self, ids: Sequence[int]) -> list[Any]:
        return [self.db.execute("SELECT document, text FROM chunks WHERE id = ?", (each,)).get for each in ids]


class BarePipeline:
    """A loop over documents: blocks of markdown-it-py packed by tokens, the library's own `embed`, one file."""

    def __init__(self, path: Path) -> None:
        folder = Path(wordllama.__file__).parent
        self.model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
        self.parser = MarkdownIt("commonmark").enable("table")
        self.index = BareIndex(path)

    def ingest(self, document: str, text: str) -> int:
        """Returns the chunks."""
        texts = self.chunks(text)
        vectors = self.model.embed(texts, norm=True) if texts else []
        self.index.put(document, texts, [vector.tobytes() for vector in vectors])
        return len(texts)

    def chunks(self, text: str) -> list[str]:
        lines = text.splitlines(keepends=True)
        starts = [token.map[0] for token in self.parser.parse(text) if token.map and token.level == 0]
        blocks = ["".join(lines[a:b]) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
        counts = [sum(each.attention_mask) for each in self.model.tokenize(blocks)] if blocks else []
        packed: list[str] = []
        room = 0
        for block, count in zip(blocks, counts, strict=True):
            if count > room or block.startswith("#"):
                packed.append("")
                room = MAX_TOKENS
            packed[-1] += block
            room -= count
        return packed


def documents(folder: str | None) -> dict[str, str]:
    """The documents of a judged folder, else this project's own pages, in copies that differ."""
    if folder:
        from tests.benchmarks.retrieval import read

        return dict(read(Path(folder)).documents)
    pages = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return {f"{copy}-{n}": f"# Copy {copy}\n\n{text}" for copy in range(4) for n, text in enumerate(texts)}


class Synthetic:
    """Any number of chunks: words as frequent as those of languages are (Zipf), vectors in clusters."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._numbers = np.random.default_rng(seed)
        self._words = [f"word{n:x}" for n in range(20_000)]
        self._weights = [1 / (n + 3) for n in range(len(self._words))]
        self._centres = self._numbers.standard_normal((200, DIMENSION)).astype("f4")

    def texts(self, count: int, words: int = 60) -> list[str]:
        drawn = self._random.choices(self._words, self._weights, k=count * words)
        return [" ".join(drawn[at : at + words]) for at in range(0, len(drawn), words)]

    def vectors(self, count: int) -> list[bytes]:
        near = self._centres[self._numbers.integers(0, len(self._centres), count)]
        found = near + self._numbers.standard_normal((count, DIMENSION)).astype("f4")
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return [row.tobytes() for row in found]
