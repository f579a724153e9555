"""Which engine converts which kind by which method: the defaults here, changed by the setting `engines`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.parse import java
from ingest_grpc.pipeline.parse.engines import (
    DOCLING,
    LITEPARSE,
    MARKDOWNIFY,
    OPENDATALOADER,
    XBERG,
    engines,
    version_of,
)
from ingest_grpc.pipeline.parse.source import ACCURACY_OPTIMIZED, SPEED_OPTIMIZED
from ingest_grpc.pipeline.parse.types import Kind, named_kind

if TYPE_CHECKING:
    from ingest_grpc.config import Settings

Table = Mapping[str, Mapping[str, str]]
"""Method to kind to engine."""

CHOICES: Mapping[Kind, tuple[str, ...]] = {
    Kind.PDF: (XBERG, LITEPARSE, DOCLING, OPENDATALOADER),
    Kind.HTML: (XBERG, MARKDOWNIFY),
}
"""The kinds that more than one engine can convert. Every other kind has one way, whatever the method."""

APART = (DOCLING, OPENDATALOADER)
"""Engines that convert in children of their own, and PDFs only."""

DEFAULTS: Table = {
    SPEED_OPTIMIZED: {Kind.PDF.name: XBERG, Kind.HTML.name: XBERG},
    ACCURACY_OPTIMIZED: {Kind.PDF.name: LITEPARSE, Kind.HTML.name: MARKDOWNIFY},
}


class EngineUnavailable(ValueError):
    """The setting `engines` names what cannot be chosen, or lacks something on this machine."""

    fix = "Correct the setting engines, or add what it needs; docs/conversion.md says what each engine takes."


def engine_table(settings: "Settings") -> Table:
    """The table in force. EngineUnavailable for a kind, a method or an engine that cannot be chosen, or lacks what it
    needs."""
    table = {method: dict(row) for method, row in DEFAULTS.items()}
    for method, row in settings.engines.items():
        if method not in table:
            raise EngineUnavailable(f"engines: there is no method {method}; there are {', '.join(table)}")
        for kind, engine in row.items():
            _check(kind, engine)
            table[method][kind] = engine
    _check_needs(chosen_engines(table), settings)
    return table


def chosen_engines(table: Table) -> frozenset[str]:
    """Every engine that converts something by some method."""
    return frozenset(engine for row in table.values() for engine in row.values())


def without_apart(row: Mapping[str, str], method: str) -> Mapping[str, str]:
    """A method's engines for children in which none of APART is loaded: the default ones in their place."""
    return {kind: DEFAULTS[method][kind] if engine in APART else engine for kind, engine in row.items()}


def _check_needs(chosen: frozenset[str], settings: "Settings") -> None:
    if DOCLING in chosen and settings.docling_models is None:
        raise EngineUnavailable("engines: docling needs docling_models, the folder of its models")
    if OPENDATALOADER in chosen:
        runtime = java.find_runtime(settings.java_home)
        if runtime is None:
            where = "there is none on the PATH" if settings.java_home is None else f"{settings.java_home} holds none"
            raise EngineUnavailable(f"engines: opendataloader needs a Java runtime (java_home), and {where}")
        if runtime.release < java.OLDEST:
            wanted = f"Java {java.OLDEST} or newer"
            raise EngineUnavailable(f"engines: opendataloader needs {wanted}, {runtime.home} is {runtime.release}")


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
        raise EngineUnavailable(f"engines: nothing can be chosen for {kind}, only for {', '.join(choices)}")
    if engine not in choices[kind]:
        raise EngineUnavailable(f"engines: {engine} does not convert {kind}; choose of {', '.join(choices[kind])}")
    if engine not in engines():
        raise EngineUnavailable(f"engines: {engine} is not installed")
