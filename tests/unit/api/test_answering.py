"""The one exit of errors."""

import asyncio
import weakref
from typing import cast

import grpc
import pytest

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.interceptors.errors import answer_errors
from ingest_grpc.errors import IngestError, Reason


class Request:
    """What must not outlive its refusal."""


class SlowCaller:
    """A context whose caller does not receive the answer yet."""

    def __init__(self) -> None:
        self.answering = asyncio.Event()

    async def abort(self, code: grpc.StatusCode, _message: str, _details: object) -> None:
        self.code = code
        self.answering.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("chained", [False, True])
async def test_refusal__keeps_nothing_of_the_request(chained: bool) -> None:
    kept: list[weakref.ref[Request]] = []

    def read(request: Request) -> None:
        kept.append(weakref.ref(request))
        try:
            raise ValueError("many")
        except ValueError as error:
            raise IngestError(Reason.INVALID_FIELD) from (error if chained else None)

    async def refuse(_request: object, _context: Context) -> None:
        read(Request())

    caller = SlowCaller()
    handler = answer_errors("/x/Y", refuse)
    call: asyncio.Task[object] = asyncio.ensure_future(handler(b"", cast(Context, caller)))
    await caller.answering.wait()
    assert (caller.code, kept[0]()) == (grpc.StatusCode.INVALID_ARGUMENT, None)
    call.cancel()
    await asyncio.wait((call,))
