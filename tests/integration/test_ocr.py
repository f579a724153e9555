"""Scans and pictures through the real children: parse, OCR of the pages without text, parse again."""

from pathlib import Path

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.pipeline.parse.engines import RAPIDOCR, TESSERACT, engines, version_of
from ingest_grpc.pipeline.parse.ocr.available import ocr_engine
from ingest_grpc.worker.executors.interface import ConversionFailed, Converted, Progress
from tests import documents
from tests.integration.converting import started
from tests.reaching import A_RECORD, reaches

ACCURATE = "ACCURACY_OPTIMIZED"
TEXT = "The tower stands near the river.\nIts bell rings every morning."


def needs(engine: str) -> None:
    if not ocr_engine(engine, ("eng",)):
        pytest.skip(f"{engine} is not on this machine")


@pytest.mark.parametrize("engine", [TESSERACT, RAPIDOCR])
async def test_ocr__a_partly_scanned_pdf_is_read_whole(tmp_path: Path, engine: str) -> None:
    needs(engine)
    async with started(tmp_path, ocr_engine=engine, require_sandbox=True) as converting:
        outcome = await converting.convert(documents.scan(["", TEXT]), "a.pdf", method=ACCURATE)
        assert isinstance(outcome, Converted), outcome
        assert (outcome.engine_name, outcome.pages, outcome.losses) == (f"liteparse/{engine}", 2, ())
        assert outcome.engine_version == version_of(outcome.engine_name)
        text = converting.output.read_text("utf-8")
        first, _, second = text.partition("<!-- page 2 -->")
        assert "quick brown fox" in first
        assert "The tower stands near the river." in second
        assert Progress(Step.PARSE, 1, 1, "pages") in converting.progress


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
async def test_ocr__pictures_of_each_format(tmp_path: Path, kind: str) -> None:
    needs(TESSERACT)
    async with started(tmp_path) as converting:
        outcome = await converting.convert(
            documents.page_picture(TEXT, kind=kind), f"a.{kind.lower()}", method=ACCURATE
        )
        assert isinstance(outcome, Converted), outcome
        assert outcome.engine_name == TESSERACT
        assert "Its bell rings every morning." in converting.output.read_text("utf-8")


@reaches(Reason.OCR_FOUND_NO_TEXT, A_RECORD, "a scan on which OCR finds nothing")
@reaches(Reason.OCR_UNAVAILABLE, A_RECORD, "a scan, on a server without OCR")
@pytest.mark.parametrize(("engine", "reason"), [("auto", Reason.OCR_FOUND_NO_TEXT), ("none", Reason.OCR_UNAVAILABLE)])
async def test_ocr__a_picture_of_nothing(tmp_path: Path, engine: str, reason: Reason) -> None:
    async with started(tmp_path, ocr_engine=engine) as converting:
        for data, name in ((documents.picture(), "a.png"), (documents.pdf([None]), "a.pdf")):
            outcome = await converting.convert(data, name, method=ACCURATE)
            assert isinstance(outcome, ConversionFailed)
            assert outcome.reason is reason


async def test_ocr__without_an_engine_a_partly_scanned_pdf_completes_with_losses(tmp_path: Path) -> None:
    async with started(tmp_path, ocr_engine="none") as converting:
        outcome = await converting.convert(documents.scan(["", TEXT]), "a.pdf", method=ACCURATE)
        assert isinstance(outcome, Converted)
        assert (outcome.engine_name, len(outcome.losses)) == ("liteparse", 1)


async def test_ocr__too_large_a_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    async with started(tmp_path, max_image_pixels=1_000) as converting:
        outcome = await converting.convert(documents.picture(), "a.png", method=ACCURATE)
        assert isinstance(outcome, ConversionFailed)
        assert outcome.reason is Reason.IMAGE_TOO_LARGE


def test_engines__the_lock_files_bring_one_that_reads_scans() -> None:
    assert RAPIDOCR in engines()
