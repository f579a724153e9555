"""SeekrFlow's objects, field by field, in the shapes of its documentation."""

import json

import pytest

from ingest_grpc.client import render, render_ingestion
from ingest_grpc.client.messages import IngestionJobStatus, Job, JobStatus, RecordStatus
from tests.sample_jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    LATER_RUN_ID,
    QUEUED,
    RUN_ID,
    RUNNING,
    UUID,
    at,
    busy_job,
    record,
    run,
    started_job,
)


def test_data_job__has_all_fields_of_the_detail() -> None:
    detail = render(busy_job(), "seekr")
    assert {name: detail[name] for name in detail if name not in {"ingestion_jobs", "files", "timeline"}} == {
        "id": "dj-" + UUID.format(0),
        "user_id": "user-1",
        "team_id": "team-1",
        "name": "Customer support refresh",
        "description": "PDFs and Markdown for the next tuning",
        "job_type": "principle_files",
        "alignment_job_id": None,
        "origin_data_job_id": None,
        "vector_database_id": None,
        "deleted": False,
        "created_at": "2025-11-14T07:35:21.700005Z",
        "updated_at": "2025-11-14T07:35:34.700005Z",
        "status": "file_processing",
        "status_message": "1 file(s) wait and 1 are being converted; 1 are done.",
        "system_prompt": None,
        "system_prompt_updated_at": None,
        "instructions": None,
        "instructions_updated_at": None,
        "resolved_instructions": None,
        "additional_alignment_file_ids": ["file-" + UUID.format(99)],
        "alignment_job": None,
        "fine_tuning_job_ids": [],
    }
    assert json.loads(json.dumps(detail)) == detail


def test_data_job__what_was_set_is_there() -> None:
    job = Job(
        system_prompt="Be brief.",
        system_prompt_updated_at=at(1),
        instructions="Ask.",
        origin_job_id="dj-" + UUID.format(7),
        deleted_at=at(2),
    )
    detail = render(job, "seekr")
    assert detail["system_prompt"] == "Be brief."
    assert detail["system_prompt_updated_at"] == "2025-11-14T07:35:22.700005Z"
    assert detail["resolved_instructions"] == detail["instructions"] == "Ask."
    assert detail["origin_data_job_id"] == "dj-" + UUID.format(7)
    assert detail["deleted"] is True


@pytest.mark.parametrize("status", [each for each in JobStatus.values() if each])
def test_data_job__status_is_the_same_word_in_lower_case(status: JobStatus.ValueType) -> None:
    word = JobStatus.Name(status).removeprefix("JOB_STATUS_").lower()
    assert render(Job(status=status), "seekr")["status"] == word


def test_ingestion_jobs__one_per_run_and_a_mixed_result_is_failed() -> None:
    first, second = render(busy_job(), "seekr")["ingestion_jobs"]
    assert {name: first[name] for name in first if name != "records"} == {
        "id": RUN_ID,
        "status": "failed",
        "created_at": "2025-11-14T07:35:22.700005Z",
        "updated_at": "2025-11-14T07:35:33.700005Z",  # that of the last record
        "file_ids": ["file-" + UUID.format(number) for number in (11, 12, 13)],
    }
    assert (second["id"], second["status"]) == (LATER_RUN_ID, "running")


def test_records__in_a_data_job_have_the_name_of_the_source() -> None:
    first, second = render(busy_job(), "seekr")["ingestion_jobs"]
    shown = [*first["records"], *second["records"]]
    assert [(each["filename"], each["status"], each["queue_position"], each["worker_id"]) for each in shown] == [
        ("scan.pdf", "completed", None, None),
        ("empty.pdf", "failed", None, None),
        ("stopped.pdf", "failed", None, None),
        ("busy.pdf", "running", None, "worker-1"),
        ("later.pdf", "queued", 4, None),
    ]


def test_record__names_the_run_of_an_external_engine() -> None:
    job = busy_job()
    job.ingestion_jobs[0].records[0].engine_job_id = "run-7"
    assert render(job, "seekr")["ingestion_jobs"][0]["records"][0]["metaflow_job_id"] == "run-7"


def test_record__completed() -> None:
    assert render(busy_job(), "seekr")["ingestion_jobs"][0]["records"][0] == {
        "record_id": "ijf-" + UUID.format(11),
        "ingestion_job_id": RUN_ID,
        "alignment_file_id": "md-file-" + UUID.format(11),
        "user_id": "user-1",
        "team_id": "team-1",
        "filename": "scan.pdf",
        "metaflow_job_id": None,
        "method": "speed-optimized",
        "status": "completed",
        "queue_position": None,
        "error_message": None,
        "suggested_fix": None,
        "worker_id": None,
        "deleted": False,
        "created_at": "2025-11-14T07:35:22.700005Z",
        "processing_at": "2025-11-14T07:35:23.700005Z",
        "completed_at": "2025-11-14T07:35:31.700005Z",
        "failed_at": None,
    }


def test_record__failed_and_cancelled_say_why_what_to_do_and_when() -> None:
    _, failed, cancelled = render(busy_job(), "seekr")["ingestion_jobs"][0]["records"]
    assert (failed["error_message"], failed["suggested_fix"], failed["failed_at"]) == (
        "The file appears to be empty.",
        "Upload a file with content.",
        "2025-11-14T07:35:33.700005Z",
    )
    assert "cancelled" in cancelled["error_message"]
    assert cancelled["suggested_fix"] == "Retry the file, or remove it from the job."
    assert cancelled["failed_at"] == "2025-11-14T07:35:32.700005Z"


