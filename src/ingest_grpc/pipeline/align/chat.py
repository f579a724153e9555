"""A chat endpoint that speaks OpenAI's protocol (POST …/chat/completions)."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.align.interface import AlignmentFailure
from ingest_grpc.pipeline.endpoint import (
    AnswerTooLong,
    Endpoint,
    EndpointRefused,
    EndpointSettings,
    EndpointUnavailable,
    Pause,
)

MAX_ANSWER_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and the tokens that its endpoint counted."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Unusable(Exception):
    """An answer that is not what was asked for."""


class ChatEndpoint:
    """One endpoint over one pool of connections; an async context manager."""

    def __init__(
        self, settings: EndpointSettings, *, pause: Pause = asyncio.sleep, rng: random.Random | None = None
    ) -> None:
        self._model = settings.model
        self._endpoint = Endpoint(settings, pause=pause, rng=rng)

    async def __aenter__(self) -> "ChatEndpoint":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._endpoint.close()

    async def ask(self, messages: Sequence[dict[str, str]], on_alive: Callable[[], None]) -> Answer:
        """The model's answer. `on_alive` is called before each attempt.

        Raises Unusable where the endpoint answers with something else, and AlignmentFailure
        ALIGN_ENDPOINT_UNAVAILABLE after the last attempt, ALIGN_ENDPOINT_REFUSED for what trying again
        does not change.
        """
        body = {"model": self._model, "messages": list(messages)}
        try:
            answer = await self._endpoint.post("/chat/completions", body, MAX_ANSWER_BYTES, on_attempt=on_alive)
            return _answer(answer)
        except AnswerTooLong:
            raise Unusable("the answer is too long") from None
        except EndpointUnavailable as unavailable:
            raise AlignmentFailure(Reason.ALIGN_ENDPOINT_UNAVAILABLE, str(unavailable)) from unavailable
        except EndpointRefused as refused:
            raise AlignmentFailure(Reason.ALIGN_ENDPOINT_REFUSED, str(refused)) from refused


def _answer(body: bytes) -> Answer:
    try:
        reply = json.loads(body)
        text = reply["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise Unusable("the answer is no chat completion") from None
    if not isinstance(text, str):
        raise Unusable("the answer has no text")
    usage = reply.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Answer(text, _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens"))


def _tokens(usage: dict[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) and 0 <= count < 2**31 else 0
