"""A world without a network for operations: it performs their effects in memory, on a clock of its own."""

from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar

import grpc

from ingest_grpc.client.effects import (
    Call,
    Effect,
    Emit,
    Feed,
    Open,
    Operation,
    Outcome,
    Receive,
    Run,
    Send,
    Sleep,
    Stream,
)
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.retry import Backoff, Session

T = TypeVar("T")
Handler = Callable[[Any], Any]


def failure(code: str = "UNAVAILABLE", reason: str = "", retry_after: float | None = None) -> IngestCallError:
    return IngestCallError(grpc.StatusCode[code], "it failed", reason, retry_after=retry_after)


def script(*answers: object) -> Handler:
    """A handler that gives one answer after the other; exceptions are raised."""
    remaining = iter(answers)

    def handle(_request: object) -> object:
        answer = next(remaining)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle


class MemoryCall:
    """A server stream of prepared messages; an exception among them ends it."""

    def __init__(self, messages: Iterable[object]) -> None:
        self.messages = iter(messages)
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class World:
    """Answers effects from `handlers`, one per path of an RPC, and records what was asked."""

    def __init__(self, **handlers: Handler) -> None:
        self.handlers = handlers
        self.now = 1_000.0
        self.requests: list[Any] = []
        self.timeouts: list[float] = []
        self.slept: list[float] = []
        self.calls: list[MemoryCall] = []
        self.session = Session(
            timeout=60.0,
            backoff=lambda: Backoff(initial=1.0, maximum=8.0, jitter=lambda: 0.0),
            clock=lambda: self.now,
            new_request_id=lambda: f"request-{len(self.requests) + 1}",
        )

    def run(self, operation: Operation[T]) -> T:
        """Run an operation to its result."""
        try:
            effect = next(operation)
            while True:
                effect = self._outcome(effect).resume(operation)
        except StopIteration as done:
            result: T = done.value
            return result

    def iterate(self, feed: Feed[T]) -> Generator[T, None, None]:
        """The items of a feed."""
        try:
            step = next(feed)
            while True:
                outcome = Outcome()
                if isinstance(step, Emit):
                    yield step.item
                else:
                    outcome = self._outcome(step)
                step = outcome.resume(feed)
        except StopIteration:
            return
        finally:
            feed.close()

    def _outcome(self, effect: Effect[Any]) -> Outcome:
        try:
            return Outcome(answer=self._perform(effect))
        except Exception as error:  # noqa: BLE001 - as the shells do
            return Outcome(error=error)

    def _perform(self, effect: Effect[Any]) -> Any:
        match effect:
            case Call(rpc, request, timeout):
                self.timeouts.append(timeout)
                return self._handle(rpc.path, request)
            case Open(rpc, request):
                self.calls.append(MemoryCall(self._handle(rpc.path, request)))
                return Stream(self.calls[-1])
            case Receive(stream, _timeout):
                message = next(stream.call.messages, None)
                if isinstance(message, Exception):
                    raise message
                return message
            case Send(rpc, requests, sent):
                sequence = list(requests)
                for request in sequence:
                    sent(request)
                return self._handle(rpc.path, sequence)
            case Sleep(seconds):
                self.slept.append(seconds)
                self.now += seconds
                return None
            case Run(function):
                return function()
        raise NotImplementedError(effect)

    def _handle(self, path: str, request: Any) -> Any:
        self.requests.append(request)
        return self.handlers[path.rpartition("/")[2]](request)
