"""Which engine converts which kind by which method: the defaults here, changed by the setting `engines`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.parse.engines import DOCLING, LITEPARSE, MARKDOWNIFY, XBERG, engines, version_of
from ingest_grpc.pipeline.parse.source import ACCURACY_OPTIMIZED, SPEED_OPTIMIZED
from ingest_grpc.pipeline.parse.types import Kind, named_kind

if TYPE_CHECKING:
    from ingest_grpc.config import Settings

Table = Mapping[str, Mapping[str, str]]
"""Method to kind to engine."""

CHOICES: Mapping[Kind, tuple[str, ...]] = {
    Kind.PDF: (XBERG, LITEPARSE, DOCLING),
    Kind.HTML: (XBERG, MARKDOWNIFY),
}
"""The kinds that more than one engine can convert. Every other kind has one way, whatever the method."""

DEFAULTS: Table = {
    SPEED_OPTIMIZED: {Kind.PDF.name: XBERG, Kind.HTML.name: XBERG},
    ACCURACY_OPTIMIZED: {Kind.PDF.name: LITEPARSE, Kind.HTML.name: MARKDOWNIFY},
}


def engine_table(settings: "Settings") -> Table:
    """The table in force. ValueError for a kind, a method or an engine that cannot be chosen, or is not installed."""
    table = {method: dict(row) for method, row in DEFAULTS.items()}
    for method, row in settings.engines.items():
        if method not in table:
            raise ValueError(f"engines: there is no method {method}; there are {', '.join(table)}")
        for kind, engine in row.items():
            _check(kind, engine)
            table[method][kind] = engine
    if needs_docling(table) and settings.docling_models is None:
        raise ValueError("engines: docling needs docling_models, the folder of its models")
    return table


def needs_docling(table: Table, method: str | None = None) -> bool:
    """Whether docling converts anything by this method, or by any."""
    rows = table.values() if method is None else [table.get(method, {})]
    return any(DOCLING in row.values() for row in rows)


def is_current(table: Table, method: str, filename: str, engine: str, version: str) -> bool:
    """Whether a file of this name would be converted by this engine, in this version, today too.

    Where the kind cannot be told from the name, an engine that is still installed in that version will do.
    """
    kind = named_kind(filename)
    wanted = table.get(method, {}).get(kind.name) if kind else None
    return version_of(engine) == version and wanted in (None, engine.split("/", 1)[0])


def _check(kind: str, engine: str) -> None:
    choices = {known.name: names for known, names in CHOICES.items()}
    if kind not in choices:
        raise ValueError(f"engines: nothing can be chosen for {kind}, only for {', '.join(choices)}")
    if engine not in choices[kind]:
        raise ValueError(f"engines: {engine} does not convert {kind}; choose of {', '.join(choices[kind])}")
    if engine not in engines():
        raise ValueError(f"engines: {engine} is not installed")
