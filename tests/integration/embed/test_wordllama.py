"""The embedder that comes with the package, with its real weights."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import wordllama

from ingest_grpc.pipeline.chunk.chunker import MarkdownChunker
from ingest_grpc.pipeline.chunk.interface import ChunkLimits
from ingest_grpc.pipeline.embed.interface import Vector
from ingest_grpc.pipeline.embed.wordllama import WordLlamaEmbedder

TEXTS = ["The cat sat on the mat.", "A dog", "", "日本語のテキスト", "x" * 9_000, "word " * 3_000]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedder() -> AsyncIterator[WordLlamaEmbedder]:
    made = WordLlamaEmbedder()
    await asyncio.gather(*(made.load() for _ in range(3)))
    yield made
    await made.close()


def array(vector: Vector | None) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    assert vector is not None
    return np.frombuffer(vector, dtype="<f4")


@pytest.mark.asyncio(loop_scope="module")
class TestWordLlama:
    async def test_embed__equals_the_library(self, embedder: WordLlamaEmbedder) -> None:
        folder = wordllama.__path__[0]
        library = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
        texts = [text for text in TEXTS if text]
        found = (await embedder.embed(texts)).vectors
        assert np.allclose([array(vector) for vector in found], library.embed(texts, norm=True), atol=1e-5)

    async def test_embed__any_text_has_a_vector_of_length_one(self, embedder: WordLlamaEmbedder) -> None:
        for vector in (await embedder.embed(TEXTS)).vectors:
            assert np.linalg.norm(array(vector)) == pytest.approx(1.0, abs=1e-5)
        assert len((await embedder.embed([])).vectors) == 0

    async def test_embed__near_texts_are_near(self, embedder: WordLlamaEmbedder) -> None:
        cat, car, question = (await embedder.embed(["A kitten is a young cat.", "Car tax rises.", "baby cats"])).vectors
        assert array(question) @ array(cat) > array(question) @ array(car) + 0.2
        assert await embedder.embed_query("baby cats") == question

    async def test_identity__names_model_and_dimension(self, embedder: WordLlamaEmbedder) -> None:
        """A change here makes every knowledge base of the default embedder one that has to be reindexed."""
        assert embedder.identity == "wordllama-e057aee0e6b6/256"

    async def test_chunks__fit_by_its_own_tokens(self, embedder: WordLlamaEmbedder) -> None:
        table = "| Name | Wert |\n|---|---|\n" + "".join(f"| Zeile {n} | {n * 37} |\n" for n in range(200))
        code = "```python\n" + "".join(f"    value_{n} = compute({n})\n" for n in range(200)) + "```\n"
        text = f"# Überschrift\n\n{'これは文章です。' * 300}\n\n{table}\n{code}\n{'x' * 9_000}\n\n{'😀' * 500}\n"
        chunks = MarkdownChunker(embedder.count_tokens, ChunkLimits(400, 40)).chunk(text)

        assert [chunk.tokens for chunk in chunks] == embedder.count_tokens([chunk.passage for chunk in chunks])
        assert max(chunk.tokens for chunk in chunks) <= 400
        assert all("Überschrift" in chunk.heading_path for chunk in chunks)


START = """
import asyncio, pathlib, sys
import ingest_grpc.pipeline.chunk.chunker
from ingest_grpc.config import Settings
from ingest_grpc.pipeline.embed.engines import embedders
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex

async def start():
    index = SqliteIndex(pathlib.Path(sys.argv[1]))
    embedders(Settings(embedding_model_dir=pathlib.Path(sys.argv[1])), index.cache)
    print("apsw" in sys.modules)
    await index.open()
    await index.close()

asyncio.run(start())
print(sorted({"numpy", "tokenizers", "wordllama", "onnxruntime", "markdown_it"} & set(sys.modules)))
"""


def test_start__loads_no_heavy_library(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, str(tmp_path / "index.sqlite3")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "[]"]
