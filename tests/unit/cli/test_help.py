"""Help that teaches: every command says what it does and shows how, on every terminal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest_grpc.cli.main import COMMANDS, app, load


def all_commands() -> Iterator[tuple[str, ...]]:
    """The words that name each command and each group."""
    for name in COMMANDS:
        yield from _below((name,), load(name))


def _below(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from _below((*words, name), each)


ALL = list(all_commands())


def help_page(*words: str) -> str:
    result = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(app, [*words, "--help"], prog_name="ingest-grpc")
    assert result.exit_code == 0, result.output
    return result.output


def test_help__knows_all_commands() -> None:
    wanted = {
        *({("jobs", each) for each in ("list", "get", "create", "add", "remove", "cancel", "events", "results")}),
        *(
            {
                ("jobs", each)
                for each in ("retry", "update", "delete", "undelete", "clone", "wait", "files", "why", "start")
            }
        ),
        *({("files", each) for each in ("list", "get", "upload", "import", "update", "read", "download", "delete")}),
        *({("ingestion", each) for each in ("list", "get", "records")}),
        *({("admin", each) for each in ("backup", "restore", "check")}),
        *({("admin", "keys", each) for each in ("create", "list", "revoke")}),
        ("server", "info"),
        ("serve",),
        ("ingest",),
        ("watch",),
    }
    assert wanted <= set(ALL)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help__every_page_has_an_example_of_its_command(words: tuple[str, ...]) -> None:
    page = help_page(*words)
    assert "Example" in page
    assert f"\n   ingest-grpc {' '.join(words)}" in page
    # An example that wraps cannot be copied.
    assert max(map(len, page.splitlines())) <= 80


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help__every_option_and_argument_is_explained(words: tuple[str, ...]) -> None:
    command = load(words[0])
    for word in words[1:]:
        command = command.commands[word]
    assert [each.name for each in command.params if not getattr(each, "help", None)] == []


def test_help__the_list_says_what_the_commands_say() -> None:
    for name, entry in COMMANDS.items():
        assert load(name).help.splitlines()[0] == entry.help


def test_help__the_first_page_loads_neither_grpc_nor_settings() -> None:
    # In a process of its own, because other tests have loaded them already. A help page has to be there at once.
    code = (
        "import sys; from typer.testing import CliRunner; from ingest_grpc.cli.main import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "print([name for name in ('grpc', 'pydantic', 'google.protobuf') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout == "[]\n"


def test_help__no_command_shows_the_help() -> None:
    result = CliRunner().invoke(app, [])
    assert "Usage: " in result.output
    assert result.exit_code == 2


def test_help__a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    result = CliRunner().invoke(app, ["ingst"])
    assert result.exit_code == 2
    assert "ingest" in result.output


def test_version__is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.startswith("ingest-grpc 0.")
