"""Counts calls: how many began, how each ended, and how long it took."""

import asyncio
from time import perf_counter
from typing import Any

import grpc.aio

from ingest_grpc.api.interceptors.chain import Context, Handler
from ingest_grpc.errors import Code, IngestError
from ingest_grpc.telemetry.instruments import CALL_SECONDS, CALLS_HANDLED, CALLS_STARTED

_UNKNOWN = "unknown"


class CallCounter:
    """An interceptor. Methods that it meets after `close` are counted as one: their names come from anybody."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._open = True

    def close(self) -> None:
        """All methods are registered."""
        self._open = False

    def intercept(self, method: str, proceed: Handler) -> Handler:
        if self._open:
            self._known.add(method)
        service, _, name = method.lstrip("/").rpartition("/") if method in self._known else (_UNKNOWN, "", _UNKNOWN)
        started, seconds = CALLS_STARTED.labels(service, name), CALL_SECONDS.labels(service, name)
        succeeded = CALLS_HANDLED.labels(service, name, "OK")

        async def handle(request: Any, context: Context) -> Any:
            started.inc()
            began = perf_counter()
            try:
                response = await proceed(request, context)
            except BaseException as error:
                CALLS_HANDLED.labels(service, name, _code(error)).inc()
                raise
            else:
                succeeded.inc()
                return response
            finally:
                seconds.observe(perf_counter() - began)

        return handle


def _code(error: BaseException) -> str:
    if isinstance(error, IngestError):
        return error.entry.code
    # A write that a cancelled call had blocked raises InternalError.
    over = (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.InternalError)
    return "CANCELLED" if isinstance(error, over) else Code.INTERNAL
