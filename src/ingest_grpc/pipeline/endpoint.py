"""An HTTP endpoint of a model, as OpenAI's API has them, called until it answers or is given up.

What may pass is tried again: time-outs, connections that fail, 429 and what servers say of themselves (5xx).
httpx is loaded with the first endpoint: it takes a quarter of a server's start, and few servers have an endpoint.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
PASSING = frozenset({408, 409, 425, 429})
"""Client errors that may pass, as every server error may."""

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Where the model is. `url` is the API's base, for example "https://host/v1"; `timeout_seconds` is per call."""

    url: str
    model: str
    api_key: str = ""
    timeout_seconds: float = 120.0
    attempts: int = 5


class EndpointUnavailable(Exception):
    """No answer after the last attempt; `after_seconds` is when the endpoint asked to be called again, if it did."""

    def __init__(self, detail: str, after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class EndpointRefused(Exception):
    """An answer that trying again does not change; `status` is None where the address is no URL."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class AnswerTooLong(Exception):
    """The answer has more bytes than the caller takes."""


class Endpoint:
    """One endpoint over one pool of connections; an async context manager.

    It is called directly: proxies and credentials of the environment are not used.
    """

    def __init__(
        self, settings: EndpointSettings, *, pause: Pause = asyncio.sleep, rng: random.Random | None = None
    ) -> None:
        self._settings = settings
        self._pause = pause
        self._rng = rng or random.Random()
        import httpx  # noqa: PLC0415

        self._client = httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            trust_env=False,
            headers={"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {},
        )

    async def close(self) -> None:
        """Closes the connections. Idempotent."""
        await self._client.aclose()

    async def post(
        self,
        path: str,
        body: dict[str, Any],
        max_answer_bytes: int,
        *,
        attempts: int | None = None,
        on_attempt: Callable[[], None] = lambda: None,
    ) -> bytes:
        """The body of the answer with status 200. `on_attempt` is called before each attempt.

        Raises EndpointUnavailable after the last of `attempts` (None = those of the settings), EndpointRefused
        and AnswerTooLong.
        """
        last = EndpointUnavailable("never called")
        attempts = attempts or self._settings.attempts
        for attempt in range(attempts):
            on_attempt()
            try:
                return await self._post_once(path, body, max_answer_bytes)
            except EndpointUnavailable as unavailable:
                last = unavailable
                if attempt + 1 < attempts:
                    await self._pause(self._seconds(attempt, unavailable.after_seconds))
        raise EndpointUnavailable(f"{last}, {attempts} times", last.after_seconds)

    def _seconds(self, attempt: int, asked: float | None) -> float:
        """What the endpoint asked for, else twice as long each time, less up to half of it at random."""
        if asked is not None:
            return min(asked, MAX_PAUSE_SECONDS)
        return min(FIRST_PAUSE_SECONDS * 2.0**attempt, MAX_PAUSE_SECONDS) * (1 - self._rng.random() / 2)

    async def _post_once(self, path: str, body: dict[str, Any], max_answer_bytes: int) -> bytes:
        import httpx  # noqa: PLC0415

        url = self._settings.url.rstrip("/") + path
        try:
            # The client's own timeout is per read: an endpoint that trickles would never run into it.
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                self._client.stream("POST", url, json=body) as response,
            ):
                _check_status(response)
                return await _body(response, max_answer_bytes)
        except TimeoutError:
            raise EndpointUnavailable(f"no answer within {self._settings.timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise EndpointUnavailable(type(error).__name__) from error
        except httpx.InvalidURL as error:
            raise EndpointRefused(f"the address is not a URL: {error}") from None


def _check_status(response: "httpx.Response") -> None:
    status = response.status_code
    if status == HTTPStatus.OK:
        return
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise EndpointUnavailable(f"HTTP {status}", _retry_after(response))
    raise EndpointRefused(f"HTTP {status}", status)


def _retry_after(response: "httpx.Response") -> float | None:
    """The header's seconds; a date, or anything else, counts as none."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else None


async def _body(response: "httpx.Response", max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise AnswerTooLong
    return bytes(body)
