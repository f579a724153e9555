"""The dialects against the models that the vendors themselves publish, in an environment that holds these."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.client import render, render_ingestion
from ingest_grpc.client.dialects import llamacloud
from ingest_grpc.client.messages import (
    ErrorReason,
    FileStatus,
    GetFileStatusCountsResponse,
    IngestionJobStatus,
    Job,
    JobStatus,
    RecordError,
    RecordStatus,
    RecordStatusCount,
    Step,
)
from tests.sample_jobs import RUN_ID, busy_job, run, started_job

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-dialects/bin/python"
CHECKER = Path(__file__).with_name("vendor_models.py")

Verdict = dict[str, Any]
FINE: Verdict = {"missing": [], "extra": []}

DOCUMENTED_ONLY = ["description", "vector_database_id"]
"""Fields of SeekrFlow's reference that its package does not know; it keeps them as extra ones."""


def samples() -> dict[str, tuple[str, Any]]:
    """(model, value) by the name of a case. Loading the packages takes seconds, so all cases go at once."""
    found: dict[str, tuple[str, Any]] = {}
    for status in filter(None, JobStatus.values()):
        job = busy_job()
        job.status = status
        found[f"seekr {JobStatus.Name(status)}"] = ("DataJobDetailResponse", render(job, "seekr"))
    for outcome in filter(None, RecordStatus.values()):
        name = f"seekr alignment {RecordStatus.Name(outcome)}"
        found[name] = ("DataJobDetailResponse", render(started_job(outcome), "seekr"))
    for state in filter(None, IngestionJobStatus.values()):
        each = run(RUN_ID, state, busy_job().ingestion_jobs[0].records)
        name = IngestionJobStatus.Name(state)
        found[f"seekr {name}"] = ("IngestionResponse", render_ingestion(each, "seekr"))
        found[f"llamacloud {name}"] = ("ManagedIngestionStatusResponse", render_ingestion(each, "llamacloud"))
    for file_id, status_of_file in render(busy_job(), "llamacloud").items():
        found[f"llamacloud {file_id}"] = ("ManagedIngestionStatusResponse", status_of_file)
    for outcome in filter(None, RecordStatus.values()):
        status_of_file = llamacloud.file_status(file_status(outcome))
        found[f"llamacloud file {RecordStatus.Name(outcome)}"] = ("ManagedIngestionStatusResponse", status_of_file)
    found["llamacloud counts"] = ("FileGetStatusCountsResponse", llamacloud.status_counts(file_counts()))
    job_id, created = busy_job().job_id, busy_job().created_at
    empty = Job(job_id=job_id, name="new", user_id="user-1", team_id="team-1", created_at=created, updated_at=created)
    empty.job_type = busy_job().job_type
    found["seekr without files"] = ("DataJobDetailResponse", render(empty, "seekr"))
    return found | broken_samples(found["seekr JOB_STATUS_NEEDS_REVIEW"][1])


def file_status(status: RecordStatus.ValueType) -> FileStatus:
    """Of a file of a knowledge base, with all that can be said of it."""
    error = RecordError(reason=ErrorReason.ERROR_REASON_PDF_UNREADABLE, message="No.", step=Step.STEP_EMBED)
    failed = status == RecordStatus.RECORD_STATUS_FAILED
    made = FileStatus(file_id="file-1", status=status, job_id=busy_job().job_id)
    made.effective_at.seconds = 1
    if failed:
        made.errors.add(job_id=busy_job().job_id, error=error)
    else:
        made.deployed_at.seconds = 2
    return made


def file_counts() -> GetFileStatusCountsResponse:
    """One file of each status."""
    statuses = [status for status in RecordStatus.values() if status]
    counts = [RecordStatusCount(status=status, count=1) for status in statuses]
    return GetFileStatusCountsResponse(counts=counts, total_count=len(statuses))


def broken_samples(detail: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Values that must be refused or found wanting, or nothing is checked at all."""
    no_user, own_word, no_team = (copy.deepcopy(detail) for _ in range(3))
    del no_user["ingestion_jobs"][0]["records"][0]["user_id"]
    own_word["ingestion_jobs"][0]["status"] = "partially_completed"
    del no_team["ingestion_jobs"][0]["records"][0]["team_id"]
    no_team["files"][0]["size"] = 1
    values = {"no user": no_user, "own word": own_word, "no team": no_team}
    return {f"broken {name}": ("DataJobDetailResponse", value) for name, value in values.items()}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """What the vendors' models say of each case."""
    assert PYTHON.exists(), "the vendors' packages are missing: run scripts/setup dialects"
    cases = samples()
    done = subprocess.run(
        [PYTHON, CHECKER], input=json.dumps(list(cases.values())), capture_output=True, text=True, check=True
    )
    return dict(zip(cases, json.loads(done.stdout), strict=True))


def test_seekr__every_object_has_all_fields_of_their_model(verdicts: dict[str, Verdict]) -> None:
    jobs = {name: each for name, each in verdicts.items() if name.startswith(("seekr JOB", "seekr without"))}
    runs = {name: each for name, each in verdicts.items() if name.startswith("seekr INGESTION")}
    started = {name: each for name, each in verdicts.items() if name.startswith("seekr alignment")}
    assert (len(jobs), len(runs), len(started)) == (9, 6, 5)
    documented = sorted([*DOCUMENTED_ONLY, "alignment_job.completed_at"])
    assert {name: each for name, each in started.items() if each != {"missing": [], "extra": documented}} == {}
    assert {name: each for name, each in jobs.items() if each != {"missing": [], "extra": DOCUMENTED_ONLY}} == {}
    assert {name: each for name, each in runs.items() if each != FINE} == {}


def test_llamacloud__every_object_has_all_fields_of_their_model(verdicts: dict[str, Verdict]) -> None:
    found = {name: each for name, each in verdicts.items() if name.startswith("llamacloud")}
    assert len(found) == 12 + len(RecordStatus.values()) - 1 + 1
    assert {name: each for name, each in found.items() if each != FINE} == {}


def test_broken_values__are_noticed(verdicts: dict[str, Verdict]) -> None:
    assert "ingestion_jobs.0.records.0.user_id" in verdicts["broken no user"]["refused"]
    assert "'queued', 'running', 'completed' or 'failed'" in verdicts["broken own word"]["refused"]
    extra = ["description", "files.size", "vector_database_id"]
    assert verdicts["broken no team"] == {"missing": ["ingestion_jobs.records.team_id"], "extra": extra}
