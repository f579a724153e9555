from typing import Any

import pytest

from ingest_grpc import model
from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep, RecordStatus, Trigger, WaitReason
from ingest_grpc.v1 import alignment_pb2, ingestion_pb2
from ingest_grpc.v1.job_service_pb2 import StartJobRequest, WatchJobResponse
from ingest_grpc.wire import watch
from ingest_grpc.wire.alignments import alignment_job
from ingest_grpc.wire.events import event
from ingest_grpc.wire.requests.job_changes import StartJob, start_job
from tests.unit.wire.values import FILE_ID, JOB_ID, NOW, UUID

ALIGNMENT_ID = f"al-{UUID}"


def alignment(**changes: Any) -> model.AlignmentJob:
    values: dict[str, Any] = {
        "alignment_job_id": ALIGNMENT_ID,
        "job_id": JOB_ID,
        "engine": AlignmentEngine.GENERATE,
        "status": RecordStatus.RUNNING,
        "user_id": "user",
        "team_id": "team",
        "created_at": NOW,
    }
    return model.AlignmentJob(**{**values, **changes})


def test_alignment__with_everything() -> None:
    message = alignment_job(
        alignment(
            engine_version="test-model",
            system_prompt="not told",
            current_step=AlignmentStep.GENERATE,
            progress=41.5,
            step_progress=40.0,
            eta=NOW + 1_000_000,
            error=model.RecordError(reason=Reason.ALIGN_ENDPOINT_UNAVAILABLE, detail="HTTP 503, 5 times"),
            output_file_ids=(FILE_ID,),
            totals=model.AlignmentTotals(
                sections=3, sections_lost=1, examples=7, prompt_tokens=11, completion_tokens=5, losses=("a.md: x",)
            ),
            attempt=2,
            failures=1,
            orphaned_count=3,
            wait_reason=WaitReason.BACK_OFF,
            worker_id="worker",
            queue_position=9,
            retired_at=NOW,
            last_sequence=8,
        )
    )
    assert message.engine == alignment_pb2.ALIGNMENT_ENGINE_GENERATE
    assert message.current_step == alignment_pb2.ALIGNMENT_STEP_GENERATE
    assert (message.progress, message.step_progress, message.eta.seconds) == (41.5, 40.0, NOW // 1_000_000 + 1)
    assert (message.error.message, message.error.detail) == (
        "The model's endpoint did not answer.",
        "HTTP 503, 5 times",
    )
    assert (message.sections, message.sections_lost, message.examples) == (3, 1, 7)
    assert (message.prompt_tokens, message.completion_tokens, list(message.losses)) == (11, 5, ["a.md: x"])
    assert (message.attempt, message.failures, message.orphaned_count, message.queue_position) == (2, 1, 3, 9)
    assert message.HasField("retired_at")
    assert b"not told" not in message.SerializeToString()


def test_alignment__leaves_out_what_it_does_not_have() -> None:
    message = alignment_job(alignment())
    for name in ("eta", "error", "worker_id", "queue_position", "started_at", "completed_at", "retired_at"):
        assert not message.HasField(name), name


FAILURE = model.RecordError(reason=Reason.NOTHING_TO_ALIGN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": RecordStatus.QUEUED}, "It waits for a worker."),
        (
            {"status": RecordStatus.QUEUED, "error": FAILURE},
            "It will be tried again: The job's files have no text to make a dataset of.",
        ),
        ({"status": RecordStatus.RUNNING}, "The dataset is being made."),
        (
            {"status": RecordStatus.COMPLETED, "totals": model.AlignmentTotals(sections=2, examples=3)},
            "The dataset has 3 line(s) of 2 section(s).",
        ),
        (
            {"status": RecordStatus.FAILED, "error": FAILURE},
            "It failed: The job's files have no text to make a dataset of.",
        ),
        ({"status": RecordStatus.CANCELLED}, "It was cancelled."),
    ],
)
def test_alignment__says_its_status_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    assert alignment_job(alignment(**changes)).status_message == message


def test_event__of_an_alignment() -> None:
    message = event(
        model.TimelineEvent(
            job_id=JOB_ID,
            sequence=5,
            timestamp=NOW,
            type=model.EventType.ALIGNMENT_CLAIMED,
            message="The dataset is being made.",
            actor="worker",
            trigger=Trigger.CLAIMED,
            change=model.AlignmentChange(alignment=alignment(), previous_status=RecordStatus.QUEUED),
        )
    )
    assert message.title == "Alignment Started"
    assert message.alignment_change.alignment_job.alignment_job_id == ALIGNMENT_ID
    assert message.alignment_change.previous_status == ingestion_pb2.RECORD_STATUS_QUEUED
    assert not message.HasField("metadata")


def test_watch__snapshot_and_progress() -> None:
    [part] = watch.records(4, alignment=alignment())
    assert WatchJobResponse.FromString(part).records.alignment_job.alignment_job_id == ALIGNMENT_ID
    moved = model.AlignmentProgress(ALIGNMENT_ID, AlignmentStep.SPLIT, 5.0, 50.0, eta=NOW)
    told = WatchJobResponse.FromString(watch.progress(4, (), moved)).progress
    assert (told.alignment.progress, told.alignment.step_progress) == (5.0, 50.0)
    assert told.alignment.current_step == alignment_pb2.ALIGNMENT_STEP_SPLIT
    assert told.alignment.HasField("eta")
    assert not told.alignment.HasField("queue_position")
    assert not WatchJobResponse.FromString(watch.progress(4, ())).progress.HasField("alignment")


def test_start_job__reads_the_request() -> None:
    asked = start_job(StartJobRequest(job_id=JOB_ID, expected_files_etag="f3"))
    assert asked == StartJob(JOB_ID, "f3", None)
