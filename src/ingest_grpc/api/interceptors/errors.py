"""The one exit for errors: whatever a handler raises leaves the service as a status of the catalogue."""

import asyncio
from typing import Any, Never

import grpc
import grpc.aio
from grpc import StatusCode

from ingest_grpc.api.interceptors.chain import Context, Handler
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.telemetry import call_id
from ingest_grpc.wire.status import status

_DETAILS_KEY = "grpc-status-details-bin"

SEND_SECONDS = 5.0
"""How long a handler stays with a status that cannot be sent."""

# Answered already, or nobody is left to answer: a write that a cancelled call had blocked raises InternalError.
_OVER = (grpc.aio.AbortError, grpc.aio.InternalError)


def answer_errors(method: str, proceed: Handler) -> Handler:
    """Of an unexpected exception the caller learns nothing but the id under which it was logged.

    Cancellation passes: a handler that swallowed it would leak the call.
    """

    async def handle(request: Any, context: Context) -> Any:
        try:
            return await proceed(request, context)
        except IngestError as error:
            # The frames of its traceback hold the request, for as long as the caller takes to receive the answer.
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        except _OVER:
            raise
        except Exception:  # noqa: BLE001  # the log interceptor inside of this one has written it down
            failure = IngestError(Reason.INTERNAL, {"call_id": call_id.get()})
        return await abort(context, failure)

    return handle


async def abort(context: Context, error: IngestError) -> Never:
    """Ends the call with the error's status and details."""
    answer = status(error)
    details = ((_DETAILS_KEY, answer.SerializeToString()),)
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await context.abort(StatusCode[error.entry.code], answer.message, details)
    except TimeoutError:
        # The status stands behind messages that the caller does not read, and arrives if it ever does. Nothing is
        # left to be done here but to end without another answer.
        raise asyncio.CancelledError from None
