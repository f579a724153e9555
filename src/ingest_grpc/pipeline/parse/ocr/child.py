"""Entry of an OCR child, started by the sandbox with the name of the engine and the languages, joined by "+".

The engine and its data are loaded before this process is confined; afterwards it can open no file.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.pipeline.parse.descriptors import read_whole, write_whole
from ingest_grpc.pipeline.parse.engines import TESSERACT
from ingest_grpc.pipeline.parse.ocr.interface import Picture, Recognizer
from ingest_grpc.pipeline.parse.ocr.rapid import RapidRecognizer
from ingest_grpc.pipeline.parse.ocr.rendering import open_picture, render_page
from ingest_grpc.pipeline.parse.ocr.tesseract import TesseractRecognizer
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.sandbox.child import Reply, Report, serve


def load(engine: str, languages: Sequence[str]) -> Recognizer:
    """The engine, ready to read. OSError or ImportError if it cannot be loaded."""
    return TesseractRecognizer(languages) if engine == TESSERACT else RapidRecognizer()


class PageReader:
    """Reads one page per task: descriptors[0] is the document, descriptors[1] takes the text.

    The task holds "page" (from 1), "is_pdf" and "max_pixels". The result is {"outcome": "read"} or
    {"outcome": "failed", "reason", "detail"}.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    def read(self, task: Mapping[str, Any], descriptors: Sequence[int], _report: Report) -> Reply:
        """One page. A page that cannot be rendered is a failure of that page only."""
        source, output = descriptors
        try:
            text = self._recognizer.read(_picture(read_whole(source), task))
        except ParseFailure as failure:
            return Reply({"outcome": "failed", "reason": failure.reason, "detail": failure.detail})
        write_whole(output, text.encode("utf-8", "replace"))
        return Reply({"outcome": "read"})


def _picture(data: bytes, task: Mapping[str, Any]) -> Picture:
    if task["is_pdf"]:
        return render_page(data, task["page"])
    return open_picture(data, task["page"], task["max_pixels"])


def main() -> None:
    """The life of an OCR child."""
    engine, languages, _launch = sys.argv[-3:]
    serve(PageReader(load(engine, languages.split("+"))).read)


if __name__ == "__main__":
    main()
