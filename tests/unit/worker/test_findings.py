"""What of the settings this machine cannot do."""

from pathlib import Path

import pytest

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.engines import TESSERACT
from ingest_grpc.worker import findings
from ingest_grpc.worker.findings import of_settings, warn_of_settings


def test_warn__of_languages_that_nothing_reads_and_roots_that_are_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    roots = (tmp_path, tmp_path / "nowhere")
    warn_of_settings(Settings(ocr_engine="tesseract", ocr_languages=("xyz",), import_roots=roots))
    assert [each.message.partition(";")[0] for each in caplog.records] == [
        "OCR: tesseract cannot read xyz",
        f"import root: {tmp_path}/nowhere cannot be read",
    ]


@pytest.mark.parametrize(("installed", "ok"), [((), None), ((TESSERACT,), False)])
def test_ocr__that_nobody_asked_for_is_only_told(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], ok: bool | None
) -> None:
    monkeypatch.setattr(findings, "engines", lambda: dict.fromkeys(installed, "1"))
    monkeypatch.setattr(findings, "ocr_engine", lambda _wanted, _languages: "")
    [found] = of_settings(Settings())
    assert found.ok is ok
