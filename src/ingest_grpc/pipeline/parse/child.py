"""What a converter child runs; started by `sandbox.entry` only.

Everything that a conversion may ever need is imported here, because once confined this process can open no
file, not even a module's. For the same reason every codec is loaded: a document may name any of them.
"""

import encodings
import importlib
import os
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import engines
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.source import Options
from ingest_grpc.pipeline.parse.types import CONTENT_TYPES
from ingest_grpc.sandbox.child import Reply, Report, serve

_FOREIGN_CODECS = frozenset({"mbcs", "oem"})
"""Codecs of another operating system, which cannot be imported here."""

_LIMIT_REASONS = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.DECOMPRESSION_BOMB})
_MAX_REMARKS = 50
_MAX_REMARK_CHARACTERS = 500


def convert(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """One document: reads descriptors[0], writes Markdown to descriptors[1].

    The task holds filename, content_type and the limits. The result is {"outcome": "converted", ...}
    or {"outcome": "failed", "reason", "detail", ...}; the executor reads both with suspicion.
    """
    source, output = descriptors
    options = Options(Limits.from_task(task["limits"]))

    def report_units(done: int, total: int, unit: str) -> None:
        report({"step": "PARSE", "units_done": done, "units_total": total, "unit": unit})

    try:
        content = _read(source, options.limits.max_document_bytes)
        kind, parsed = parse(content, task["filename"], task["content_type"], options, report_units)
        markdown = parsed.markdown.encode("utf-8", "replace")
        if len(markdown) > options.limits.max_output_bytes:
            detail = f"{len(markdown)} bytes of Markdown, at most {options.limits.max_output_bytes} are allowed"
            raise ParseFailure(Reason.OUTPUT_TOO_LARGE, detail, engine=parsed.engine)
        _write(output, markdown)
        if parsed.pages is not None:
            report_units(parsed.pages, parsed.pages, "pages")
    except ParseFailure as failure:
        return _failed(failure)
    return Reply(
        {
            "outcome": "converted",
            **_engine(parsed.engine),
            "content_type": CONTENT_TYPES[kind],
            "pages": parsed.pages,
            "title": parsed.title and " ".join(parsed.title.split())[:_MAX_REMARK_CHARACTERS],
            "warnings": _remarks(parsed.warnings),
            "losses": _remarks(parsed.losses),
        }
    )


def _failed(failure: ParseFailure) -> Reply:
    result = {"outcome": "failed", "reason": failure.reason, "detail": failure.detail, **_engine(failure.engine)}
    return Reply(result, retire=failure.retire or failure.reason in _LIMIT_REASONS)


def _engine(name: str | None) -> dict[str, str | None]:
    return {"engine_name": name, "engine_version": engines()[name] if name else None}


def _remarks(remarks: Sequence[str]) -> list[str]:
    return [remark[:_MAX_REMARK_CHARACTERS] for remark in remarks[:_MAX_REMARKS]]


def _read(descriptor: int, max_bytes: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > max_bytes:
        raise ParseFailure(Reason.DOCUMENT_TOO_LARGE, f"{size} bytes, at most {max_bytes} are converted")
    with open(descriptor, "rb", buffering=0, closefd=False) as source:
        return source.read() if size else b""


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def load() -> None:
    """Load what is loaded lazily elsewhere: afterwards it is too late."""
    engines()
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _FOREIGN_CODECS:
            importlib.import_module(f"encodings.{module.name}")


def main() -> None:
    """The life of a converter child."""
    load()
    serve(convert)


if __name__ == "__main__":
    main()
