"""The embedder behind an OpenAI-compatible endpoint (POST …/embeddings), as TEI, vLLM and Ollama have it."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ingest_grpc.pipeline.embed import tokens
from ingest_grpc.pipeline.embed.interface import EmbedderRefused, EmbedderUnavailable, Embedding, Vector
from ingest_grpc.pipeline.embed.prefixes import NO_PREFIXES, Prefixes
from ingest_grpc.pipeline.embed.vectors import normalised
from ingest_grpc.pipeline.endpoint import (
    AnswerTooLong,
    Endpoint,
    EndpointRefused,
    EndpointSettings,
    EndpointUnavailable,
    Pause,
)

MAX_ANSWER_BYTES = 64 << 20
ABOUT_THE_TEXTS = frozenset({400, 413, 422})
"""Refusals that may be about one text of a batch; the others are about us."""

HOPELESS = 8
"""So many texts refused one by one, and none taken: it is not the texts."""

CALLS_AT_ONCE = 4
QUERY_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class EndpointModel:
    """What must be known of the model, and how much one call may carry.

    `dimension` None = the first answer tells. Without the model's `tokenizer` file tokens are guessed.
    `max_tokens` is what the model takes, prefix included.
    """

    max_tokens: int = 512
    dimension: int | None = None
    tokenizer: Path | None = None
    prefixes: Prefixes = NO_PREFIXES
    text_weight: float = 0.5
    max_texts: int = 64
    max_call_tokens: int = 16_384


@dataclass(slots=True)
class _Call:
    """One `embed` on its way: what came of the texts, by their places."""

    vectors: dict[int, Vector] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    refused: int = 0


class EndpointEmbedder:
    """See `interface.Embedder`."""

    name = "endpoint"

    def __init__(
        self,
        settings: EndpointSettings,
        model: EndpointModel,
        *,
        pause: Pause = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._model = model
        self._connect = partial(Endpoint, settings, pause=pause, rng=rng)
        self._endpoint: Endpoint | None = None
        self._tokenizer: Any = None
        self._dimension = model.dimension
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """See `interface.Embedder.load`: one call, where the dimension is not set."""
        async with self._loading:
            if self._endpoint is None:
                self._endpoint = self._connect()
            if self._tokenizer is None and self._model.tokenizer is not None:
                self._tokenizer = await asyncio.to_thread(tokens.load_tokenizer, self._model.tokenizer)
            if self._dimension is None:
                self._dimension = len((await self._ask(["dimension"]))[0])

    @property
    def identity(self) -> str:
        return f"endpoint-{self._settings.model}{self._model.prefixes.mark}/{self.dimension}"

    @property
    def dimension(self) -> int:
        if self._dimension is None:
            raise RuntimeError("the embedder is not loaded")
        return self._dimension

    @property
    def max_tokens(self) -> int:
        prefix = self._model.prefixes.passage
        taken = tokens.guess([prefix])[0] if self._tokenizer is None else tokens.extra(self._tokenizer, prefix)
        return self._model.max_tokens - (taken if prefix else 0)

    @property
    def text_weight(self) -> float:
        return self._model.text_weight

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return tokens.guess(texts) if self._tokenizer is None else tokens.count(self._tokenizer, texts)

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """See `interface.Embedder.embed`: a few calls at once; a refused batch is halved until the text is found."""
        call = _Call()
        texts = self._model.prefixes.passages(texts)
        slots = asyncio.Semaphore(CALLS_AT_ONCE)
        counts = await asyncio.to_thread(self.count_tokens, texts)

        async def take(places: list[int]) -> None:
            async with slots:
                await self._embed_some(texts, places, call)

        try:
            async with asyncio.TaskGroup() as group:
                for places in self._batches(counts):
                    group.create_task(take(places))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return Embedding([call.vectors.get(place) for place in range(len(texts))], call.failures)

    async def embed_query(self, text: str) -> Vector:
        """See `interface.Embedder.embed_query`: somebody waits for the answer, so it gives up early."""
        try:
            (values,) = await self._ask([self._model.prefixes.query + text], attempts=QUERY_ATTEMPTS)
        except EndpointRefused as refused:
            raise EmbedderRefused(f"the endpoint refused the question: {refused}") from refused
        vector = self._vector(values)
        if vector is None:
            raise EmbedderRefused("the endpoint gave a vector without a direction")
        return vector

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()

    def _batches(self, counts: Sequence[int]) -> Iterator[list[int]]:
        """Places of texts for one call each, within what it may carry."""
        batch: list[int] = []
        carried = 0
        for place, count in enumerate(counts):
            if batch and (len(batch) == self._model.max_texts or carried + count > self._model.max_call_tokens):
                yield batch
                batch, carried = [], 0
            batch.append(place)
            carried += count
        if batch:
            yield batch

    async def _embed_some(self, texts: Sequence[str], places: list[int], call: _Call) -> None:
        try:
            answers = await self._ask([texts[place] for place in places])
        except EndpointRefused as refused:
            await self._divide(texts, places, call, refused)
            return
        for place, values in zip(places, answers, strict=True):
            vector = self._vector(values)
            if vector is None:
                call.failures[place] = "The endpoint gave a vector without a direction."
            else:
                call.vectors[place] = vector

    def _vector(self, values: list[float]) -> Vector | None:
        if len(values) != self.dimension:
            raise EmbedderRefused(f"the endpoint gives vectors of {len(values)} dimensions, not {self.dimension}")
        return normalised(values)

    async def _divide(self, texts: Sequence[str], places: list[int], call: _Call, refused: EndpointRefused) -> None:
        """Finds the text that a refusal is about: it alone fails."""
        if refused.status not in ABOUT_THE_TEXTS:
            raise EmbedderRefused(f"the endpoint refuses: {refused}") from refused
        if len(places) > 1:
            half = len(places) // 2
            await self._embed_some(texts, places[:half], call)
            await self._embed_some(texts, places[half:], call)
            return
        call.failures[places[0]] = f"The endpoint refused the text ({refused})."
        call.refused += 1
        if call.refused >= HOPELESS and not call.vectors:
            raise EmbedderRefused(f"the endpoint refuses every text: {refused}") from refused

    async def _ask(self, texts: list[str], attempts: int | None = None) -> list[list[float]]:
        """The numbers for each text, in the order of the texts."""
        if self._endpoint is None:
            raise RuntimeError("the embedder is not loaded")
        body = {"model": self._settings.model, "input": texts, "encoding_format": "float"}
        try:
            answer = await self._endpoint.post("/embeddings", body, MAX_ANSWER_BYTES, attempts=attempts)
            return await asyncio.to_thread(_read, answer, len(texts))
        except EndpointUnavailable as unavailable:
            raise EmbedderUnavailable(f"the endpoint: {unavailable}", unavailable.after_seconds) from unavailable
        except AnswerTooLong:
            raise EmbedderRefused("the endpoint's answer is too long") from None


def _read(answer: bytes, count: int) -> list[list[float]]:
    """The vectors by their `index`: nothing promises that they come in order. Raises EmbedderRefused."""
    try:
        entries = json.loads(answer)["data"]
        by_index = {int(entry["index"]): [float(value) for value in entry["embedding"]] for entry in entries}
        return [by_index[index] for index in range(count)]
    except (ValueError, LookupError, TypeError) as error:
        raise EmbedderRefused(f"the endpoint's answer has no vectors for {count} texts") from error
