"""The embedder behind an endpoint, against a real HTTP server that behaves as such servers do."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_grpc.pipeline.embed.endpoint import EndpointEmbedder, EndpointModel
from ingest_grpc.pipeline.embed.interface import EmbedderRefused, EmbedderUnavailable, Vector
from ingest_grpc.pipeline.embed.prefixes import Prefixes
from ingest_grpc.pipeline.endpoint import EndpointSettings
from tests.chat_server import Asked, ChatServer, Reply, Script
from tests.embedding_server import DIMENSION, answer, values, vectors

TEXTS = [f"text number {n}" for n in range(10)]


class Pauses:
    """Pauses that are over at once, and how long they should have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer(vectors) as running:
        yield running


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def embedder(server: ChatServer, pauses: Pauses) -> AsyncIterator[EndpointEmbedder]:
    made = make(server.url, pauses)
    await made.load()
    yield made
    await made.close()


def make(url: str, pauses: Pauses, timeout_seconds: float = 30.0, **model: object) -> EndpointEmbedder:
    settings = EndpointSettings(url, "test-model", "secret", timeout_seconds, attempts=3)
    facts = EndpointModel(**{"dimension": DIMENSION, "max_texts": 4, **model})  # type: ignore[arg-type]
    return EndpointEmbedder(settings, facts, pause=pauses, rng=random.Random(1))


def expected(text: str) -> Vector:
    numbers = values(text)
    length = sum(number * number for number in numbers) ** 0.5
    return struct.pack(f"<{DIMENSION}f", *(number / length for number in numbers))


def refusing(status: int, *words: str) -> Script:
    """A script that refuses a call with a text that has one of the words."""

    def script(asked: Asked) -> Reply:
        refused = any(word in text for text in asked.body["input"] for word in words)
        return Reply(status, b'{"error": {"message": "no"}}') if refused else vectors(asked)

    return script


async def test_embed__gives_each_text_its_vector_whatever_the_order(
    embedder: EndpointEmbedder, server: ChatServer
) -> None:
    embedding = await embedder.embed(TEXTS)

    assert [round(x, 5) for x in struct.unpack("<8f", embedding.vectors[3] or b"")] == [
        round(x, 5) for x in struct.unpack("<8f", expected(TEXTS[3]))
    ]
    assert embedding.vectors == [expected(text) for text in TEXTS]
    assert not embedding.failures
    asked = server.asked[0]
    assert asked.path == "/v1/embeddings"
    assert asked.headers["authorization"] == "Bearer secret"
    assert asked.body["model"] == "test-model"
    assert embedder.identity == "endpoint-test-model/8"
    assert await embedder.embed_query("what?") == expected("what?")


async def test_prefixes__are_part_of_what_is_embedded(server: ChatServer, pauses: Pauses) -> None:
    prefixes = Prefixes("search_query: ", "search_document: ")
    embedder, plain = make(server.url, pauses, prefixes=prefixes), make(server.url, pauses)
    await embedder.load()
    await plain.load()
    assert (await embedder.embed(["a"])).vectors == [expected("search_document: a")]
    assert await embedder.embed_query("a") == expected("search_query: a")
    assert embedder.identity != plain.identity
    assert embedder.max_tokens < plain.max_tokens == 512
    await embedder.close()
    await plain.close()


async def test_question__gives_up_early(embedder: EndpointEmbedder, server: ChatServer) -> None:
    server.script = lambda asked: Reply(503)
    with pytest.raises(EmbedderUnavailable, match="HTTP 503, 2 times"):
        await embedder.embed_query("what?")
    assert len(server.asked) == 2


async def test_embed__of_nothing_calls_nothing(embedder: EndpointEmbedder, server: ChatServer) -> None:
    assert list((await embedder.embed([])).vectors) == []
    assert server.asked == []


async def test_calls__carry_no_more_than_they_may(server: ChatServer, pauses: Pauses) -> None:
    embedder = make(server.url, pauses, max_call_tokens=40)
    await embedder.load()
    texts = ["x" * 30] * 10 + ["y" * 1_000]
    await embedder.embed(texts)
    await embedder.close()

    carried = [asked.body["input"] for asked in server.asked]
    assert sorted(text for call in carried for text in call) == sorted(texts)
    for call in carried:
        assert len(call) <= 4
        assert len(call) == 1 or sum(embedder.count_tokens(call)) <= 40


async def test_load__asks_for_the_dimension_that_is_not_set(server: ChatServer, pauses: Pauses) -> None:
    embedder = make(server.url, pauses, dimension=None)
    await asyncio.gather(*(embedder.load() for _ in range(5)))
    assert embedder.dimension == DIMENSION
    assert len(server.asked) == 1
    await embedder.close()


