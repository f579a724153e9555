"""What a caller sees of a failed call."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2


@dataclass
class Failure:
    """The status of a call with its details taken apart."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)


async def failure_of(call: Awaitable[Any]) -> Failure:
    """Awaits a call that has to fail."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return failure(raised.value)


def failure(error: grpc.aio.AioRpcError) -> Failure:
    """Takes a status apart."""
    found = Failure(error.code(), error.details() or "")
    packed = dict(error.trailing_metadata()).get("grpc-status-details-bin")
    if packed is None:
        return found
    assert isinstance(packed, bytes)
    for detail in status_pb2.Status.FromString(packed).details:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            found.reason, found.metadata = info.reason, dict(info.metadata)
        if detail.Unpack(request):
            found.fields = [violation.field for violation in request.field_violations]
    return found
