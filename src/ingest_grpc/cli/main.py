"""The console entry point: one table of commands, each loaded only when it is called.

A help page must not wait for gRPC or for the settings to load: the table holds each command's name and first
line, and the module behind it is imported when the command is resolved.
"""

import contextlib
import os
from collections.abc import Iterator
from importlib import import_module, metadata
from typing import Annotated, Any, NamedTuple

import typer
import typer.core
import typer.main

from ingest_grpc.cli import options
from ingest_grpc.cli.failures import wrong_command_line
from ingest_grpc.cli.options import Options
from ingest_grpc.cli.output import Output


class _Entry(NamedTuple):
    """A command or group of the table: its module in this package, the first line of its help, its help panel."""

    module: str
    help: str
    panel: str


_WORK = "Work with documents"
_OPERATE = "Run a server"
_WANTS_JSON = "ingest_grpc.wants_json"
"""Where the root's context says that --json stands somewhere on the command line."""

COMMANDS = {
    "ingest": _Entry("ingest", "Convert documents to Markdown and show how it goes.", _WORK),
    "watch": _Entry("watch", "Print every event of a job the moment it happens.", _WORK),
    "jobs": _Entry("jobs", "Create, list, change and cancel jobs.", _WORK),
    "files": _Entry("files", "Upload, import, list, read, change, download and delete files.", _WORK),
    "kb": _Entry("kb", "Keep knowledge bases in step with where documents are, and search them.", _WORK),
    "ingestion": _Entry("ingestion", "List ingestion jobs and the records of their files.", _WORK),
    "server": _Entry("server", "Ask a server what it is and can do.", _OPERATE),
    "serve": _Entry("serve", "Run the server until SIGTERM or Ctrl-C.", _OPERATE),
    "doctor": _Entry("doctor", "Check whether this machine can run a server, and what it enforces.", _OPERATE),
    "admin": _Entry("admin", "API keys, backup, restore and check of a data folder.", _OPERATE),
}


_UsageError: Any = typer.BadParameter.__base__
"""Any error in the words of a command: Typer exports only this one kind of it."""


@contextlib.contextmanager
def _told_in_json(wanted: bool) -> Iterator[None]:
    """Tells a mistyped command line as every other failure is told to a script; for people Typer draws a box."""
    try:
        yield
    except _UsageError as error:
        # A group that is called alone shows its help, which Typer, too, tells by this name only.
        if not wanted or type(error).__name__ == "NoArgsIsHelpError":
            raise
        failure = wrong_command_line(error)
        Output(as_json=True).failure(failure)
        raise typer.Exit(failure.exit_code) from None


class _LazyGroup(typer.core.TyperGroup):
    """Replaces the listed stand-in by the real command when it is about to be run."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> Any:
        wants_json = "--json" in args
        with _told_in_json(wants_json):
            context = super().make_context(info_name, args, *more, **extra)
        context.meta[_WANTS_JSON] = wants_json
        return context

    def invoke(self, ctx: Any) -> Any:
        with _told_in_json(ctx.meta[_WANTS_JSON]):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else found, rest


def load(name: str) -> Any:
    """The Click command behind a name of the table."""
    module = import_module(f"ingest_grpc.cli.{COMMANDS[name].module}")
    loaded = typer.main.get_command(module.app)
    loaded.name = name
    return loaded


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _listed_only() -> None:
    """Stands in a help page for a command that is loaded when it is called."""


for _name, _entry in COMMANDS.items():
    app.command(_name, help=_entry.help, rich_help_panel=_entry.panel)(_listed_only)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ingest-grpc {metadata.version('ingest-grpc')}")
        raise typer.Exit


@app.callback()
@options.teaches
def root(
    context: typer.Context,
    address: options.Address = None,
    api_key: options.ApiKey = None,
    tls: options.Tls = None,
    tls_ca: options.TlsCa = None,
    json: options.Json = None,
    _version: Annotated[
        bool, options.flag("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Documents in, Markdown out, every transition streamed.

    Example, in two terminals:
      ingest-grpc serve
      ingest-grpc ingest report.pdf slides/ --out markdown/

    Every command has its own help: ingest-grpc COMMAND --help

    Exit codes:
      0 all went well           3 no server can be reached
      1 a file failed, or       130 interrupted
        a call was refused
      2 the command line is wrong
    """
    context.obj = Options(address, api_key, tls, tls_ca, json)


def main() -> None:
    """Runs the command line of this process and exits with its code."""
    # gRPC's own notes, for example on every failed handshake, would stand between what commands print.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # Children are forked only to execute something else: gRPC need not stop its threads for each of them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    app(prog_name="ingest-grpc")


if __name__ == "__main__":
    main()
