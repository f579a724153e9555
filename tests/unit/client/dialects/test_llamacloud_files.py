"""LlamaCloud's status of a file of a knowledge base, and its counts."""

from ingest_grpc.client.dialects import llamacloud
from ingest_grpc.client.messages import (
    FileStatus,
    FileStatusError,
    GetFileStatusCountsResponse,
    RecordError,
    RecordStatusCount,
    Step,
)

UUID = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
STATUSES = {"NOT_STARTED", "IN_PROGRESS", "SUCCESS", "ERROR", "PARTIAL_SUCCESS", "CANCELLED"}


def status(name: str, **fields: object) -> FileStatus:
    ids = {"file_id": "file-1", "job_id": "dj-1", "ingestion_job_id": f"ij-{UUID}"}
    made = FileStatus(status=f"RECORD_STATUS_{name}", **ids, **fields)  # type: ignore[arg-type]
    made.effective_at.seconds = 1
    return made


def test_file_status__says_since_when_it_holds_and_is_found() -> None:
    made = status("COMPLETED")
    made.deployed_at.seconds = 2

    shown = llamacloud.file_status(made)

    assert shown.keys() == {"status", "deployment_date", "effective_at", "error", "job_id"}
    assert (shown["status"], shown["job_id"], shown["error"]) == ("SUCCESS", UUID, None)
    assert shown["effective_at"].startswith("1970-01-01T00:00:01")
    assert shown["deployment_date"].startswith("1970-01-01T00:00:02")


def test_file_status__a_failure_has_its_step_and_job() -> None:
    broken = RecordError(message="No.", suggested_fix="Yes.", step=Step.STEP_EMBED)
    error = FileStatusError(job_id="dj-1", ingestion_job_id=f"ij-{UUID}", error=broken)

    shown = llamacloud.file_status(status("FAILED", errors=[error]))

    assert shown["status"] == "ERROR"
    assert shown["error"] == [{"job_id": UUID, "message": "No. Yes.", "step": "TRANSFORM"}]
    assert shown["deployment_date"] is None


def test_file_status__losses_are_a_partial_success() -> None:
    lost: dict[str, object] = {"losses": ["page 3", "chunk 1"], "loss_steps": [Step.STEP_PARSE, Step.STEP_EMBED]}

    shown = llamacloud.file_status(status("COMPLETED", partial=True, **lost))

    assert shown["status"] == "PARTIAL_SUCCESS"
    assert [(each["job_id"], each["step"]) for each in shown["error"]] == [(UUID, "PARSE"), (UUID, "TRANSFORM")]


def test_status_counts__have_every_status() -> None:
    names = ("QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")
    counts = [RecordStatusCount(status=f"RECORD_STATUS_{name}", count=number) for number, name in enumerate(names, 1)]  # type: ignore[arg-type]

    shown = llamacloud.status_counts(GetFileStatusCountsResponse(counts=counts, total_count=15, partial_count=1))

    assert shown["counts"].keys() == STATUSES
    assert (shown["counts"]["SUCCESS"], shown["counts"]["PARTIAL_SUCCESS"]) == (2, 1)
    assert sum(shown["counts"].values()) == shown["total_count"] == 15
