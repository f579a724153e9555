"""Tesseract in this process, over its C interface: no program is started, so the confined child needs no right to."""

import ctypes
from collections.abc import Sequence

from ingest_grpc.pipeline.parse.ocr.interface import Picture
from ingest_grpc.pipeline.parse.ocr.paragraphs import join_lines
from ingest_grpc.pipeline.parse.ocr.tesseract_library import data_folder, library

_HANDLE = ctypes.c_void_p
_SIGNATURES = {
    "TessBaseAPICreate": (_HANDLE, ()),
    "TessBaseAPIInit3": (ctypes.c_int, (_HANDLE, ctypes.c_char_p, ctypes.c_char_p)),
    "TessBaseAPISetImage": (
        None,
        (_HANDLE, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int),
    ),
    "TessBaseAPISetSourceResolution": (None, (_HANDLE, ctypes.c_int)),
    "TessBaseAPIGetUTF8Text": (ctypes.c_void_p, (_HANDLE,)),
    "TessBaseAPIClear": (None, (_HANDLE,)),
    "TessDeleteText": (None, (ctypes.c_void_p,)),
}
"""From tesseract/capi.h, the same in versions 4 and 5."""


class TesseractRecognizer:
    """Reads pages in the given languages; all data is loaded when it is made. OSError if that fails."""

    def __init__(self, languages: Sequence[str]) -> None:
        found, folder = library(), data_folder(languages)
        if found is None or folder is None:
            raise OSError(f"Tesseract, or its data for {', '.join(languages)}, is missing")
        self._library = found
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
        self._handle = found.TessBaseAPICreate()
        if found.TessBaseAPIInit3(self._handle, str(folder).encode(), "+".join(languages).encode()) != 0:
            raise OSError(f"Tesseract cannot load its data for {', '.join(languages)}")

    def read(self, picture: Picture) -> str:
        """See Recognizer.read."""
        self._library.TessBaseAPISetImage(self._handle, picture.pixels, picture.width, picture.height, 1, picture.width)
        self._library.TessBaseAPISetSourceResolution(self._handle, picture.dots_per_inch)
        address = self._library.TessBaseAPIGetUTF8Text(self._handle)
        try:
            text = ctypes.string_at(address).decode("utf-8", "replace") if address else ""
        finally:
            self._library.TessDeleteText(address)
            self._library.TessBaseAPIClear(self._handle)
        return join_lines(text.splitlines())
