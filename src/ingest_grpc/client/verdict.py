"""What the server says of an asynchronous upload that it did not read to its end."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

import grpc

from ingest_grpc.client.errors import IngestCallError, call_error

T = TypeVar("T")

_CORE_FAILURE = "Internal error from Core"
_SETTLE_ROUNDS = 200
_SETTLE_SECONDS = 0.005


class Verdict(Generic[T]):
    """The true status of one stream-unary call whose writes may fail.

    A server may answer before it has read everything: a refusal, or a request_id that it knows. The client's
    next write then fails, and grpc.aio makes up a status of its own for that (INTERNAL), which replaces the
    server's when it comes second and is replaced by it, without a signal, when it comes first.
    """

    def __init__(self, call: "grpc.aio.StreamUnaryCall[Any, T]") -> None:
        self._call = call
        self._first: IngestCallError | None = None
        call.add_done_callback(self._remember)

    async def settled(self) -> T:
        """The answer after all, or the server's refusal. Raises UNAVAILABLE where it cannot be told any more."""
        with suppress(grpc.aio.AioRpcError):
            return await self._call
        if self._first is not None and self._first.message != _CORE_FAILURE:
            raise self._first
        for _ in range(_SETTLE_ROUNDS):
            if await self._call.details() != _CORE_FAILURE:
                break
            await asyncio.sleep(_SETTLE_SECONDS)
        code, details = await self._call.code(), await self._call.details()
        if code is grpc.StatusCode.OK or details == _CORE_FAILURE:
            raise IngestCallError(grpc.StatusCode.UNAVAILABLE, "The upload was cut.")
        raise call_error(code, details, await self._call.trailing_metadata())

    def _remember(self, _call: object) -> None:
        # Called the moment the first status is set, and only then: a task would come too late to see it.
        self._first = call_error(
            _at_once(self._call.code()), _at_once(self._call.details()), _at_once(self._call.trailing_metadata())
        )


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("the status of a finished call is not there")