async def test_load__counts_with_the_tokenizer_that_is_set(server: ChatServer, pauses: Pauses, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(EmbedderRefused, match="is no tokenizer"):
        await make(server.url, pauses, tokenizer=tmp_path / "tokenizer.json").load()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_passing_failure__is_tried_again(
    embedder: EndpointEmbedder, server: ChatServer, pauses: Pauses, status: int
) -> None:
    server.scripts = [lambda asked: Reply(status), lambda asked: Reply(status)]
    assert (await embedder.embed(TEXTS[:2])).vectors == [expected(text) for text in TEXTS[:2]]
    assert len(server.asked) == 3
    assert len(pauses.seconds) == 2


async def test_too_many_requests__come_back_when_they_are_told_to(
    embedder: EndpointEmbedder, server: ChatServer, pauses: Pauses
) -> None:
    server.scripts = [lambda asked: Reply(429, headers={"retry-after": "7"})]
    await embedder.embed(TEXTS[:1])
    assert pauses.seconds == [7.0]


async def test_too_many_requests__for_ever_are_unavailable_and_say_when(
    embedder: EndpointEmbedder, server: ChatServer
) -> None:
    server.script = lambda asked: Reply(429, headers={"retry-after": "30"})
    with pytest.raises(EmbedderUnavailable, match="HTTP 429, 3 times") as raised:
        await embedder.embed(TEXTS)
    assert raised.value.retry_after_seconds == 30.0


async def test_slow_endpoint__is_given_up(server: ChatServer, pauses: Pauses) -> None:
    embedder = make(server.url, pauses, timeout_seconds=0.05)
    await embedder.load()
    server.script = lambda asked: Reply(hangs=True)
    with pytest.raises(EmbedderUnavailable, match=r"no answer within 0\.05 s"):
        await embedder.embed(TEXTS[:1])
    assert len(server.asked) == 3
    await embedder.close()


async def test_dead_endpoint__is_unavailable(pauses: Pauses) -> None:
    async with ChatServer(vectors) as gone:
        url = gone.url
    embedder = make(url, pauses)
    await embedder.load()
    with pytest.raises(EmbedderUnavailable, match="ConnectError"):
        await embedder.embed(TEXTS)
    await embedder.close()


async def test_dead_endpoint__when_the_dimension_is_needed(pauses: Pauses) -> None:
    async with ChatServer(vectors) as gone:
        embedder = make(gone.url, pauses, dimension=None)
    with pytest.raises(EmbedderUnavailable):
        await embedder.load()
    await embedder.close()


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_over_long_text__fails_alone(embedder: EndpointEmbedder, server: ChatServer, status: int) -> None:
    server.script = refusing(status, "number 6")
    embedding = await embedder.embed(TEXTS)

    assert embedding.vectors == [expected(text) if text != TEXTS[6] else None for text in TEXTS]
    assert embedding.failures == {6: f"The endpoint refused the text (HTTP {status})."}
    with pytest.raises(EmbedderRefused, match="refused the question"):
        await embedder.embed_query(TEXTS[6])


async def test_every_text_refused__is_not_about_the_texts(embedder: EndpointEmbedder, server: ChatServer) -> None:
    server.script = refusing(400, "text")
    with pytest.raises(EmbedderRefused, match="refuses every text: HTTP 400"):
        await embedder.embed([f"text {n}" for n in range(1_000)])
    assert len(server.asked) < 100


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_refused__is_about_us_and_never_tried_again(
    embedder: EndpointEmbedder, server: ChatServer, status: int
) -> None:
    server.script = lambda asked: Reply(status)
    with pytest.raises(EmbedderRefused, match=f"HTTP {status}"):
        await embedder.embed(TEXTS[:4])
    assert len(server.asked) == 1


async def test_wrong_dimension__is_refused(embedder: EndpointEmbedder, server: ChatServer) -> None:
    server.script = lambda asked: answer([[0.5] * 7 for _ in asked.body["input"]])
    with pytest.raises(EmbedderRefused, match="vectors of 7 dimensions, not 8"):
        await embedder.embed(TEXTS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data": []}',
        b'{"data": [{"index": 0, "embedding": null}]}',
        b'{"data": [{"index": 1, "embedding": [1, 2, 3, 4, 5, 6, 7, 8]}]}',
    ],
)
async def test_answer__that_is_none(embedder: EndpointEmbedder, server: ChatServer, body: bytes) -> None:
    server.script = lambda asked: Reply(body=body)
    with pytest.raises(EmbedderRefused, match="no vectors for 1 texts"):
        await embedder.embed(TEXTS[:1])


@pytest.mark.parametrize("wrong", [[0.0] * 8, [1e400] * 8], ids=["zero", "infinite"])
async def test_vector__without_a_direction_is_a_failure_of_its_text(
    embedder: EndpointEmbedder, server: ChatServer, wrong: list[float]
) -> None:
    server.script = lambda asked: answer(
        [wrong if "number 1" in text else values(text) for text in asked.body["input"]]
    )
    embedding = await embedder.embed(TEXTS[:3])
    assert embedding.vectors == [expected(TEXTS[0]), None, expected(TEXTS[2])]
    assert embedding.failures == {1: "The endpoint gave a vector without a direction."}


async def test_cancelled__stops_calling(embedder: EndpointEmbedder, server: ChatServer) -> None:
    server.script = lambda asked: Reply(hangs=True)
    task = asyncio.create_task(embedder.embed([f"text {n}" for n in range(100)]))
    await server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(server.asked) <= 4
    server.script = vectors
    assert (await embedder.embed(TEXTS[:1])).vectors == [expected(TEXTS[0])]


async def test_proxies_of_the_environment__are_not_used(
    server: ChatServer, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    embedder = make(server.url, pauses)
    await embedder.load()
    assert (await embedder.embed(TEXTS[:1])).vectors == [expected(TEXTS[0])]
    await embedder.close()
