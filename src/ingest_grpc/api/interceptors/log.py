"""Gives every call an id and writes down how it ended."""

import asyncio
import itertools
import logging
import secrets
import time
from typing import Any

import grpc.aio

from ingest_grpc.api.interceptors.auth import HEALTH, needed_scope
from ingest_grpc.api.interceptors.chain import Context, Handler
from ingest_grpc.errors import Code, IngestError
from ingest_grpc.model import Scope
from ingest_grpc.telemetry import begin_call

logger = logging.getLogger("ingest_grpc.api")

_OUR_FAULT = frozenset({Code.INTERNAL, Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED})
_START = secrets.token_hex(4)
_numbers = itertools.count(1)


def log_calls(method: str, proceed: Handler) -> Handler:
    """Failures of the service are warnings, those of callers information, and so are changes; success of what only
    reads is written at DEBUG."""
    success = logging.DEBUG if needed_scope(method) is Scope.READ or method.startswith(HEALTH) else logging.INFO

    async def handle(request: Any, context: Context) -> Any:
        begin_call(f"{_START}-{next(_numbers)}")
        started = time.perf_counter()
        try:
            response = await proceed(request, context)
        except IngestError as error:
            level = logging.WARNING if error.entry.code in _OUR_FAULT else logging.INFO
            _write(level, "call failed", method, started, context, reason=str(error.reason), error=error.message)
            raise
        except (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.InternalError) as over:
            _write(logging.DEBUG, "call ended early", method, started, context, by=type(over).__name__)
            raise
        except Exception:
            logger.exception("call failed unexpectedly", extra={"fields": {"method": method}})
            raise
        _write(success, "call served", method, started, context)
        return response

    return handle


def _write(level: int, message: str, method: str, started: float, context: Context, **facts: str) -> None:
    if logger.isEnabledFor(level):
        milliseconds = round(1_000 * (time.perf_counter() - started), 3)
        fields = {"method": method, "peer": context.peer(), "milliseconds": milliseconds, **facts}
        logger.log(level, message, extra={"fields": fields})
