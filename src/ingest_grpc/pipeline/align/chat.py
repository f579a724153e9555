"""A chat endpoint that speaks OpenAI's protocol (POST …/chat/completions), called until it answers or gives up."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.align.interface import AlignmentFailure

MAX_ANSWER_BYTES = 4 << 20
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
PASSING = frozenset({408, 409, 425, 429})
"""Client errors that may pass, as every server error may."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Where the model is. `url` is the API's base, for example "https://host/v1"; `timeout_seconds` is per call."""

    url: str
    model: str
    api_key: str = ""
    timeout_seconds: float = 120.0
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and the tokens that its endpoint counted."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Unusable(Exception):
    """An answer that is not what was asked for."""


class _Passing(Exception):
    """A failure that may pass; `after_seconds` is what the endpoint asked for."""

    def __init__(self, detail: str, after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class ChatEndpoint:
    """One endpoint over one pool of connections; an async context manager.

    It is called directly: proxies and credentials of the environment are not used.
    """

    def __init__(
        self,
        settings: ChatSettings,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._pause = pause
        self._rng = rng or random.Random()
        self._client = httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            trust_env=False,
            headers={"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {},
        )

    async def __aenter__(self) -> "ChatEndpoint":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def ask(self, messages: Sequence[dict[str, str]], on_alive: Callable[[], None]) -> Answer:
        """The model's answer. `on_alive` is called before each attempt.

        Raises Unusable where the endpoint answers with something else, and AlignmentFailure
        ALIGN_ENDPOINT_UNAVAILABLE after the last attempt, ALIGN_ENDPOINT_REFUSED for what trying again
        does not change.
        """
        detail = ""
        for attempt in range(self._settings.attempts):
            on_alive()
            try:
                return await self._ask_once(messages)
            except _Passing as passing:
                detail = str(passing)
                if attempt + 1 < self._settings.attempts:
                    await self._pause(self._seconds(attempt, passing.after_seconds))
        raise AlignmentFailure(Reason.ALIGN_ENDPOINT_UNAVAILABLE, f"{detail}, {self._settings.attempts} times")

    def _seconds(self, attempt: int, asked: float | None) -> float:
        """What the endpoint asked for, else twice as long each time, less up to half of it at random."""
        if asked is not None:
            return min(asked, MAX_PAUSE_SECONDS)
        return min(FIRST_PAUSE_SECONDS * 2.0**attempt, MAX_PAUSE_SECONDS) * (1 - self._rng.random() / 2)

    async def _ask_once(self, messages: Sequence[dict[str, str]]) -> Answer:
        url = f"{self._settings.url.rstrip('/')}/chat/completions"
        body = {"model": self._settings.model, "messages": list(messages)}
        try:
            # The client's own timeout is per read: an endpoint that trickles would never run into it.
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                self._client.stream("POST", url, json=body) as response,
            ):
                _check_status(response)
                return _answer(await _body(response))
        except TimeoutError:
            raise _Passing(f"no answer within {self._settings.timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise _Passing(type(error).__name__) from error
        except httpx.InvalidURL as error:
            raise AlignmentFailure(Reason.ALIGN_ENDPOINT_REFUSED, f"the address is not a URL: {error}") from None


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == httpx.codes.OK:
        return
    if status in PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _Passing(f"HTTP {status}", _retry_after(response))
    raise AlignmentFailure(Reason.ALIGN_ENDPOINT_REFUSED, f"HTTP {status}")


def _retry_after(response: httpx.Response) -> float | None:
    """The header's seconds; a date, or anything else, counts as none."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else None


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise Unusable("the answer is too long")
    return bytes(body)


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
