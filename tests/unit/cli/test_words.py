"""How figures, enums and names read."""

import pytest

from ingest_grpc.cli.words import human_bytes, human_seconds, plural, printable, printable_text, shortened, word
from ingest_grpc.client.messages import FileRecord, IngestionJob, IngestionJobStatus, RecordStatus


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_951, "1.0 MB"), (4 * 10**12, "4.0 TB")],
)
def test_human_bytes__reads(count: int, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.0213, "21 ms"),
        (0.0996, "0.1 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (185, "3 min 05 s"),
        (7_620, "2 h 07 min"),
    ],
)
def test_human_seconds__reads(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text


def test_plural__reads() -> None:
    assert [plural(count, "file") for count in (0, 1, 2_000)] == ["0 files", "1 file", "2,000 files"]


def test_word__drops_the_prefix_of_any_enum() -> None:
    assert word(FileRecord(status=RecordStatus.RECORD_STATUS_COMPLETED), "status") == "COMPLETED"
    partly = IngestionJobStatus.INGESTION_JOB_STATUS_PARTIALLY_COMPLETED
    assert word(IngestionJob(status=partly), "status") == "PARTIALLY_COMPLETED"


def test_word__unspecified_and_unknown_values() -> None:
    assert word(FileRecord(), "status") == ""
    # A newer server may send a value that this client does not know.
    newer = FileRecord.FromString(
        FileRecord(status=RecordStatus.RECORD_STATUS_QUEUED).SerializeToString()[:-1] + b"\x63"
    )
    assert word(newer, "status") == "99"


def test_printable__no_control_character_survives() -> None:
    assert printable("a\x1b[31m\r\n\u202eb\x9b") == "a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd"
    assert printable("Grüße 報告 👩‍💻") == "Grüße 報告 👩‍💻"


def test_printable_text__keeps_lines_and_indentation() -> None:
    assert printable_text("a\r\n\tb\x1b\n") == "a\n    b\ufffd\n"


def test_shortened__keeps_the_end() -> None:
    assert shortened("folder/report.pdf", 11) == "…report.pdf"
    assert shortened("report.pdf", 11) == "report.pdf"
    assert shortened("報告書", 4) == "…書"
