"""The embedder from a model folder: better than averaged tokens, without another service."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from ingest_grpc.pipeline.embed import tokens
from ingest_grpc.pipeline.embed.interface import Embedding, Vector
from ingest_grpc.pipeline.embed.onnx_model import OnnxModel
from ingest_grpc.pipeline.embed.threads import ModelThread

BATCH_TEXTS = 16
"""A batch is padded to its longest text; and a cancelled caller waits for no more than this."""


class OnnxEmbedder:
    """See `interface.Embedder`. `threads` None = every core that this process may use."""

    name = "onnx"

    def __init__(self, folder: Path, text_weight: float = 0.5, threads: int | None = None) -> None:
        self._folder = folder
        self._text_weight = text_weight
        self._threads = threads or len(os.sched_getaffinity(0))
        self._thread = ModelThread("onnx")
        self._loading = asyncio.Lock()
        self._loaded: OnnxModel | None = None

    async def load(self) -> None:
        """See `interface.Embedder.load`."""
        async with self._loading:
            if self._loaded is None:
                self._loaded = await self._thread.run(lambda: OnnxModel(self._folder, self._threads))

    @property
    def identity(self) -> str:
        return self._model.identity

    @property
    def dimension(self) -> int:
        return self._model.dimension

    @property
    def max_tokens(self) -> int:
        return self._model.max_tokens

    @property
    def text_weight(self) -> float:
        return self._text_weight

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return tokens.count(self._model.tokenizer, texts)

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """See `interface.Embedder.embed`; no text can fail. Texts of like length share a batch."""
        texts = self._model.facts.prefixes.passages(texts)
        vectors: list[Vector | None] = [None] * len(texts)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            for place, vector in zip(places, await self._run([texts[place] for place in places]), strict=True):
                vectors[place] = vector
        return Embedding(vectors)

    async def embed_query(self, text: str) -> Vector:
        return (await self._run([self._model.facts.prefixes.query + text]))[0]

    async def close(self) -> None:
        await self._thread.close()

    @property
    def _model(self) -> OnnxModel:
        if self._loaded is None:
            raise RuntimeError("the embedder is not loaded")
        return self._loaded

    async def _run(self, texts: Sequence[str]) -> list[Vector]:
        model = self._model
        return await self._thread.run(lambda: model.vectors(texts))
