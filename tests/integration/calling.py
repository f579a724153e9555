"""Calls any RPC of the contract by its name, with any request, even with bytes that are none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from ingest_grpc.api.server import SERVICES

Sent = Message | bytes

RPCS = {f"{service}/{method.name}": method for service, descriptor in SERVICES.items() for method in descriptor.methods}
"""Every method of the contract by its name without the package."""


@dataclass(frozen=True)
class Failure:
    """How a call failed, with its details decoded; `kinds` names all of them, `size_bytes` is their serialized size."""

    code: grpc.StatusCode
    message: str
    info: ErrorInfo = field(default_factory=ErrorInfo)
    fields: Sequence[str] = ()
    size_bytes: int = 0
    kinds: frozenset[str] = frozenset()

    @property
    def reason(self) -> str:
        return str(self.info.reason)


class Refused(Exception):
    """A call failed; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code.name} {failure.reason}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True)
class Reply:
    """The responses of a call that succeeded, and its trailers."""

    messages: Sequence[Message]
    trailers: dict[str, str | bytes]


async def call(channel: grpc.aio.Channel, rpc: str, *requests: Sent, secret: str = "", name: str = "") -> Reply:
    """Calls `rpc`, or the method `name` in its place. Raises Refused."""
    method = RPCS[rpc]
    path = f"/ingest_grpc.v1.{name or rpc}"
    decode = GetMessageClass(method.output_type).FromString
    metadata = (("authorization", f"Bearer {secret}"),) if secret else ()
    # A method with one response is called as one with a stream of them: on the wire there is no difference.
    ongoing: grpc.aio.UnaryStreamCall[Sent, Message] | grpc.aio.StreamStreamCall[Sent, Message]
    if method.client_streaming:
        several = channel.stream_stream(path, request_serializer=_serialized, response_deserializer=decode)
        ongoing = several(_each(requests), metadata=metadata)
    else:
        single = channel.unary_stream(path, request_serializer=_serialized, response_deserializer=decode)
        ongoing = single(*requests, metadata=metadata)
    try:
        async with asyncio.timeout(10):
            messages = [message async for message in ongoing]
    except grpc.aio.AioRpcError as error:
        raise Refused(failure_of(error)) from None
    return Reply(messages, dict(await ongoing.trailing_metadata() or ()))


async def failure(channel: grpc.aio.Channel, rpc: str, *requests: Sent, secret: str = "", name: str = "") -> Failure:
    """The failure that a call must end with."""
    while True:
        try:
            reply = await call(channel, rpc, *requests, secret=secret, name=name)
        except Refused as refused:
            # grpc.aio's client hides the status of a stream that was refused while it still wrote.
            if refused.failure.message != "Internal error from Core":
                return refused.failure
        else:
            raise AssertionError(f"{rpc} succeeded: {reply.messages}")


def failure_of(error: grpc.aio.AioRpcError) -> Failure:
    """A failed call with its details."""
    raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = Status.FromString(raw if isinstance(raw, bytes) else raw.encode())
    info, request = ErrorInfo(), BadRequest()
    for detail in status.details:
        for known in (info, request):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    fields = [violation.field for violation in request.field_violations]
    kinds = frozenset(detail.TypeName().removeprefix("google.rpc.") for detail in status.details)
    return Failure(error.code(), error.details() or "", info, fields, len(raw), kinds)


def _serialized(request: Sent) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


async def _each(requests: Sequence[Sent]) -> AsyncIterator[Sent]:
    for request in requests:
        yield request
