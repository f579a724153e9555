"""Interceptors as plain functions around a handler, composed when a method is registered and not per call."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]
    MethodHandler = grpc.RpcMethodHandler[Any, Any]
else:  # generic in their stubs only
    Context = grpc.aio.ServicerContext
    MethodHandler = grpc.RpcMethodHandler

Handler = Callable[[Any, Context], Awaitable[Any]]
"""Serves a call of any kind: takes the request or an iterator of requests, and returns the response, or None after it
wrote responses to the context."""

Interceptor = Callable[[str, Handler], Handler]
"""Takes the full name of a method and what to proceed with."""


def compose(interceptors: Sequence[Interceptor], method: str, handler: Handler) -> Handler:
    """The handler with all interceptors around it, the first outermost."""
    for interceptor in reversed(interceptors):
        handler = interceptor(method, handler)
    return handler
