"""Pictures: nothing but pixels, so only OCR could read them."""

from typing import NoReturn

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source


def parse(source: Source) -> NoReturn:
    """ParseFailure NO_TEXT."""
    raise ParseFailure(Reason.NO_TEXT, f"a picture ({source.kind})")
