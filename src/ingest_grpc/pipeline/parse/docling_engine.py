"""docling, an optional engine for PDF: neural models for layout and tables, which its users have in a folder.

It is loaded in children of its own only (setting `docling_models`); nothing of it is imported before.
"""

import io
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import DOCLING
from ingest_grpc.pipeline.parse.extraction import Extraction, PageText
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_loaded: dict[str, Any] = {}


def load(models: str) -> None:
    """Load docling with the models in this folder, never from a hub. Raises what docling raises if they are amiss."""
    from docling.datamodel.base_models import DocumentStream, InputFormat  # noqa: PLC0415 - optional, and heavy
    from docling.datamodel.pipeline_options import PdfPipelineOptions  # noqa: PLC0415
    from docling.document_converter import DocumentConverter, PdfFormatOption  # noqa: PLC0415

    # OCR is ours, page by page; remote services and plugins stay off, as docling's defaults have it.
    options = PdfPipelineOptions(artifacts_path=models, do_ocr=False, do_table_structure=True)
    converter = DocumentConverter(
        allowed_formats=[InputFormat.PDF],
        format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=options)},
    )
    converter.initialize_pipeline(InputFormat.PDF)
    _loaded.update(converter=converter, stream=DocumentStream)


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert a PDF, page by page. ParseFailure `unreadable` if docling cannot read it."""
    stream = _loaded["stream"](name="document.pdf", stream=io.BytesIO(source.data))
    result = _loaded["converter"].convert(stream, raises_on_error=False)
    if result.status.name not in ("SUCCESS", "PARTIAL_SUCCESS"):
        raise ParseFailure(unreadable, "; ".join(str(error) for error in result.errors)[:1_000], engine=DOCLING)
    pages = tuple(
        PageText(number, result.document.export_to_markdown(page_no=number, image_placeholder=""))
        for number in sorted(result.document.pages)
    )
    return Extraction(pages=pages, losses=tuple(str(error) for error in result.errors))
