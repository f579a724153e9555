"""Jupyter notebooks: the cells in their order, prose as it stands, code and what it printed in code blocks.

The format is nbformat 4, and 3 with its worksheets (https://nbformat.readthedocs.io).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.text import fenced, read

_HEADING_LEVELS = range(1, 7)


def parse(source: Source) -> Parsed:
    """ParseFailure FILE_UNREADABLE for what is no notebook, EMPTY_FILE without text, TEXT_UNDECODABLE."""
    decoded = read(source)
    try:
        notebook = json.loads(decoded.text)
        language = _language(notebook)
        blocks = [block for cell in _cells(notebook) for block in _blocks(cell, language)]
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not a notebook: {error}", engine=STDLIB) from None
    markdown = "\n\n".join(blocks)
    if not has_text(markdown):
        raise ParseFailure(Reason.EMPTY_FILE, "no cell holds text", engine=STDLIB)
    return Parsed(markdown + "\n", STDLIB, warnings=decoded.warnings)


def _language(notebook: Mapping[str, Any]) -> str:
    metadata = notebook.get("metadata") or {}
    named = (metadata.get("language_info") or {}).get("name") or (metadata.get("kernelspec") or {}).get("language")
    return named if isinstance(named, str) and named.isalnum() else ""


def _cells(notebook: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from notebook.get("cells") or ()
    for sheet in notebook.get("worksheets") or ():
        yield from sheet.get("cells") or ()


def _blocks(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    text = _text(cell.get("source", cell.get("input", ""))).strip("\n")
    match cell.get("cell_type"):
        case "markdown":
            if text.strip():
                yield text
        case "heading" if text.strip():
            level = cell.get("level", 1)
            yield f"{'#' * level if level in _HEADING_LEVELS else '#'} {' '.join(text.split())}"
        case "code":
            if text.strip():
                yield fenced(text, language).rstrip("\n")
            yield from filter(None, map(_output, cell.get("outputs") or ()))
        case _ if text.strip():
            yield fenced(text, "").rstrip("\n")


def _output(output: Mapping[str, Any]) -> str:
    """What a cell printed; "" for pictures and programs, which are no text."""
    data = output.get("data") or output
    if markdown := _text(data.get("text/markdown", "")).strip():
        return markdown
    text = _text(data.get("text/plain", output.get("text", "")))
    if output.get("output_type") in ("error", "pyerr"):
        text = f"{output.get('ename', '')}: {output.get('evalue', '')}"
    return fenced(text, "").rstrip("\n") if text.strip() else ""


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