def test_record__one_that_is_tried_again_has_no_error() -> None:
    job = busy_job()
    waiting = job.ingestion_jobs[1].records[1]
    waiting.error.message = "Service temporarily unavailable."
    shown = render(job, "seekr")["ingestion_jobs"][1]["records"][1]
    assert (shown["status"], shown["error_message"], shown["suggested_fix"]) == ("queued", None, None)


def test_files__outputs_with_their_record_and_markdown_without() -> None:
    markdown, output, failed, cancelled, running, _ = render(busy_job(), "seekr")["files"]
    assert markdown == {
        "file_id": "file-" + UUID.format(99),
        "record_id": None,
        "name": "notes.md",
        "type": "md",
        "created_at": "2025-11-14T07:35:22.700005Z",
        "status": None,
        "suggested_fix": None,
    }
    assert (output["file_id"], output["record_id"]) == ("md-file-" + UUID.format(11), "ijf-" + UUID.format(11))
    assert (output["name"], output["type"], output["status"]) == ("scan.pdf.md", "md", "completed")
    assert [each["suggested_fix"] for each in (failed, cancelled, running)] == [
        "Upload a file with content.",
        "Retry the file, or remove it from the job.",
        None,
    ]


def test_files__type_of_what_is_no_markdown_is_its_suffix() -> None:
    job = busy_job()
    job.files[0].name, job.files[0].content_type = "Data.CSV", "text/csv"
    assert render(job, "seekr")["files"][0]["type"] == "csv"


def test_timeline__their_titles_their_status_words_and_whole_numbers() -> None:
    assert render(busy_job(), "seekr")["timeline"] == [
        {
            "timestamp": "2025-11-14T07:35:21.700005Z",
            "event_type": "Created",
            "message": "Created.",
            "metadata": {},
        },
        {
            "timestamp": "2025-11-14T07:35:23.700005Z",
            "event_type": "File Processing Started",
            "message": "File Processing Started.",
            "metadata": {"ingestion_job_id": RUN_ID, "status": "running", "record_count": 3},
        },
        {
            "timestamp": "2025-11-14T07:35:33.700005Z",
            "event_type": "File Processing Completed",
            "message": "File Processing Completed.",
            "metadata": {"ingestion_job_id": RUN_ID, "status": "failed", "record_count": 3},
        },
    ]
    count = render(busy_job(), "seekr")["timeline"][1]["metadata"]["record_count"]
    assert isinstance(count, int)


def test_ingestion_job__on_its_own_names_outputs() -> None:
    shown = render_ingestion(busy_job().ingestion_jobs[0], "seekr")
    assert {name: shown[name] for name in shown if name != "file_records"} == {
        "id": RUN_ID,
        "created_at": "2025-11-14T07:35:22.700005Z",
        "status": "failed",
        "output_files": ["md-file-" + UUID.format(11)],
    }
    assert [each["filename"] for each in shown["file_records"]] == ["scan.pdf.md", "empty.pdf.md", "stopped.pdf.md"]


def test_ingestion_job__records_that_the_message_left_out_are_null_and_not_none() -> None:
    each = busy_job().ingestion_jobs[0]
    del each.records[:]
    shown = render_ingestion(each, "seekr")
    assert shown["file_records"] is None
    assert shown["output_files"] == ["md-file-" + UUID.format(11)]
    each.documents_total = 0
    assert render_ingestion(each, "seekr")["file_records"] == []


def test_ingestion_job__more_outputs_than_its_own_list_holds() -> None:
    records = [record(number, "a.pdf", COMPLETED) for number in range(1_002)]
    each = run(RUN_ID, IngestionJobStatus.INGESTION_JOB_STATUS_COMPLETED, records)
    del each.output_file_ids[1_000:]
    assert len(render_ingestion(each, "seekr")["output_files"]) == 1_002


def test_alignment__running() -> None:
    detail = render(started_job(RUNNING), "seekr")
    assert detail["alignment_job_id"] == "al-" + UUID.format(50)
    assert detail["alignment_job"] == {
        "id": "al-" + UUID.format(50),
        "created_at": "2025-11-14T07:35:41.700005Z",
        "updated_at": "2025-11-14T07:35:42.700005Z",
        "stopped_at": None,
        "completed_at": None,
        "status": "running",
        "current_step": "generate",
        "progress": 50.0,
        "step_progress": 12.5,
        "estimated_completion_at": "2025-11-14T07:36:41.700005Z",
        "eta_minutes": None,
        "status_message": "The dataset is made.",
        "output_files": [],
    }


def test_alignment__completed_has_its_dataset() -> None:
    alignment = render(started_job(COMPLETED), "seekr")["alignment_job"]
    assert alignment["completed_at"] == alignment["stopped_at"] == "2025-11-14T07:35:51.700005Z"
    assert alignment["output_files"] == [
        {
            "id": "file-" + UUID.format(51),
            "filename": f"file-{UUID.format(51)}.jsonl",
            "bytes": None,
            "created_at": "2025-11-14T07:35:51.700005Z",
            "file_type": "jsonl",
            "purpose": "fine-tune",
        }
    ]


@pytest.mark.parametrize(
    ("status", "word", "stopped"),
    [(QUEUED, "queued", None), (FAILED, "failed", "52"), (CANCELLED, "cancelled", "53"), (0, "running", None)],
    ids=["queued", "failed", "cancelled", "of a later server"],
)
def test_alignment__its_status_is_the_same_word(status: RecordStatus.ValueType, word: str, stopped: str | None) -> None:
    alignment = render(started_job(status), "seekr")["alignment_job"]
    assert alignment["status"] == word
    assert alignment["completed_at"] is None
    assert alignment["stopped_at"] == (stopped and f"2025-11-14T07:35:{stopped}.700005Z")
