"""Knowledge bases: chunks per second into the index, and the time of a search at 100,000 chunks.

INGEST_BENCH_DOCUMENTS names a judged folder (see retrieval.py) whose documents are indexed instead of our own.
"""

import itertools
import os
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from ingest_grpc.pipeline.chunk.interface import Chunk
from ingest_grpc.pipeline.embed.wordllama import WordLlamaEmbedder
from ingest_grpc.pipeline.index.interface import Document, EmbeddedChunk, Filter, Query, SearchMode
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from tests.benchmarks.harness import Figures, Table
from tests.benchmarks.indexing import BareIndex, BarePipeline, Synthetic, documents
from tests.benchmarks.retrieval import KEY, fill

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

CHUNKS = 100_000
CHUNKS_PER_DOCUMENT = 50
ROUNDS = 5
QUESTIONS = 40
TOP_K = 10


async def test_indexing__against_the_libraries_in_a_loop(tmp_path: Path, table: Table) -> None:
    texts = documents(os.environ.get("INGEST_BENCH_DOCUMENTS"))
    embedder = WordLlamaEmbedder()
    await embedder.load()
    turns = itertools.count()

    async def our_turn() -> Figures:
        index = SqliteIndex(tmp_path / f"ours-{next(turns)}.sqlite3")
        await index.open()
        began, used = time.perf_counter(), time.process_time()
        count = await fill(index, embedder, texts)
        figures = _figures(texts, began, used, count)
        await index.close()
        return figures

    async def bare_turn() -> Figures:
        pipeline = BarePipeline(tmp_path / f"bare-{next(turns)}.sqlite3")
        began, used = time.perf_counter(), time.process_time()
        count = sum(pipeline.ingest(name, text) for name, text in texts.items())
        return _figures(texts, began, used, count)

    await table.compare("chunk, embed and index", our_turn, bare_turn, rounds=ROUNDS)
    await embedder.close()


def _figures(texts: dict[str, str], began: float, used: float, chunks: int) -> Figures:
    """By text and not by chunk: the two do not cut alike."""
    assert chunks
    size = sum(map(len, texts.values())) / 1_000
    return {
        "KB of text/s": size / (time.perf_counter() - began),
        "CPU ms/KB of text": (time.process_time() - used) * 1_000 / size,
    }


class Filled:
    """The same chunks in our index and in the bare one."""

    def __init__(self, index: SqliteIndex, bare: BareIndex, questions: Sequence[tuple[str, bytes]]) -> None:
        self.index = index
        self.bare = bare
        self.questions = questions


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filled]:
    folder = tmp_path_factory.mktemp("search")
    made = Synthetic()
    index, bare = SqliteIndex(folder / "ours.sqlite3"), BareIndex(folder / "bare.sqlite3")
    await index.open()
    await index.create(KEY, "synthetic/256", 256)
    for n in range(CHUNKS // CHUNKS_PER_DOCUMENT):
        texts, vectors = made.texts(CHUNKS_PER_DOCUMENT), made.vectors(CHUNKS_PER_DOCUMENT)
        rows = [
            EmbeddedChunk(Chunk(ordinal, text, (), 0, len(text), 100, text), vector)
            for ordinal, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        ]
        await index.swap(KEY, Document(f"doc-{n}", f"file-{n}", f"ijf-{n}"), (1, 1), rows)
        bare.put(f"doc-{n}", texts, vectors)
    questions = list(zip(made.texts(QUESTIONS, words=6), made.vectors(QUESTIONS), strict=True))
    yield Filled(index, bare, questions)
    await index.close()
    bare.db.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("mode", list(SearchMode))
async def test_search__against_the_raw_queries(filled: Filled, table: Table, mode: SearchMode) -> None:
    async def our_turn() -> Figures:
        times = []
        for text, vector in filled.questions:
            began = time.perf_counter()
            await filled.index.search(KEY, Query(mode, text, TOP_K, vector, 0.7))
            times.append(time.perf_counter() - began)
        return _percentiles(times)

    async def bare_turn() -> Figures:
        times = []
        for text, vector in filled.questions:
            began = time.perf_counter()
            found = [] if mode is SearchMode.VECTOR else filled.bare.by_words(text, TOP_K)
            found += [] if mode is SearchMode.TEXT else filled.bare.by_vector(vector, TOP_K)
            filled.bare.texts(found)
            times.append(time.perf_counter() - began)
        return _percentiles(times)

    await table.compare(f"search {mode} of {CHUNKS:,} chunks", our_turn, bare_turn, rounds=ROUNDS)


def _percentiles(times: list[float]) -> Figures:
    ordered = sorted(times)
    return {"p50 ms": statistics.median(ordered) * 1_000, "p95 ms": ordered[int(len(ordered) * 0.95)] * 1_000}


@pytest.mark.asyncio(loop_scope="module")
async def test_search__finds_what_the_exact_query_finds(filled: Filled, table: Table) -> None:
    """Recall of the ten nearest, with and without a filter of 5 % of the documents."""
    shares, filtered = [], []
    only = Filter(document_ids=frozenset(f"doc-{n}" for n in range(0, CHUNKS // CHUNKS_PER_DOCUMENT, 20)))
    for _, vector in filled.questions:
        hits = await filled.index.search(KEY, Query(SearchMode.VECTOR, "", TOP_K, vector))
        exact = filled.bare.by_vector(vector, TOP_K)
        names = {(row[0], row[1]) for row in filled.bare.texts(exact)}
        shares.append(len(names & {(hit.chunk.document.document_id, hit.chunk.text) for hit in hits}) / TOP_K)
        began = time.perf_counter()
        await filled.index.search(KEY, Query(SearchMode.VECTOR, "", TOP_K, vector, filter=only))
        filtered.append((time.perf_counter() - began) * 1_000)
    table.add("recall of the nearest ten", "of 1", [(share, 1.0) for share in shares])
    table.add("search VECTOR, filter of 5 %", "ms (bare: 1)", [(each, 1.0) for each in filtered])
    assert statistics.mean(shares) > 0.9
