"""What a converter child runs; started by `sandbox.entry` only.

Everything that a conversion may ever need is imported here, because once confined this process can open no
file, not even a module's. For the same reason every codec is loaded: a document may name any of them.
"""

import encodings
import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.formats import Kind, is_pdf
from ingest_grpc.pipeline.parse import archive, docling_engine, liteparse_engine, opendataloader_engine, stored_images
from ingest_grpc.pipeline.parse.descriptors import read_whole, write_whole
from ingest_grpc.pipeline.parse.engines import DOCLING, OPENDATALOADER, STDLIB, engines, version_of
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.members import MAX_FRAME_BYTES, MemberWriter
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure, Unread
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.source import Options
from ingest_grpc.pipeline.parse.types import CONTENT_TYPES
from ingest_grpc.sandbox.child import Reply, Report, serve
from ingest_grpc.sandbox.spec import Launch

_FOREIGN_CODECS = frozenset({"mbcs", "oem"})
"""Codecs of another operating system, which cannot be imported here."""

_LIMIT_REASONS = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.DECOMPRESSION_BOMB})
_MAX_REMARKS = 50
_MAX_TEXTS_BYTES = 2**31
_MAX_REMARK_CHARACTERS = 500


def convert(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """One document: reads descriptors[0], writes Markdown to descriptors[1].

    The task holds filename, content_type, method, engines, ocr_engine, store_images and the limits. The result is
    {"outcome": "converted", ...}, {"outcome": "archive", ...} for what is to be unpacked, {"outcome": "failed",
    "reason", "detail", ...}, or {"outcome": "unread", "pages", "is_pdf"} if OCR has to read pages first; then the same
    task comes again with the pages' texts, a JSON object by page, in the last descriptor. If pictures are stored, they
    go to descriptors[2] before, see members. The executor reads all of them with suspicion.
    """
    source, output, *others = descriptors
    pictures = others.pop(0) if task["store_images"] else None
    limits = Limits.from_task(task["limits"])
    options = Options(limits, task["method"], task["engines"], task["ocr_engine"], pictures is not None)

    def report_units(done: int, total: int, unit: str) -> None:
        report({"step": "PARSE", "units_done": done, "units_total": total, "unit": unit})

    odd = archive.warnings_if_archive(source, task["filename"], task["content_type"])
    if odd is not None:
        return Reply({"outcome": "archive", "warnings": _remarks(odd)})
    content = b""
    try:
        content = _read(source, options.limits.max_document_bytes)
        read_pages = _read_pages(others[0]) if others else None
        kind, parsed = parse(content, task["filename"], task["content_type"], options, report_units, read_pages)
        markdown = parsed.markdown.encode("utf-8", "replace")
        if len(markdown) > options.limits.max_output_bytes:
            detail = f"{len(markdown)} bytes of Markdown, at most {options.limits.max_output_bytes} are allowed"
            raise ParseFailure(Reason.OUTPUT_TOO_LARGE, detail, engine=parsed.engine)
        write_whole(output, markdown)
        if pictures is not None:
            _send_images(parsed.images, MemberWriter(pictures))
    except ParseFailure as failure:
        return _failed(failure)
    except Unread as unread:
        return Reply({"outcome": "unread", "pages": list(unread.pages), "is_pdf": is_pdf(content)})
    return _converted(kind, parsed)


def _converted(kind: Kind, parsed: Parsed) -> Reply:
    return Reply(
        {
            "outcome": "converted",
            **_engine(parsed.engine),
            "content_type": CONTENT_TYPES[kind],
            "pages": parsed.pages,
            "title": _one_line(parsed.title),
            "author": _one_line(parsed.author),
            "language": _one_line(parsed.language),
            "warnings": _remarks(parsed.warnings),
            "losses": _remarks(parsed.losses),
        }
    )


def _send_images(images: Sequence[bytes], writer: MemberWriter) -> None:
    for number, image in enumerate(images, 1):
        kind = stored_images.type_of(image[: stored_images.HEAD_BYTES])
        assert kind is not None, "others are not stored"
        writer.begin(kind.name(number))
        for start in range(0, len(image), MAX_FRAME_BYTES):
            writer.content(image[start : start + MAX_FRAME_BYTES])
        writer.end()


def _one_line(text: str | None) -> str | None:
    return text and (" ".join(text.split())[:_MAX_REMARK_CHARACTERS] or None)


def _read_pages(descriptor: int) -> dict[int, str]:
    """The texts by page that OCR found, as the executor wrote them."""
    return {int(page): text for page, text in json.loads(_read(descriptor, _MAX_TEXTS_BYTES)).items()}


def unpack(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """One archive: reads descriptors[0], sends the members to descriptors[1], see members.

    The task holds the limits. The result is {"outcome": "unpacked", ...} or that of a failed conversion.
    """
    source, sink = descriptors

    def report_units(done: int, total: int, unit: str) -> None:
        report({"step": "PARSE", "units_done": done, "units_total": total, "unit": unit})

    try:
        unpacked = archive.unpack(source, MemberWriter(sink), Limits.from_task(task["limits"]), report_units)
    except ParseFailure as failure:
        return _failed(failure)
    return Reply(
        {
            "outcome": "unpacked",
            **_engine(STDLIB),
            "warnings": [],
            "losses": _remarks(unpacked.losses),
        }
    )


def perform(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """One task of either kind."""
    return (unpack if task.get("unpack") else convert)(task, descriptors, report)


def _failed(failure: ParseFailure) -> Reply:
    result = {"outcome": "failed", "reason": failure.reason, "detail": failure.detail, **_engine(failure.engine)}
    return Reply(result, retire=failure.retire or failure.reason in _LIMIT_REASONS)


def _engine(name: str | None) -> dict[str, str | None]:
    return {"engine_name": name, "engine_version": version_of(name) if name else None}


def _remarks(remarks: Sequence[str]) -> list[str]:
    return [remark[:_MAX_REMARK_CHARACTERS] for remark in remarks[:_MAX_REMARKS]]


def _read(descriptor: int, max_bytes: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > max_bytes:
        raise ParseFailure(Reason.DOCUMENT_TOO_LARGE, f"{size} bytes, at most {max_bytes} are converted")
    return read_whole(descriptor)


def load() -> None:
    """Load what is loaded lazily elsewhere: afterwards it is too late."""
    engines()
    liteparse_engine.load()
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _FOREIGN_CODECS:
            importlib.import_module(f"encodings.{module.name}")


def main() -> None:
    """The life of a converter child: an ordinary one, or one for an engine that is named with what it needs."""
    load()
    _target, *words, launch = sys.argv[1:]
    match words:
        case [engine, models] if engine == DOCLING:
            serve(perform, lambda: docling_engine.load(models))
        case [engine, library, heap_bytes] if engine == OPENDATALOADER:
            folder = Launch.from_json(launch).scratch_folder or ""
            opendataloader_engine.prepare()
            load_it = partial(opendataloader_engine.load, library, int(heap_bytes), folder)
            serve(perform, load_it, opendataloader_engine.prove)
        case _:
            serve(perform)


if __name__ == "__main__":
    main()
