"""The shared options, and how a command ends."""

import asyncio
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.options import DEFAULT_ADDRESS, Address, Json, Options
from ingest_grpc.cli.session import Session, command, told_if_interrupted
from tests.unit.cli.test_output import Streams


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    """Runs a small application with the shared options at both places."""
    app = typer.Typer()

    @app.callback()
    def root(context: typer.Context, address: Address = None, json: Json = None) -> None:
        context.obj = Options(address=address, json=json)

    @app.command()
    @command
    async def show(session: Session, what: str, *, loud: Annotated[bool, typer.Option("--loud")] = False) -> int:
        """Show what was given."""
        session.output.value([what, loud, session.options.target, session.options.api_key, session.options.json])
        return len(what)

    @app.command()
    @command
    async def fail(_session: Session) -> None:
        """Fail."""
        await asyncio.sleep(0)
        raise Failure("It is broken.", "Mend it.", 42)

    @app.command()
    @command
    async def crash(_session: Session) -> None:
        """Crash."""
        raise ZeroDivisionError("by zero")

    return CliRunner(env={"INGEST_ADDRESS": None, "INGEST_API_KEY": None, **(env or {})}).invoke(app, arguments)


def test_command__passes_its_own_parameters_and_returns_the_exit_code() -> None:
    result = run("show", "abc", "--loud")
    assert result.exit_code == 3
    assert result.stdout == f'["abc", true, "{DEFAULT_ADDRESS}", null, null]\n'


@pytest.mark.parametrize("arguments", [("--address", "a:1", "show", ""), ("show", "", "--address", "a:1")])
def test_command__shared_options_before_and_after_its_name(arguments: tuple[str, ...]) -> None:
    assert '"a:1"' in run(*arguments, env={"INGEST_ADDRESS": "b:2"}).stdout


def test_command__the_later_option_wins() -> None:
    assert '"a:1"' in run("--address", "b:2", "show", "", "--address", "a:1").stdout


def test_command__environment_counts_where_nothing_is_given() -> None:
    assert '"b:2", "secret"' in run("show", "", env={"INGEST_ADDRESS": "b:2", "INGEST_API_KEY": "secret"}).stdout


def test_command__a_failure_ends_with_error_fix_and_its_exit_code() -> None:
    result = run("fail")
    assert (result.exit_code, result.stdout) == (42, "")
    assert result.stderr == "error: It is broken.\nfix: Mend it.\n"


def test_command__an_unexpected_exception_shows_no_stack_trace() -> None:
    result = run("crash")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Unexpected ZeroDivisionError: by zero\nfix: ")
    assert "Traceback" not in result.output


def test_command__a_wrong_option_is_a_usage_error() -> None:
    assert run("show", "", "--nonsense").exit_code == USAGE


def test_told_if_interrupted__says_how_to_go_on_and_ends_all_the_same() -> None:
    streams = Streams(terminal=False)

    async def interrupted() -> None:
        with told_if_interrupted(streams.output, lambda: "Try again."):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert streams.err == "Interrupted. Try again.\n"


def test_options__complete_each_other() -> None:
    inner, outer = Options(tls=True), Options(address="a:1", tls_ca=Path("ca.pem"))
    assert inner.over(outer) == Options(address="a:1", tls=True, tls_ca=Path("ca.pem"))
