"""How records look in a table."""

import pytest

from ingest_grpc.cli.views import record_name
from ingest_grpc.client.messages import FileRecord


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
