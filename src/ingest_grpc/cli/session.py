"""What a command runs in: its connection, its output, and the one place where it ends.

`command` turns an async function with a Session into a Typer command: it adds the shared options, runs the
function, and turns whatever it raises into an error and a fix on stderr, and an exit code.
"""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from ingest_grpc.cli.failures import INTERRUPTED, explain
from ingest_grpc.cli.options import ALL_OPTIONS, Options, teaches
from ingest_grpc.cli.output import Output

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient

_ANSWER_SECONDS = 3.0
"""How long a server may take to answer at all."""


@contextlib.contextmanager
def told_if_interrupted(output: Output, how_to_go_on: Callable[[], str]) -> Iterator[None]:
    """Says how to go on if Ctrl-C ends the block."""
    try:
        yield
    except asyncio.CancelledError:
        output.hint(f"Interrupted. {how_to_go_on()}")
        raise


@dataclass(frozen=True, slots=True)
class Session:
    """The options of one invocation, and where its output goes."""

    options: Options
    output: Output

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator["AsyncClient"]:
        """A client of the server that the options name, once that has answered."""
        # gRPC takes a moment to load, and no help page needs it.
        from ingest_grpc.client.aio import AsyncClient  # noqa: PLC0415

        options = self.options
        tls = options.tls_ca or bool(options.tls)
        # The client patiently retries calls; a person who mistyped an address must not wait for that.
        async with AsyncClient(options.target, api_key=options.api_key, tls=tls, timeout=_ANSWER_SECONDS) as probe:
            await probe.server_info()
        async with AsyncClient(options.target, api_key=options.api_key, tls=tls) as client:
            yield client

    def run(self, work: Coroutine[Any, Any, int | None]) -> int:
        """Runs a command to its end; returns its exit code, with any failure already printed."""
        try:
            return asyncio.run(work) or 0
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            raise  # whoever read our output has enough of it; Typer ends quietly
        except Exception as error:  # noqa: BLE001 - the one exit: a person never meets a stack trace
            failure = explain(error, self.options.target)
            self.output.failure(failure)
            return failure.exit_code


def command(
    function: Callable[..., Coroutine[Any, Any, int | None]], shared: Mapping[str, Any] = ALL_OPTIONS
) -> Callable[..., None]:
    """The function as Typer wants it: its own parameters and the shared options, ending in an exit code."""

    @functools.wraps(function)
    def run(context: typer.Context, **arguments: Any) -> None:
        given = Options(**{name: arguments.pop(name) for name in shared})
        outer = context.obj if isinstance(context.obj, Options) else Options()
        options = given.over(outer).over_environment()
        session = Session(options, Output(as_json=bool(options.json)))
        raise typer.Exit(session.run(function(session, **arguments)))

    own = list(inspect.signature(function).parameters.values())[1:]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in shared.items()
    ]
    parameters = [context, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *added]
    # Typer reads the signature and the annotations; both have to be those of the command, not of `function`.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return teaches(run)
