"""Lets a call in, or refuses it before its method is looked up and its request is read."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Never

import grpc
import grpc.aio

from ingest_grpc.api.interceptors.chain import Context, Interceptor, MethodHandler, compose
from ingest_grpc.api.metadata_limit import metadata_was_read
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Scope
from ingest_grpc.party import current_party

Authenticate = Callable[[str | None], Awaitable[Caller]]
"""Tells who has a secret; None = the call carries none. Raises CREDENTIALS_MISSING or CREDENTIALS_INVALID."""

HEALTH = "/grpc.health.v1.Health/"
"""Needs no credentials, nothing else does."""

_READING_VERBS = ("Get", "List", "Read", "Download", "Watch", "Wait", "Search", "ServerReflection")
_SUFFICIENT = {
    Scope.READ: frozenset({Scope.READ, Scope.WRITE, Scope.ADMIN}),
    Scope.WRITE: frozenset({Scope.WRITE, Scope.ADMIN}),
}
_caller: ContextVar[Caller] = ContextVar("caller")


def caller() -> Caller:
    """Who makes the call that is being served."""
    return _caller.get()


def current_caller() -> Caller | None:
    """Who makes the call that is being served; None for one that needs no credentials."""
    return _caller.get(None)


@lru_cache(1_000)
def needed_scope(method: str) -> Scope:
    """What a key must allow for a method, by its full name: what reads begins with a verb that says so."""
    return Scope.READ if method.rpartition("/")[2].startswith(_READING_VERBS) else Scope.WRITE


class Gate(grpc.aio.ServerInterceptor):
    """The only interceptor that grpc.aio itself runs, because it alone comes before the look-up of the method."""

    def __init__(
        self, authenticate: Authenticate, admit: Callable[[Caller], None], interceptors: Sequence[Interceptor]
    ) -> None:
        """`admit` raises if a caller that is known may make no call just now."""
        self._authenticate = authenticate
        self._admit = admit
        self._interceptors = interceptors

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[MethodHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> MethodHandler | None:
        """Continues, or returns a handler that refuses; an unexpected exception takes the one exit too."""
        metadata_was_read()
        method = handler_call_details.method
        if method.startswith(HEALTH):
            return await continuation(handler_call_details)
        try:
            admitted = await self._authenticate(bearer_secret(handler_call_details.invocation_metadata))
            scope = needed_scope(method)
            if not admitted.scopes & _SUFFICIENT[scope]:
                raise IngestError(Reason.SCOPE_MISSING, {"scope": scope.lower()})
            self._admit(admitted)
        except Exception as error:  # noqa: BLE001  # raised again within the handler, where interceptors see it
            return refusal(method, error, self._interceptors)
        # grpc.aio runs the interceptor and the handler of a call in one task, so the handler finds it here.
        _caller.set(admitted)
        current_party.set(admitted.team_id)
        return await continuation(handler_call_details)


def refusal(method: str, error: Exception, interceptors: Sequence[Interceptor]) -> MethodHandler:
    """A handler that raises the error. It suits calls of any kind: as a stream it starts without reading a request."""

    async def refuse(_request: Any, _context: Context) -> Never:
        raise error

    return grpc.stream_stream_rpc_method_handler(compose(interceptors, method, refuse))


def bearer_secret(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The secret of `authorization: Bearer <secret>` (RFC 6750), or None."""
    for key, value in metadata:
        if key == "authorization" and isinstance(value, str):
            scheme, _, secret = value.strip().partition(" ")
            if scheme.lower() == "bearer" and secret.strip():
                return secret.strip()
    return None
