"""Tensoras' view of ingestion jobs: the fields of its documentation, each with its type and meaning."""

from typing import Any

import pytest

from ingest_grpc.client.dialects import render, render_ingestion, tensoras
from ingest_grpc.client.messages import ErrorReason, FileRecord, IngestionJob, Job, RecordError

FIELDS: dict[str, Any] = {
    "id": str,
    "object": str,
    "knowledge_base_id": (str, type(None)),
    "data_source_id": (str, type(None)),
    "status": str,
    "documents_processed": int,
    "documents_failed": int,
    "chunks_created": int,
    "started_at": (int, type(None)),
    "completed_at": (int, type(None)),
    "created_at": int,
    "error": (dict, type(None)),
}
DETAILS: dict[str, Any] = {
    "document_id": str,
    "document_name": str,
    "status": str,
    "chunks_created": int,
    "error": (dict, type(None)),
}


def run(number: int = 1, **fields: Any) -> IngestionJob:
    given = {"status": "INGESTION_JOB_STATUS_COMPLETED", "documents_processed": 15, "chunks_created": 482, **fields}
    made = IngestionJob(ingestion_job_id=f"ij-{number}", knowledge_base_id="kb-1", data_source_id="ds-1", **given)
    made.created_at.seconds = 1709123450
    return made


def has(shown: dict[str, Any], fields: dict[str, Any]) -> bool:
    return shown.keys() == fields.keys() and all(isinstance(shown[name], kind) for name, kind in fields.items())


def test_list__has_every_field_and_no_details() -> None:
    shown = render(Job(ingestion_jobs=[run(1), run(2)]), "tensoras")

    assert (shown["object"], shown["has_more"]) == ("list", False)
    assert [each["id"] for each in shown["data"]] == ["ij-1", "ij-2"]
    assert all(has(each, FIELDS) for each in shown["data"])


def test_get__has_details_too() -> None:
    error = RecordError(reason=ErrorReason.ERROR_REASON_EMPTY_FILE, message="Empty.", suggested_fix="Fill it.")
    failed = FileRecord(file_id="file-2", filename="b.md", status="RECORD_STATUS_FAILED", error=error)  # type: ignore[arg-type]
    done = FileRecord(file_id="file-1", filename="a.md", status="RECORD_STATUS_COMPLETED", chunks_created=32)  # type: ignore[arg-type]
    shown = render_ingestion(run(records=[done, failed]), "tensoras")

    assert has({name: value for name, value in shown.items() if name != "document_details"}, FIELDS)
    assert all(has(each, DETAILS) for each in shown["document_details"])
    assert [each["error"] and each["error"]["code"] for each in shown["document_details"]] == [None, "empty_file"]


def test_mixed_results__are_completed_and_an_entire_failure_says_why() -> None:
    partial = render_ingestion(run(status="INGESTION_JOB_STATUS_PARTIALLY_COMPLETED", documents_failed=1), "tensoras")
    error = RecordError(reason=ErrorReason.ERROR_REASON_EMPTY_FILE, message="Empty.", suggested_fix="Fill it.")
    failed = tensoras.job(Job(ingestion_jobs=[run(status="INGESTION_JOB_STATUS_FAILED", error=error)]))["data"][0]
    cancelled = render_ingestion(run(status="INGESTION_JOB_STATUS_CANCELLED", documents_cancelled=2), "tensoras")

    assert (partial["status"], partial["documents_failed"], partial["error"]) == ("completed", 1, None)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "empty_file")
    assert failed["error"]["message"] == "Empty. Fill it."
    assert (cancelled["status"], cancelled["documents_failed"]) == ("failed", 2)
    assert "cancelled" in cancelled["error"]["message"]


def test_pages__go_on_after_a_job_and_filter_by_status() -> None:
    runs = [run(number) for number in range(1, 6)]
    runs[2].status = IngestionJob(status="INGESTION_JOB_STATUS_RUNNING").status  # type: ignore[arg-type]

    first = tensoras.ingestion_jobs(runs, limit=2)
    second = tensoras.ingestion_jobs(runs, limit=20, after="ij-2", status="completed")

    assert ([each["id"] for each in first["data"]], first["has_more"]) == (["ij-1", "ij-2"], True)
    assert ([each["id"] for each in second["data"]], second["has_more"]) == (["ij-4", "ij-5"], False)
    with pytest.raises(ValueError, match="limit must be 1 to 100"):
        tensoras.ingestion_jobs(runs, limit=101)
    with pytest.raises(ValueError, match="is none of completed, failed, processing, queued"):
        tensoras.ingestion_jobs(runs, status="done")


def test_not_found__is_their_envelope() -> None:
    error = tensoras.not_found("ij-9")["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["code"] == "ingestion_job_not_found"
