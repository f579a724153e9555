"""Registers servicers by the descriptors of their services.

Instead of the generated functions, for three reasons. Messages that are bytes already pass through unchanged, so that
what was encoded once goes to many. Requests are parsed inside of the interceptors, so that a malformed one is answered
like any other error. And interceptors are composed here once per method.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from ingest_grpc.api.interceptors.auth import refusal
from ingest_grpc.api.interceptors.chain import Context, Handler, Interceptor, MethodHandler, compose
from ingest_grpc.errors import IngestError, Reason, invalid
from ingest_grpc.telemetry import note_call
from ingest_grpc.wire.requests.outline import check_outline

LOGGED_FIELDS = ("request_id", "job_id")
"""Fields of requests that every line has which is logged while the call is served."""

_FACTORIES: dict[tuple[bool, bool], Callable[..., MethodHandler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def register(
    server: grpc.aio.Server,
    service: ServiceDescriptor,
    servicer: object,
    interceptors: Sequence[Interceptor],
    *,
    name: str | None = None,
) -> None:
    """Registers a servicer that has one coroutine per method of the service, with the method's name.

    A coroutine takes the request, or an iterator of requests, and the context; it returns the response, or writes
    responses to the context. `name` registers under another full name with the same messages.
    """
    name = name or service.full_name
    handlers = {
        method.name: _method_handler(f"/{name}/{method.name}", method, getattr(servicer, method.name), interceptors)
        for method in service.methods
    }
    server.add_registered_method_handlers(name, handlers)


def _method_handler(
    full_name: str, method: MethodDescriptor, behaviour: Handler, interceptors: Sequence[Interceptor]
) -> MethodHandler:
    request_class = GetMessageClass(method.input_type)
    if inspect.isasyncgenfunction(behaviour):
        behaviour = _writing(behaviour)
    parsing = _parsing_each if method.client_streaming else _parsing
    handler = compose(interceptors, full_name, parsing(request_class, behaviour))
    factory = _FACTORIES[method.client_streaming, method.server_streaming]
    return factory(handler, response_serializer=_encoded)


def _parsing(request_class: type[Message], behaviour: Handler) -> Handler:
    logged = [name for name in LOGGED_FIELDS if name in request_class.DESCRIPTOR.fields_by_name]

    async def handle(request: bytes, context: Context) -> Any:
        message = _parsed(request_class, request)
        for name in logged:
            if value := getattr(message, name):
                note_call(name, value)
        served = behaviour(message, context)
        del request, message  # a watch lives long: its handler keeps of the message what it needs
        return await served

    return handle


def _parsing_each(request_class: type[Message], behaviour: Handler) -> Handler:
    async def handle(requests: AsyncIterator[bytes], context: Context) -> Any:
        return await behaviour((_parsed(request_class, request) async for request in requests), context)

    return handle


def _parsed(request_class: type[Message], request: bytes) -> Message:
    try:
        check_outline(request_class, request)
        message = request_class.FromString(request)
    except DecodeError:
        raise invalid("request", f"is not a valid {request_class.DESCRIPTOR.full_name}") from None
    message.DiscardUnknownFields()  # nobody reads them: megabytes of them must not live as long as a watch
    return message


def _encoded(message: Message | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


def _writing(generator: Callable[[Any, Context], AsyncIterator[Message]]) -> Handler:
    async def handle(request: Any, context: Context) -> None:
        async for message in generator(request, context):
            await context.write(message)

    return handle


class UnknownMethods(grpc.GenericRpcHandler):
    """Answers for every method that nobody registered."""

    def __init__(self, interceptors: Sequence[Interceptor]) -> None:
        self._interceptors = interceptors

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler:
        """A handler that refuses."""
        method = handler_call_details.method
        return refusal(method, IngestError(Reason.METHOD_NOT_FOUND, {"method": method}), self._interceptors)
