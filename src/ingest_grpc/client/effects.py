"""What an operation asks of the world, as values: operations do no I/O, a shell does it for them.

An operation is a generator. It yields effects and gets their results back; a failed call comes back as an
IngestCallError thrown into it. Each use case, with its retries and its resumption, is so written once, runs in
the asynchronous and in the synchronous client, and is tested without a network.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from ingest_grpc.client.rpcs import Rpc

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Request = TypeVar("Request")
Response = TypeVar("Response")


class Stream(Generic[T_co]):
    """An open server stream of T_co messages. Only the shell that opened it knows how to read its `call`."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def cancel(self) -> None:
        """End the stream on both sides; never blocks, harmless when it has ended."""
        self.call.cancel()


class Effect(Generic[T_co]):
    """A request to the shell, answered with a T_co or with an exception."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call(Effect[Response], Generic[Request, Response]):
    """Make a unary call that may take `timeout` seconds."""

    rpc: Rpc[Request, Response]
    request: Request
    timeout: float


@dataclass(frozen=True, slots=True)
class Send(Effect[Response], Generic[Request, Response]):
    """Stream `requests`, whose iteration may block on a disk, and return the response.

    `sent` is called with each request once the transport has taken it.
    """

    rpc: Rpc[Request, Response]
    requests: Iterator[Request]
    sent: Callable[[Request], None]


@dataclass(frozen=True, slots=True)
class Open(Effect[Stream[Response]], Generic[Request, Response]):
    """Start a server stream. Failures show when it is read."""

    rpc: Rpc[Request, Response]
    request: Request


@dataclass(frozen=True, slots=True)
class Receive(Effect[Response | None], Generic[Response]):
    """The next message of a stream, or None once it ended with OK.

    Without a message for `timeout` seconds the stream counts as lost: UNAVAILABLE.
    """

    stream: Stream[Response]
    timeout: float


@dataclass(frozen=True, slots=True)
class Sleep(Effect[None]):
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Run(Effect[T], Generic[T]):
    """Run a function that may block on a disk."""

    function: Callable[[], T]


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Hand an item to whoever iterates. Not an effect: nothing comes back."""

    item: T


Operation: TypeAlias = Generator[Effect[Any], Any, T]
"""Effects, and at last a result of type T."""

Feed: TypeAlias = Generator[Effect[Any] | Emit[T], Any, None]
"""Effects, and between them items of type T."""


def do(effect: Effect[T]) -> Operation[T]:
    """`yield effect`, with the type of its answer."""
    answer: T = yield effect
    return answer


Step = TypeVar("Step")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an effect: an answer, or the error that it failed with."""

    answer: Any = None
    error: Exception | None = None

    def resume(self, generator: Generator[Step, Any, Any]) -> Step:
        """Tell the generator, and return what it yields next. Raises StopIteration when it is done."""
        return generator.send(self.answer) if self.error is None else generator.throw(self.error)


def drain(feed: Feed[T], consume: Callable[[T], None]) -> Operation[None]:
    """Run a feed inside an operation and give each of its items to `consume`."""
    try:
        step = next(feed)
        while True:
            outcome = Outcome()
            if isinstance(step, Emit):
                consume(step.item)
            else:
                try:
                    outcome = Outcome(answer=(yield step))
                except Exception as error:  # noqa: BLE001 - whatever the shell throws belongs to the feed
                    outcome = Outcome(error=error)
            step = outcome.resume(feed)
    except StopIteration:
        return
    finally:
        feed.close()
