"""When a failed call is tried again, and after how long."""

import math
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from ingest_grpc.client.effects import Call, Operation, Request, Response, Sleep, T, do
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.rpcs import Rpc

ATTEMPT_SECONDS = 30.0
"""Longest a single attempt of a unary call may take: a hung connection must not eat the whole budget."""

_TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        # The shells turn a cancellation by the caller into something else; this one came from the server or a proxy.
        grpc.StatusCode.CANCELLED,
    }
)


class Backoff:
    """Delays that double from `initial` to `maximum` seconds, each shortened by up to half at random."""

    def __init__(self, initial: float = 0.1, maximum: float = 5.0, jitter: Callable[[], float] = random.random) -> None:
        self._initial = initial
        self._maximum = maximum
        self._jitter = jitter
        self._next = initial

    def reset(self) -> None:
        """Start over with `initial`: there was progress."""
        self._next = self._initial

    def delay(self, retry_after: float | None = None) -> float:
        """Seconds to wait now; never less than the server asked for."""
        ceiling = self._next
        self._next = min(self._next * 2, self._maximum)
        return max(ceiling * (1 - self._jitter() / 2), retry_after or 0.0)


@dataclass(frozen=True, slots=True)
class Session:
    """What all operations of one client share. `timeout` is the budget of a unary call in seconds, retries included."""

    timeout: float = 60.0
    backoff: Callable[[], Backoff] = Backoff
    clock: Callable[[], float] = time.monotonic
    new_request_id: Callable[[], str] = lambda: str(uuid.uuid4())


def is_transient(error: IngestCallError) -> bool:
    """Whether an idempotent call that failed so is worth repeating unchanged.

    Every unary call of this client is idempotent: reads by nature, mutations by their request_id.
    """
    if error.metadata.get("retryable") == "false":
        # ETAG_MISMATCH is ABORTED, too: the whole read and change has to be repeated, not this call.
        return False
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error.retry_after is not None
    return error.code in _TRANSIENT


def call(session: Session, rpc: Rpc[Request, Response], request: Request) -> Operation[Response]:
    """Make a unary call and repeat it while that may help and the session's timeout has not passed."""
    deadline = session.clock() + session.timeout

    def attempt() -> Operation[Response]:
        return do(Call(rpc, request, min(deadline - session.clock(), ATTEMPT_SECONDS)))

    return (yield from repeat(session, attempt, deadline=deadline))


def repeat(
    session: Session, attempt: Callable[[], Operation[T]], *, attempts: float = math.inf, deadline: float = math.inf
) -> Operation[T]:
    """Run `attempt` until it succeeds or fails for good, at most `attempts` times, never to wait past `deadline`."""
    backoff = session.backoff()
    made = 0
    while True:
        try:
            return (yield from attempt())
        except IngestCallError as error:
            made += 1
            delay = backoff.delay(error.retry_after)
            if not is_transient(error) or made >= attempts or session.clock() + delay >= deadline:
                raise
        yield Sleep(delay)
