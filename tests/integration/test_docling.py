"""docling in its confined children: only where it is installed, and INGEST_DOCLING_MODELS names the folder of its
models."""

import importlib.util
import os
from pathlib import Path

import pytest

from ingest_grpc.worker.executors.interface import Converted
from tests import documents
from tests.integration.converting import started

MODELS = os.environ.get("INGEST_DOCLING_MODELS", "")


@pytest.mark.skipif(not MODELS or importlib.util.find_spec("docling") is None, reason="no docling, or no models of it")
async def test_docling__converts_a_pdf_page_by_page(tmp_path: Path) -> None:
    engines = {"ACCURACY_OPTIMIZED": {"PDF": "docling"}}
    async with started(tmp_path, engines=engines, docling_models=MODELS, conversion_memory_bytes=2**33) as converting:
        outcome = await converting.convert(documents.pdf(), "a.pdf", method="ACCURACY_OPTIMIZED")
        assert isinstance(outcome, Converted), outcome
        assert (outcome.engine_name, outcome.pages) == ("docling", 2)
        assert "quick brown fox" in converting.output.read_text("utf-8")
