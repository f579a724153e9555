"""Calls the engine that was chosen for a document."""

from collections.abc import Callable, Mapping

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import (
    docling_engine,
    liteparse_engine,
    markdownify_engine,
    opendataloader_engine,
    xberg_engine,
)
from ingest_grpc.pipeline.parse.engines import DOCLING, LITEPARSE, MARKDOWNIFY, OPENDATALOADER, XBERG
from ingest_grpc.pipeline.parse.extraction import Extraction
from ingest_grpc.pipeline.parse.source import Source

Extract = Callable[[Source, Reason], Extraction]
"""Converts a document; raises ParseFailure, with the given reason when the engine cannot read it."""

_EXTRACT: Mapping[str, Extract] = {
    XBERG: xberg_engine.extract,
    LITEPARSE: liteparse_engine.extract,
    MARKDOWNIFY: markdownify_engine.extract,
    DOCLING: docling_engine.extract,
    OPENDATALOADER: opendataloader_engine.extract,
}


def chosen(source: Source) -> str:
    """The name of the engine for this document."""
    return source.options.engines.get(source.kind.name, XBERG)


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert with the chosen engine. ParseFailure as the engines say, `unreadable` if it cannot read the file."""
    return _EXTRACT[chosen(source)](source, unreadable)
