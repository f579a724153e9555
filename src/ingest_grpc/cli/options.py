"""Options that every command takes, before or after its name: where the server is, who asks, what is printed."""

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.lifecycle import JobType

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_ADDRESS = "127.0.0.1:50061"
_PANEL = "Connection and output"


def flag(*names: str, help: str, **more: Any) -> Any:  # noqa: A002 - Typer's own word
    """An option without a value, shown without a type."""
    return typer.Option(*names, metavar="", help=help, **more)


def teaches(function: F) -> F:
    """Marks the examples in a command's docstring, so that its help page shows them as they are."""
    # Typer would strip the indentation of lines that begin with spaces; these begin with a style.
    function.__doc__ = re.sub(
        r"^ +(ingest-grpc .*)$", r"[cyan]  \1[/cyan]", inspect.getdoc(function) or "", flags=re.MULTILINE
    )
    return function


class NewJobType(StrEnum):
    """The types of jobs that a person makes; those of the type KNOWLEDGE_BASE come of `kb`."""

    CONTEXT_GROUNDED_FILES = JobType.CONTEXT_GROUNDED_FILES
    PRINCIPLE_FILES = JobType.PRINCIPLE_FILES
    CONTEXT_GROUNDED_VECTOR_DB = JobType.CONTEXT_GROUNDED_VECTOR_DB


TypeOption = Annotated[
    NewJobType,
    typer.Option(
        "--type",
        metavar="TYPE",
        case_sensitive=False,
        help="CONTEXT_GROUNDED_FILES; PRINCIPLE_FILES, which needs a system prompt; or CONTEXT_GROUNDED_VECTOR_DB, "
        "which needs --knowledge-base.",
    ),
]
KnowledgeBaseOption = Annotated[
    str,
    typer.Option(
        "--knowledge-base",
        metavar="KB",
        help="What a job of the type CONTEXT_GROUNDED_VECTOR_DB is grounded in, kb-….",
    ),
]


class MethodName(StrEnum):
    """The conversion methods, as a person types them."""

    SPEED_OPTIMIZED = "speed-optimized"
    ACCURACY_OPTIMIZED = "accuracy-optimized"


MethodOption = Annotated[
    MethodName | None,
    typer.Option(
        "--method",
        case_sensitive=False,
        metavar="METHOD",
        help="speed-optimized, or accuracy-optimized: better headings and tables, and it reads scans.",
        show_default=False,
    ),
]


def method_number(method: MethodName | None) -> str | int:
    """What a client's `method` parameter takes: the name in the contract; 0 for none."""
    return method.name if method else 0


LabelOption = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label; repeat it for several.", show_default=False)
]


def parsed_labels(given: Iterable[str] | None) -> dict[str, str]:
    """The labels that --label options give. Raises Failure for one that is no KEY=VALUE."""
    labels = {}
    for each in given or ():
        key, separator, value = each.partition("=")
        if not (key and separator):
            raise Failure(f"{each!r} is no label.", "Write it as KEY=VALUE.", USAGE)
        labels[key] = value
    return labels


Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        rich_help_panel=_PANEL,
        help=f"Server to talk to; else INGEST_ADDRESS, else {DEFAULT_ADDRESS}.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        rich_help_panel=_PANEL,
        help="API key; else INGEST_API_KEY, which no process list shows.",
    ),
]
Tls = Annotated[
    bool | None,
    flag("--tls", rich_help_panel=_PANEL, help="Encrypt the connection; trust the system's authorities."),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        "--tls-ca",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
        help="Encrypt it, and trust the authorities in this PEM file.",
    ),
]
Json = Annotated[
    bool | None,
    flag("--json", rich_help_panel=_PANEL, help="Print JSON for scripts, one object per line."),
]

OUTPUT_OPTIONS: Mapping[str, Any] = {"json": Json}
ALL_OPTIONS: Mapping[str, Any] = {"address": Address, "api_key": ApiKey, "tls": Tls, "tls_ca": TlsCa, **OUTPUT_OPTIONS}


@dataclass(frozen=True, slots=True)
class Options:
    """What was given, None where nothing was."""

    address: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    tls_ca: Path | None = None
    json: bool | None = None

    @property
    def target(self) -> str:
        """host:port of the server."""
        return self.address or DEFAULT_ADDRESS

    def over(self, outer: "Options") -> "Options":
        """These options, completed with those given before the command's name."""
        return Options(
            address=self.address or outer.address,
            api_key=self.api_key or outer.api_key,
            tls=self.tls or outer.tls,
            tls_ca=self.tls_ca or outer.tls_ca,
            json=self.json or outer.json,
        )

    def over_environment(self) -> "Options":
        """These options, completed from the environment."""
        return self.over(Options(address=os.environ.get("INGEST_ADDRESS"), api_key=os.environ.get("INGEST_API_KEY")))
