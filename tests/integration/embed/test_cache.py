"""Embeddings that were paid for are not paid for again, within a bound."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.pipeline.embed.cached import CachedEmbedder
from ingest_grpc.pipeline.embed.endpoint import EndpointEmbedder, EndpointModel
from ingest_grpc.pipeline.embed.interface import EmbedderUnavailable
from ingest_grpc.pipeline.endpoint import EndpointSettings
from ingest_grpc.pipeline.index.sqlite.cache import ROW_BYTES
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from tests.chat_server import Asked, ChatServer, Reply
from tests.embedding_server import DIMENSION, vectors

VECTOR_BYTES = DIMENSION * 4


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer(vectors) as running:
        yield running


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    opened = SqliteIndex(tmp_path / "index.sqlite3", cache_bytes=10 * (VECTOR_BYTES + ROW_BYTES))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def embedder(server: ChatServer, index: SqliteIndex) -> AsyncIterator[CachedEmbedder]:
    settings = EndpointSettings(server.url, "m", attempts=1)
    made = CachedEmbedder(EndpointEmbedder(settings, EndpointModel(dimension=DIMENSION, max_texts=2)), index.cache)
    await made.load()
    yield made
    await made.close()


def carried(server: ChatServer) -> list[str]:
    texts = [text for asked in server.asked for text in asked.body["input"]]
    server.asked.clear()
    return sorted(texts)


async def test_embed__again_asks_for_nothing(embedder: CachedEmbedder, server: ChatServer) -> None:
    first = await embedder.embed(["a", "b", "a"])
    assert carried(server) == ["a", "a", "b"]
    assert (await embedder.embed(["b", "a"])).vectors == [first.vectors[1], first.vectors[0]]
    assert carried(server) == []
    await embedder.embed_query("a")
    assert carried(server) == ["a"]


async def test_embed__asks_for_what_is_missing(embedder: CachedEmbedder, server: ChatServer) -> None:
    await embedder.embed(["a", "b"])
    carried(server)
    both = await embedder.embed(["c", "a", "d"])
    assert carried(server) == ["c", "d"]
    assert None not in both.vectors


async def test_embed__failures_keep_their_places_and_are_asked_for_again(
    embedder: CachedEmbedder, server: ChatServer
) -> None:
    def refusing(asked: Asked) -> Reply:
        return Reply(400) if "bad" in asked.body["input"] else vectors(asked)

    await embedder.embed(["a"])
    server.script = refusing
    embedding = await embedder.embed(["a", "b", "bad", "c"])
    assert [vector is None for vector in embedding.vectors] == [False, False, True, False]
    assert list(embedding.failures) == [2]
    carried(server)
    server.script = vectors
    assert not (await embedder.embed(["a", "b", "bad", "c"])).failures
    assert carried(server) == ["bad"]


async def test_embed__what_is_cached_needs_no_endpoint(embedder: CachedEmbedder, server: ChatServer) -> None:
    await embedder.embed(["a", "b"])
    server.script = lambda asked: Reply(503)
    assert None not in (await embedder.embed(["b", "a"])).vectors
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed(["a", "c"])


async def test_cache__of_another_model_is_another(index: SqliteIndex) -> None:
    await index.cache.keep("one", {"text": b"\1" * 32})
    assert await index.cache.cached("two", ["text"]) == [None]
    assert await index.cache.cached("one", ["text", "other"]) == [b"\1" * 32, None]
    assert await index.cache.cached("on", ["etext"]) == [None]


async def test_cache__drops_the_longest_unused_first(index: SqliteIndex) -> None:
    for name in "abcdefghij":
        await index.cache.keep("m", {name: name.encode() * VECTOR_BYTES})
    assert None not in await index.cache.cached("m", list("abcdefghij"))
    await index.cache.cached("m", ["a", "b"])
    await index.cache.keep("m", {"k": b"k" * VECTOR_BYTES})

    kept = await index.cache.cached("m", list("abk"))
    assert None not in kept
    assert await index.cache.cached("m", list("cdefghij")) == [None] * 8


async def test_cache__outlives_the_process_and_stays_within_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    for attempt in range(3):
        index = SqliteIndex(path, cache_bytes=20 * (VECTOR_BYTES + ROW_BYTES))
        await index.open()
        texts = [f"{attempt}-{n}" for n in range(15)]
        for text in texts:
            await index.cache.keep("m", {text: b"v" * VECTOR_BYTES})
        await index.close()

    index = SqliteIndex(path)
    await index.open()
    every = [f"{attempt}-{n}" for attempt in range(3) for n in range(15)]
    kept = [vector is not None for vector in await index.cache.cached("m", every)]
    assert 15 <= sum(kept) <= 20
    assert all(kept[-15:])
    await index.close()
