"""Entry of an OCR child, started by the sandbox with the name of the engine and the languages, joined by "+".

Tesseract and its data are loaded before this process is confined; afterwards it can open no file. rapidocr's
runtime starts a thread when it is loaded, which has to be born confined: it is loaded between the two, and the folders
of Python's packages stay readable.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest_grpc.pipeline.parse.descriptors import read_whole, write_whole
from ingest_grpc.pipeline.parse.engines import RAPIDOCR, TESSERACT
from ingest_grpc.pipeline.parse.ocr.interface import Picture, Recognizer
from ingest_grpc.pipeline.parse.ocr.rapid import RapidRecognizer
from ingest_grpc.pipeline.parse.ocr.rendering import open_picture, render_page
from ingest_grpc.pipeline.parse.ocr.tesseract import TesseractRecognizer
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.sandbox.child import Reply, Report, serve


class PageReader:
    """Reads one page per task: descriptors[0] is the document, descriptors[1] takes the text.

    The task holds "page" (from 1), "is_pdf" and "max_pixels". The result is {"outcome": "read"} or
    {"outcome": "failed", "reason", "detail"}.
    """

    def __init__(self, load: Callable[[], Recognizer]) -> None:
        self._load = load
        self._recognizer: Recognizer | None = None

    def load(self) -> None:
        """Load the engine. OSError or ImportError if that fails."""
        self._recognizer = self._recognizer or self._load()

    def read(self, task: Mapping[str, Any], descriptors: Sequence[int], _report: Report) -> Reply:
        """One page. A page that cannot be rendered is a failure of that page only."""
        source, output = descriptors
        if self._recognizer is None:
            raise RuntimeError("the engine was not loaded")
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
    reader = PageReader(RapidRecognizer if engine == RAPIDOCR else lambda: TesseractRecognizer(languages.split("+")))
    if engine == TESSERACT:
        reader.load()
    serve(reader.read, reader.load)


if __name__ == "__main__":
    main()
