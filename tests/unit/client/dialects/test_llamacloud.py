"""LlamaCloud's status of each file and of a pipeline."""

import json
import uuid

import pytest

from ingest_grpc.client import render, render_ingestion
from ingest_grpc.client.messages import IngestionJobStatus, RecordError, Step
from tests.sample_jobs import QUEUED, RUN_ID, UUID, busy_job, record, run


def file_id(number: int) -> str:
    return "file-" + UUID.format(number)


def test_files__one_status_per_source_file() -> None:
    shown = render(busy_job(), "llamacloud")
    assert {name: each["status"] for name, each in shown.items()} == {
        file_id(99): "SUCCESS",
        file_id(11): "PARTIAL_SUCCESS",
        file_id(12): "ERROR",
        file_id(13): "CANCELLED",
        file_id(14): "IN_PROGRESS",
        file_id(15): "NOT_STARTED",
    }
    assert json.loads(json.dumps(shown)) == shown


def test_file__failed() -> None:
    shown = render(busy_job(), "llamacloud")[file_id(12)]
    run_uuid = RUN_ID.removeprefix("ij-")
    assert shown == {
        "status": "ERROR",
        "deployment_date": "2025-11-14T07:35:22.700005Z",
        "effective_at": "2025-11-14T07:35:33.700005Z",
        "error": [
            {
                "job_id": run_uuid,
                "message": "The file appears to be empty. Upload a file with content.",
                "step": "PARSE",
            }
        ],
        "job_id": run_uuid,
    }
    # Documented as a UUID: typed clients refuse anything else.
    assert str(uuid.UUID(shown["job_id"])) == run_uuid


def test_file__losses_are_errors_of_a_partial_success() -> None:
    (loss,) = render(busy_job(), "llamacloud")[file_id(11)]["error"]
    assert (loss["message"], loss["step"]) == ("Page 3 has no text.", "PARSE")


def test_file__a_loss_has_the_step_in_which_it_happened() -> None:
    job = busy_job()
    lossy = job.ingestion_jobs[0].records[0]
    lossy.losses.extend(["Chunk 2 of 3 has no vector.", "Of a later server.", "Of an earlier one."])
    lossy.loss_steps.extend([Step.STEP_EMBED, 99])  # type: ignore[list-item]

    errors = render(job, "llamacloud")[file_id(11)]["error"]

    assert [each["step"] for each in errors] == ["PARSE", "TRANSFORM", "MANAGED_INGESTION", "MANAGED_INGESTION"]


def test_file__completed_without_losses() -> None:
    job = busy_job()
    del job.ingestion_jobs[0].records[0].losses[:], job.ingestion_jobs[0].records[0].loss_steps[:]
    shown = render(job, "llamacloud")[file_id(11)]
    assert (shown["status"], shown["error"]) == ("SUCCESS", None)


@pytest.mark.parametrize(
    ("number", "moment"), [(11, "31"), (13, "32"), (14, "23"), (15, "22")], ids=["done", "cancelled", "busy", "queued"]
)
def test_file__a_status_is_effective_from_the_time_it_was_entered(number: int, moment: str) -> None:
    shown = render(busy_job(), "llamacloud")[file_id(number)]
    assert shown["effective_at"] == f"2025-11-14T07:35:{moment}.700005Z"


def test_file__the_error_of_an_attempt_that_is_repeated() -> None:
    waiting = record(1, "a.pdf", QUEUED)
    waiting.error.CopyFrom(RecordError(message="It broke.", suggested_fix="Wait.", step=Step.STEP_FETCH))
    job = busy_job()
    job.ingestion_jobs[0].records.append(waiting)
    shown = render(job, "llamacloud")[file_id(1)]
    assert shown["status"] == "NOT_STARTED"
    assert [(each["message"], each["step"]) for each in shown["error"]] == [("It broke. Wait.", "DATA_SOURCE")]


def test_file__uploaded_markdown_needed_no_job() -> None:
    shown = render(busy_job(), "llamacloud")[file_id(99)]
    assert shown == {
        "status": "SUCCESS",
        "deployment_date": None,
        "effective_at": "2025-11-14T07:35:22.700005Z",
        "error": None,
        "job_id": None,
    }


def test_files__the_newest_record_of_a_file_counts_and_a_removed_one_does_not() -> None:
    job = busy_job()
    again = record(12, "empty.pdf", QUEUED, job.ingestion_jobs[1].ingestion_job_id)
    job.ingestion_jobs[1].records.append(again)
    assert render(job, "llamacloud")[file_id(12)]["status"] == "NOT_STARTED"
    job.ingestion_jobs[1].records[-1].deleted = True
    assert render(job, "llamacloud")[file_id(12)]["status"] == "ERROR"


def test_ingestion_job__is_the_status_of_all_its_files() -> None:
    shown = render_ingestion(busy_job().ingestion_jobs[0], "llamacloud")
    assert shown["status"] == "PARTIAL_SUCCESS"
    assert shown["effective_at"] == "2025-11-14T07:35:23.700005Z"
    assert len(shown["error"]) == 2


def test_ingestion_job__without_errors() -> None:
    each = run(RUN_ID, IngestionJobStatus.INGESTION_JOB_STATUS_QUEUED, [record(1, "a.pdf", QUEUED)])
    shown = render_ingestion(each, "llamacloud")
    assert (shown["status"], shown["error"]) == ("NOT_STARTED", None)
