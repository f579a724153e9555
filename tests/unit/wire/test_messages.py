"""Values of the domain as messages: what is there arrives, what is absent stays unset."""

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc import model
from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import JobStatus, JobType, RecordStatus, Step, Tally, WaitReason
from ingest_grpc.v1 import ingestion_pb2, job_pb2
from ingest_grpc.wire import files, ingestion, jobs
from ingest_grpc.wire.times import microseconds_of, set_time
from tests.unit.wire import values
from tests.unit.wire.values import NOW


def set_fields(message: Message) -> set[str]:
    return {field.name for field, _ in message.ListFields()}


@pytest.mark.parametrize("microseconds", [0, 1, NOW, -1, 253_402_300_799_999_999])
def test_times__round_trip(microseconds: int) -> None:
    timestamp = Timestamp()
    set_time(timestamp, microseconds)

    assert microseconds_of(timestamp) == microseconds
    assert timestamp.ToMicroseconds() == microseconds


def test_file__all_fields() -> None:
    value = model.File(
        file_id=values.FILE_ID,
        kind=model.FileKind.UPLOAD,
        filename="report.pdf",
        path="/home/me/report.pdf",
        content_type="application/pdf",
        size_bytes=2**40,
        sha256="0" * 64,
        user_id="user",
        team_id="team",
        created_at=NOW,
        deleted_at=NOW + 1,
        expires_at=NOW + 2,
        external_id="E-1",
        metadata={"pages": 3},
        import_source=model.ImportSource(url="s3://bucket/key", etag="e"),
    )
    message = files.file(value)

    assert set_fields(message) == set(message.DESCRIPTOR.fields_by_name)
    assert message.size_bytes == 2**40
    assert microseconds_of(message.deleted_at) == NOW + 1


def test_record__new_has_only_what_it_has() -> None:
    message = ingestion.record(values.record())

    assert set_fields(message) == {
        "record_id", "ingestion_job_id", "job_id", "file_id", "output_file_id", "user_id", "team_id", "filename",
        "output_filename", "method", "status", "created_at",
    }  # fmt: skip
    assert message.status == ingestion_pb2.RECORD_STATUS_QUEUED


def test_record__all_fields() -> None:
    value = values.record(
        status=RecordStatus.FAILED,
        engine=model.Engine(name="xberg", version="1"),
        step=Step.PARSE,
        queue_position=3,
        estimated_start_at=NOW,
        reused_from="ijf-earlier",
        parent_record_id="ijf-archive",
        member_count=0,
        image_file_ids=("file-picture",),
        output_expired_at=NOW + 1,
        error=model.RecordError(reason=Reason.EMPTY_FILE, step=Step.PARSE, detail="0 bytes"),
        warnings=("odd",),
        losses=("page 3", "chunk 1"),
        chunk_losses=1,
        attempt=1,
        failures=2,
        orphaned_count=3,
        next_attempt_at=NOW + 1,
        wait_reason=WaitReason.BACK_OFF,
        worker_id="worker",
        superseded_by="ijf-other",
        deleted_at=NOW + 2,
        processing_at=NOW + 3,
        completed_at=NOW + 4,
        failed_at=NOW + 5,
        cancelled_at=NOW + 6,
        progress=model.UnitProgress(units_done=1, units_total=2, unit="pages"),
        pages=0,
        document_metadata=model.DocumentMetadata(title="A title"),
        bytes_out=0,
        chunks_created=0,
        engine_job_id="run-1",
        metadata={"year": 1843, "author": "Ada", "final": True},
        last_sequence=9,
    )
    message = ingestion.record(value)

    assert set_fields(message) == set(message.DESCRIPTOR.fields_by_name)
    assert message.deleted
    assert list(message.loss_steps) == [ingestion_pb2.STEP_PARSE, ingestion_pb2.STEP_EMBED]
    assert [
        microseconds_of(getattr(message, name)) - NOW
        for name in ("next_attempt_at", "deleted_at", "processing_at", "completed_at", "failed_at", "cancelled_at")
    ] == [1, 2, 3, 4, 5, 6]


