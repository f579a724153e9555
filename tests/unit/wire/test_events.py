"""Timeline events as messages, above all the metadata of milestones: SeekrFlow's keys and words."""

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from ingest_grpc import model
from ingest_grpc.filenames import MAX_CONTENT_TYPE_CHARACTERS, MAX_FILENAME_BYTES
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus, Trigger
from ingest_grpc.model import EventType
from ingest_grpc.v1 import job_pb2
from ingest_grpc.wire.bounded import MAX_REPLY_BYTES
from ingest_grpc.wire.events import event
from tests.unit.wire import values

SEEKR_WORDS = [
    (IngestionJobStatus.QUEUED, "queued"),
    (IngestionJobStatus.RUNNING, "running"),
    (IngestionJobStatus.COMPLETED, "completed"),
    (IngestionJobStatus.PARTIALLY_COMPLETED, "failed"),
    (IngestionJobStatus.FAILED, "failed"),
    (IngestionJobStatus.CANCELLED, "failed"),
]


@pytest.mark.parametrize(("status", "word"), SEEKR_WORDS)
def test_milestone__metadata_has_seekrs_keys_and_words(status: IngestionJobStatus, word: str) -> None:
    change = model.Milestone(ingestion_job_id=values.INGESTION_JOB_ID, status=status, record_count=5)
    message = event(values.event(change, EventType.FILE_PROCESSING_STARTED))

    assert MessageToDict(message.metadata) == {
        "ingestion_job_id": values.INGESTION_JOB_ID,
        "status": word,
        "record_count": 5,
    }
    assert message.title == "File Processing Started"
    assert message.milestone.record_count == 5


def test_created__has_empty_metadata() -> None:
    message = event(values.event(model.JobChange(job=values.job()), EventType.CREATED))

    assert message.HasField("metadata")
    assert not message.metadata.fields
    assert message.kind == job_pb2.EVENT_KIND_MILESTONE
    assert message.job_change.job.name == "Handbook"
    assert message.job_change.previous_status == 0


def test_record_event__has_no_metadata() -> None:
    change = model.RecordChange(record=values.record(status=RecordStatus.RUNNING), previous_status=RecordStatus.QUEUED)
    message = event(values.event(change, EventType.RECORD_CLAIMED, trigger=Trigger.CLAIMED))

    assert not message.HasField("metadata")
    assert message.trigger == job_pb2.TRIGGER_CLAIMED
    assert (message.record_change.previous_status, message.record_change.record.status) == (1, 2)
    assert (message.sequence, message.timestamp.ToMicroseconds()) == (5, values.NOW)


CHANGES: list[tuple[EventType, model.Change, str]] = [
    (EventType.RECORD_ADDED, model.RecordChange(record=values.record()), "record_change"),
    (
        EventType.INGESTION_JOB_CHANGED,
        model.IngestionJobChange(ingestion_job=values.ingestion_job(), previous_status=IngestionJobStatus.QUEUED),
        "ingestion_job_change",
    ),
    (
        EventType.JOB_CHANGED,
        model.JobChange(job=values.job(), previous_status=JobStatus.NEEDS_REVIEW),
        "job_change",
    ),
    (EventType.FILES_ADDED, model.FilesChange(added=(values.job_file(),)), "files_change"),
    (EventType.FILES_REMOVED, model.FilesChange(), "files_change"),
]


@pytest.mark.parametrize(("type_", "change", "field"), CHANGES)
def test_event__change_is_set_even_when_it_is_empty(type_: EventType, change: Any, field: str) -> None:
    message = event(values.event(change, type_))

    assert message.WhichOneof("change") == field
    assert job_pb2.EventType.Name(message.type) == f"EVENT_TYPE_{type_}"


def test_files_event__with_as_many_and_as_long_ones_as_there_may_be_fits_a_message() -> None:
    longest = values.job_file(name="é" * (MAX_FILENAME_BYTES // 2), content_type="é" * MAX_CONTENT_TYPE_CHARACTERS)
    change = model.FilesChange(added=(longest,) * model.MAX_CHANGED_FILES)
    message = event(values.event(change, EventType.FILES_ADDED))

    assert len(message.files_change.added) == model.MAX_CHANGED_FILES
    assert not message.files_change.truncated
    assert message.ByteSize() < MAX_REPLY_BYTES


def test_files_event__of_an_old_clone_is_cut_and_says_so() -> None:
    files = tuple(values.job_file(name=str(number)) for number in range(model.MAX_CHANGED_FILES + 1))
    message = event(values.event(model.FilesChange(added=files), EventType.FILES_ADDED))

    assert [file.name for file in message.files_change.added] == [file.name for file in files[:-1]]
    assert message.files_change.truncated
