"""How records and ingestion jobs are shown."""

import io

import pytest
from rich.console import Console

from ingest_grpc.cli.output import Output
from ingest_grpc.cli.views import record_name, show_file, show_ingestion, show_job
from ingest_grpc.client.messages import (
    AlignmentJob,
    File,
    FileRecord,
    IngestionJob,
    Job,
    RecordError,
    ReviewReason,
    ReviewReasonType,
)


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


def shown(job: Job) -> str:
    out = io.StringIO()
    show_job(Output(out=Console(file=out, width=200)), job)
    return out.getvalue()


def test_job__shows_its_dataset() -> None:
    job = Job(
        job_id="dj-1", alignment_job_id="al-1", alignment_job=AlignmentJob(examples=7, output_file_ids=["file-1"])
    )
    assert "dataset  file-1 (7 lines)" in shown(job)
    assert "dataset" not in shown(Job(job_id="dj-1", alignment_job=AlignmentJob(examples=7)))


def test_job__tells_the_command_that_provides_what_is_missing() -> None:
    missing = ReviewReason(
        type=ReviewReasonType.REVIEW_REASON_TYPE_SYSTEM_PROMPT_MISSING,
        message="The job has no system prompt.",
        suggested_fix="Update the job with a system_prompt.",
    )
    text = shown(Job(job_id="dj-1", review_reasons=[missing]))
    assert "fix:    ingest-grpc jobs update dj-1 --system-prompt FILE" in text
    assert "system_prompt" not in text


def test_file__metadata_that_are_whole_numbers_look_like_them() -> None:
    out = io.StringIO()
    file = File()
    file.metadata.update({"year": 1843, "score": 0.5, "draft": True, "author": "42"})
    show_file(Output(out=Console(file=out, width=200)), file)
    assert 'author="42", draft=true, score=0.5, year=1843\n' in out.getvalue()


def test_ingestion__shows_why_it_failed() -> None:
    out = io.StringIO()
    error = RecordError(message="The file appears to be empty.", suggested_fix="Upload a file with content.")

    show_ingestion(Output(out=Console(file=out, width=120)), IngestionJob(error=error))

    assert "The file appears to be empty. Upload a file with content." in out.getvalue()
