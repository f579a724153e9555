"""`--metadata KEY=VALUE`: what a caller says of files, kept with them and compared by searches."""

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_grpc.cli.failures import USAGE, Failure

if TYPE_CHECKING:
    from ingest_grpc.client.messages import FileToAdd

MetadataOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="To keep with it; repeat it for several.", show_default=False),
]


def parsed_metadata(given: Iterable[str]) -> dict[str, str | float | bool]:
    """Values as JSON says them, else as text. Raises Failure for one that is no KEY=VALUE."""
    values: dict[str, str | float | bool] = {}
    for each in given:
        key, separator, text = each.partition("=")
        if not (key and separator):
            raise Failure(f"{each!r} is no metadata.", "Write it as KEY=VALUE.", USAGE)
        values[key] = _scalar(text)
    return values


def files_to_add(file_ids: Iterable[str], metadata: Iterable[str] | None) -> "list[FileToAdd]":
    """The files as a call that adds them names them, each with the same metadata. Raises Failure."""
    from ingest_grpc.client.messages import FileToAdd  # noqa: PLC0415 - see Session.connect

    values = parsed_metadata(metadata or ())
    named = [FileToAdd(file_id=each) for each in file_ids]
    for each in named if values else ():
        each.metadata.update(values)
    return named


def _scalar(text: str) -> str | float | bool:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return value if isinstance(value, str | bool) or is_number else text
