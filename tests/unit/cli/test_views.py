"""How records and ingestion jobs are shown."""

import io

import pytest
from rich.console import Console

from ingest_grpc.cli.output import Output
from ingest_grpc.cli.views import record_name, show_ingestion
from ingest_grpc.client.messages import FileRecord, IngestionJob, RecordError


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (FileRecord(filename="a.pdf"), "a.pdf"),
        (FileRecord(filename="all.zip", member_count=1), "all.zip (1 file)"),
        (FileRecord(filename="all.zip", member_count=2000), "all.zip (2,000 files)"),
        (FileRecord(filename="a.pdf", parent_record_id="ijf-1"), "› a.pdf"),
    ],
)
def test_record_name__tells_of_archives(record: FileRecord, name: str) -> None:
    assert record_name(record) == name


def test_ingestion__shows_why_it_failed() -> None:
    out = io.StringIO()
    error = RecordError(message="The file appears to be empty.", suggested_fix="Upload a file with content.")

    show_ingestion(Output(out=Console(file=out, width=120)), IngestionJob(error=error))

    assert "The file appears to be empty. Upload a file with content." in out.getvalue()
