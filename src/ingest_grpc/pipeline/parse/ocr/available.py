"""Which OCR engine this installation has for the languages in the settings. Light: the server imports it."""

from collections.abc import Sequence

from ingest_grpc.pipeline.parse.engines import RAPIDOCR, TESSERACT, engines
from ingest_grpc.pipeline.parse.ocr.tesseract_library import data_folder

RAPIDOCR_LANGUAGES = frozenset({"eng", "chi_sim", "chi_tra"})
"""What the models in rapidocr's wheel read, by Tesseract's names of languages."""


def ocr_engine(wanted: str, languages: Sequence[str]) -> str:
    """The engine to use, "" if there is none: the wanted one, or for "auto" Tesseract where the system has it with
    these languages, else rapidocr where it is installed."""
    ready = {
        TESSERACT: TESSERACT in engines() and data_folder(languages) is not None,
        RAPIDOCR: RAPIDOCR in engines() and RAPIDOCR_LANGUAGES.issuperset(languages),
    }
    return next((name for name, is_ready in ready.items() if is_ready and wanted in (name, "auto")), "")
