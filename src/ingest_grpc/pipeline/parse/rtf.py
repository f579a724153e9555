"""RTF: convert with xberg, then ask for evidence."""

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import xberg_engine
from ingest_grpc.pipeline.parse.engines import XBERG
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source


def parse(source: Source) -> Parsed:
    """ParseFailure FILE_UNREADABLE; ONLY_PICTURES for pictures only, EMPTY_FILE without even those."""
    extraction = xberg_engine.extract(source, unreadable=Reason.FILE_UNREADABLE)
    if not has_text(extraction.markdown):
        reason = Reason.ONLY_PICTURES if b"\\pict" in source.data else Reason.EMPTY_FILE
        raise ParseFailure(reason, "no text in the document", engine=XBERG)
    return Parsed(extraction.markdown, XBERG, title=extraction.title, warnings=list(extraction.warnings))
