"""Finds Tesseract where the system has it: its library and the data of languages. No imports of weight."""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

LIBRARIES = ("libtesseract.so.5", "libtesseract.so.4")
_DATA_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
)


@cache
def library() -> ctypes.CDLL | None:
    """Tesseract's library, its functions not yet described; None where there is none."""
    # Read when the library of threads is loaded: one thread per page is four times cheaper than many.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


@cache
def tesseract_version() -> str | None:
    """For example "5.3.0"; None where there is no Tesseract."""
    found = library()
    if found is None:
        return None
    found.TessVersion.restype = ctypes.c_char_p
    return str(found.TessVersion().decode("ascii", "replace")).split("-", 1)[0]


def data_folder(languages: Sequence[str]) -> Path | None:
    """The folder that holds the data of all these languages; None if no folder does."""
    named = os.environ.get("TESSDATA_PREFIX")
    for folder in map(Path, ([named] if named else []) + list(_DATA_FOLDERS)):
        if all((folder / f"{language}.traineddata").is_file() for language in languages):
            return folder
    return None
