"""Names and versions of what converts documents. Light: reads the installed packages' metadata, imports none."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ingest_grpc.pipeline.parse.ocr.tesseract_library import tesseract_version

XBERG = "xberg"
LITEPARSE = "liteparse"
MARKDOWNIFY = "markdownify"
STDLIB = "python"
CHARSET_NORMALIZER = "charset-normalizer"
PDFIUM = "pypdfium2"
TESSERACT = "tesseract"
RAPIDOCR = "rapidocr"
DOCLING = "docling"
OPENDATALOADER = "opendataloader"

LAYOUT_REVISION = 1
"""Of our own pass over liteparse's blocks: part of that engine's version, so that outputs of an older pass are not
reused. Raise it with every change of what `layout` makes."""


@cache
def engines() -> dict[str, str]:
    """Name to version of every engine of this installation."""
    always = {
        XBERG: version(XBERG),
        LITEPARSE: f"{version(LITEPARSE)}+layout.{LAYOUT_REVISION}",
        MARKDOWNIFY: version(MARKDOWNIFY),
        PDFIUM: version(PDFIUM),
        CHARSET_NORMALIZER: version(CHARSET_NORMALIZER),
        STDLIB: platform.python_version(),
    }
    optional = {
        TESSERACT: tesseract_version(),
        RAPIDOCR: _installed(RAPIDOCR),
        DOCLING: _installed(DOCLING),
        OPENDATALOADER: _installed("jpype1") and _installed("opendataloader-pdf"),
    }
    return always | {name: number for name, number in optional.items() if number is not None}


def version_of(name: str) -> str | None:
    """The version of an engine, or of several that worked together ("liteparse/tesseract"); None if one is absent."""
    versions = [engines().get(part) for part in name.split("/")]
    return None if None in versions else "/".join(filter(None, versions))


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
