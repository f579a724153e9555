"""How well search finds what people judged relevant: nDCG@10 by words, by vectors and by both.

usage: scripts/bench-retrieval FOLDER [--embedder NAME] [--text-weight SHARE]

FOLDER holds documents.jsonl (id, title, text), queries.jsonl (id, text) and qrels.tsv (query, document, grade).
The embedder is that of the settings (INGEST_EMBEDDER, INGEST_EMBEDDING_…) unless it is named.
"""

import argparse
import asyncio
import csv
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.chunk.chunker import MarkdownChunker
from ingest_grpc.pipeline.chunk.interface import ChunkLimits
from ingest_grpc.pipeline.embed.engines import embedders
from ingest_grpc.pipeline.embed.interface import Embedder, Vector
from ingest_grpc.pipeline.index.interface import Document, EmbeddedChunk, Index, Query, SearchMode
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex

KEY = "kb-bench"
MAX_TOKENS = 400
DEPTH = 10
CHUNKS_SEARCHED = 50
"""More than DEPTH, since a document counts once however many of its chunks are found."""

WEIGHTS = (0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Judged:
    """Documents by id, questions by id, and how relevant (0 = not at all) which document is to which question."""

    documents: Mapping[str, str]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, float]]


def read(folder: Path) -> Judged:
    """The folder's documents as Markdown, and its judgements."""
    documents = {each["id"]: f"# {each['title']}\n\n{each['text']}\n" for each in _lines(folder / "documents.jsonl")}
    questions = {each["id"]: each["text"] for each in _lines(folder / "queries.jsonl")}
    grades: dict[str, dict[str, float]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8") as file:
        for question, document, grade in csv.reader(file, delimiter="\t"):
            if question in questions:  # not a line of column names
                grades.setdefault(question, {})[document] = float(grade)
    return Judged(documents, questions, grades)


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ndcg(found: Sequence[str], grades: Mapping[str, float]) -> float:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002) with the grades as gains."""
    ideal = _dcg(sorted(grades.values(), reverse=True)[:DEPTH])
    return _dcg([grades.get(document, 0.0) for document in found[:DEPTH]]) / ideal if ideal else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


async def fill(index: Index, embedder: Embedder, documents: Mapping[str, str]) -> int:
    """Chunks, embeds and indexes the documents, one per core at once, as workers do; returns the chunks."""
    await index.create(KEY, embedder.identity, embedder.dimension)
    chunker = MarkdownChunker(embedder.count_tokens, ChunkLimits(min(MAX_TOKENS, embedder.max_tokens)))
    waiting = iter(documents.items())

    async def worker() -> int:
        count = 0
        for name, text in waiting:
            chunks = await asyncio.to_thread(chunker.chunk, text)
            embedding = await embedder.embed([chunk.passage for chunk in chunks])
            rows = [EmbeddedChunk(chunk, vector) for chunk, vector in zip(chunks, embedding.vectors, strict=True)]
            await index.swap(KEY, Document(name, f"file-{name}", f"ijf-{name}"), (1, 1), rows)
            count += len(chunks)
        return count

    return sum(await asyncio.gather(*(worker() for _ in os.sched_getaffinity(0))))


async def score(
    index: Index, judged: Judged, vectors: Mapping[str, Vector], mode: SearchMode, weight: float
) -> tuple[float, float]:
    """(mean nDCG@10, median search time in ms)."""
    gains, times = [], []
    for name, text in judged.questions.items():
        began = time.perf_counter()
        hits = await index.search(KEY, Query(mode, text, CHUNKS_SEARCHED, vectors[name], weight))
        times.append(time.perf_counter() - began)
        found = list(dict.fromkeys(hit.chunk.document.document_id for hit in hits))
        gains.append(ndcg(found, judged.grades.get(name, {})))
    return statistics.mean(gains), statistics.median(times) * 1_000


async def bench(folder: Path, path: Path, name: str | None, weight: float | None) -> None:
    """Prints one line per way to search."""
    settings = Settings()
    judged = read(folder)
    index = SqliteIndex(path)
    await index.open()
    known = embedders(settings, index.cache)
    embedder = known[name or settings.embedder]
    try:
        await embedder.load()
        began = time.perf_counter()
        chunks = await fill(index, embedder, judged.documents)
        seconds = time.perf_counter() - began
        print(
            f"{embedder.identity}: {len(judged.documents)} documents, {chunks} chunks, {chunks / seconds:,.0f} chunks/s"
        )
        vectors = {each: await embedder.embed_query(text) for each, text in judged.questions.items()}
        chosen = embedder.text_weight if weight is None else weight
        ways = [(SearchMode.TEXT, 1.0), (SearchMode.VECTOR, 0.0)]
        ways += [(SearchMode.HYBRID, each) for each in sorted({*WEIGHTS, chosen})]
        print(f"{'mode':<8} {'text weight':>11} {'nDCG@10':>8} {'ms':>6}")
        for mode, share in ways:
            gain, milliseconds = await score(index, judged, vectors, mode, share)
            mark = "  <- in use" if mode is SearchMode.HYBRID and share == chosen else ""
            print(f"{mode:<8} {share:>11.1f} {gain:>8.4f} {milliseconds:>6.1f}{mark}")
    finally:
        for each in known.values():
            await each.close()
        await index.close()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench-retrieval", description="nDCG@10 of search on a judged folder."
    )
    parser.add_argument("folder", type=Path, help="documents.jsonl, queries.jsonl and qrels.tsv")
    parser.add_argument("--embedder", choices=["wordllama", "onnx", "endpoint"], help="unset = that of the settings")
    parser.add_argument("--text-weight", type=float, help="share of the text score; unset = the embedder's")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "index.sqlite3"
        asyncio.run(bench(options.folder, path, options.embedder, options.text_weight))


if __name__ == "__main__":
    main()