def test_record_error__has_the_words_of_the_catalogue() -> None:
    message = ingestion.record_error(model.RecordError(reason=Reason.CONVERSION_TIMEOUT, step=Step.PARSE))

    assert message.message == "The conversion did not finish within the time limit."
    assert message.suggested_fix.startswith("Split the document")
    assert message.retryable
    assert message.step == ingestion_pb2.STEP_PARSE


def test_ingestion_job__counts_its_documents() -> None:
    tally = Tally(queued=1, running=2, completed=3, failed=4, cancelled=5)
    message = ingestion.ingestion_job(values.ingestion_job(tally=tally, started_at=NOW, completed_at=NOW + 1))

    assert (message.documents_total, message.documents_processed) == (15, 3)
    assert (message.documents_failed, message.documents_cancelled) == (4, 5)
    assert microseconds_of(message.completed_at) == NOW + 1


def test_ingestion_job__says_why_it_failed() -> None:
    error = model.RecordError(reason=Reason.EMPTY_FILE, step=Step.PARSE)

    assert ingestion.ingestion_job(values.ingestion_job(error=error)).error == ingestion.record_error(error)
    assert not ingestion.ingestion_job(values.ingestion_job()).HasField("error")


def test_ingestion_job__holds_no_records() -> None:
    assert not ingestion.ingestion_job(values.ingestion_job(records=(values.record(),))).records


def test_basic_job__counts_and_times() -> None:
    message = jobs.basic_job(values.job(system_prompt="Be kind.", system_prompt_updated_at=NOW + 2))

    assert [(count.status, count.count) for count in message.record_counts] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert microseconds_of(message.system_prompt_updated_at) == NOW + 2
    assert not message.HasField("instructions_updated_at")
    assert not message.settled
    assert message.review_reasons_total == 6


def test_basic_job__settled_and_missing_prompt() -> None:
    message = jobs.basic_job(
        values.job(job_type=JobType.PRINCIPLE_FILES, status=JobStatus.NEEDS_REVIEW, tally=Tally(completed=1))
    )

    assert message.settled
    assert message.review_reasons_total == 1
    assert message.status_message == "1 thing(s) need review."


def test_basic_job__shows_the_first_100_review_reasons() -> None:
    reason = model.ReviewReason(type=model.ReviewReasonType.RECORD_FAILED, message="It failed.", suggested_fix="Retry.")
    message = jobs.basic_job(values.job(review_reasons=(reason,) * 101))

    assert len(message.review_reasons) == 100
    assert message.review_reasons[0].type == job_pb2.REVIEW_REASON_TYPE_RECORD_FAILED


@pytest.mark.parametrize("status", JobStatus)
def test_status_message__every_status_has_one(status: JobStatus) -> None:
    assert jobs.status_message(values.job(status=status)).endswith(".")


def test_status_message__of_a_knowledge_base_job_is_about_its_files() -> None:
    job = values.job(job_type=JobType.KNOWLEDGE_BASE, status=JobStatus.COMPLETED, tally=Tally(completed=2, failed=1))

    assert jobs.status_message(job) == "2 file(s) became searchable, 1 failed."


def test_job_file__markdown_has_no_record() -> None:
    message = jobs.job_file(values.job_file(source_file_id=None, record_id=None, status=RecordStatus.COMPLETED))

    assert not message.HasField("source_file_id")
    assert not message.HasField("record_id")
    assert message.status == ingestion_pb2.RECORD_STATUS_COMPLETED


def test_results__absent_ids_stay_unset() -> None:
    added = jobs.add_file_result(model.AddFileResult(file_id="file-x", outcome=model.AddFileOutcome.NOT_FOUND))
    removed = jobs.remove_file_result(
        model.RemoveFileResult(id="ijf-x", outcome=model.RemoveFileOutcome.REMOVED, record_ids=("ijf-x",))
    )

    assert set_fields(added) == {"file_id", "outcome"}
    assert removed.record_ids == ["ijf-x"]
