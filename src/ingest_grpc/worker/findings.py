"""What was found of this machine, and what of the settings it cannot do though a server can go on without."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.engines import RAPIDOCR, TESSERACT, engines
from ingest_grpc.pipeline.parse.ocr.available import ocr_engine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` is None where it is only told. `fix` says what to do when it is not ok."""

    subject: str
    ok: bool | None
    detail: str
    fix: str = ""


def of_settings(settings: Settings) -> Iterator[Finding]:
    """Whether scans can be read, and whether files can be imported from the folders that the settings name."""
    languages = ", ".join(settings.ocr_languages)
    if engine := ocr_engine(settings.ocr_engine, settings.ocr_languages):
        yield Finding("OCR", True, f"{engine}, reads {languages}")
    elif settings.ocr_engine == "none" or (settings.ocr_engine == "auto" and not _has_ocr()):
        yield Finding("OCR", None, "no engine: scans cannot be read")
    else:
        fix = "Install Tesseract with these languages, or change ocr_engine or ocr_languages: no scan can be read."
        yield Finding("OCR", False, f"{settings.ocr_engine} cannot read {languages}", fix)
    for root in settings.import_roots:
        ok = root.is_dir() and os.access(root, os.R_OK | os.X_OK)
        fix = "Make the folder and let this user read it, or correct import_roots."
        yield Finding("import root", ok, str(root) if ok else f"{root} cannot be read", fix)


def _has_ocr() -> bool:
    return not engines().keys().isdisjoint({TESSERACT, RAPIDOCR})


def warn_of_settings(settings: Settings) -> None:
    """Logs what is not as the settings want it."""
    for finding in of_settings(settings):
        if finding.ok is False:
            log.warning("%s: %s; %s", finding.subject, finding.detail, finding.fix)
