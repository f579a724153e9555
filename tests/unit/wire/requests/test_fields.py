"""What all requests have in common: update masks, times, durations, and texts that are quoted."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.errors import IngestError
from ingest_grpc.v1 import file_service_pb2 as files_pb
from ingest_grpc.v1 import job_service_pb2 as jobs_pb
from ingest_grpc.v1 import knowledge_base_service_pb2 as knowledge_pb
from ingest_grpc.wire.requests.data_sources import update_data_source
from ingest_grpc.wire.requests.file_changes import update_file
from ingest_grpc.wire.requests.job_changes import update_job, wait_job
from ingest_grpc.wire.requests.jobs import list_jobs
from ingest_grpc.wire.requests.knowledge_bases import update_knowledge_base
from tests.unit.wire.requests.contract import Read
from tests.unit.wire.values import FILE_ID, JOB_ID, UUID

UPDATES: dict[str, tuple[Read, Any]] = {
    "job": (update_job, jobs_pb.UpdateJobRequest(job_id=JOB_ID, description="new", labels={"a": "b"})),
    "file": (update_file, files_pb.UpdateFileRequest(file_id=FILE_ID, filename="new.pdf")),
    "knowledge base": (
        update_knowledge_base,
        knowledge_pb.UpdateKnowledgeBaseRequest(knowledge_base_id=f"kb-{UUID}", description="new"),
    ),
}
DATA_SOURCE = knowledge_pb.UpdateDataSourceRequest(data_source_id=f"ds-{UUID}", name="new")


def refusal(read: Read, message: Any) -> dict[str, str]:
    """What is wrong with each field."""
    with pytest.raises(IngestError) as raised:
        read(message)
    return {violation.field: violation.description for violation in raised.value.violations}


def with_mask(message: Any, *paths: str) -> Any:
    masked = type(message)()
    masked.CopyFrom(message)
    masked.update_mask.CopyFrom(FieldMask(paths=paths))
    return masked


@pytest.mark.parametrize("kind", UPDATES)
def test_mask__that_is_empty_changes_what_is_present_like_none(kind: str) -> None:
    read, message = UPDATES[kind]
    without: Any = read(message)

    assert without.update.model_fields_set
    assert read(with_mask(message)) == without


def test_mask__of_a_job_names_what_is_changed_or_cleared() -> None:
    read, message = UPDATES["job"]
    present: Any = read(message)
    masked: Any = read(with_mask(message, "description", "instructions"))

    assert present.update.model_dump(exclude_unset=True) == {"description": "new", "labels": {"a": "b"}}
    assert masked.update.model_dump(exclude_unset=True) == {"description": "new", "instructions": ""}


@pytest.mark.parametrize(
    ("read", "message"), [*UPDATES.values(), (update_data_source, DATA_SOURCE)], ids=[*UPDATES, "data source"]
)
def test_mask__unknown_paths_are_quoted_in_short(read: Read, message: Any) -> None:
    wrong = refusal(read, with_mask(message, "x" * 10_000, "name"))

    assert wrong["update_mask.paths[0]"].startswith(f"'{'x' * 77}...' is not one of ")


def test_mask__of_a_data_source_is_required() -> None:
    assert refusal(update_data_source, with_mask(DATA_SOURCE)) == {"update_mask": "is required"}


OUT_OF_RANGE = [
    Timestamp(seconds=2**62),
    Timestamp(seconds=-(2**62)),
    Timestamp(seconds=253_402_300_800),
    Timestamp(seconds=-62_135_596_801),
    Timestamp(nanos=-5),
    Timestamp(nanos=1_000_000_000),
]


@pytest.mark.parametrize("time", OUT_OF_RANGE, ids=repr)
def test_time__that_is_none_is_refused_wherever_one_is_read(time: Timestamp) -> None:
    expected = "must be a time of the years 1 to 9999, with 0 to 999,999,999 nanos"
    listing = jobs_pb.ListJobsRequest(created_after=time, created_before=time)

    assert refusal(list_jobs, listing) == dict.fromkeys(("created_after", "created_before"), expected)
    assert refusal(update_file, files_pb.UpdateFileRequest(file_id=FILE_ID, expires_at=time)) == {
        "expires_at": expected
    }


def test_time__first_and_last() -> None:
    first, last = Timestamp(seconds=-62_135_596_800), Timestamp(seconds=253_402_300_799, nanos=999_999_999)
    wanted = list_jobs(jobs_pb.ListJobsRequest(created_after=first, created_before=last)).wanted

    assert (wanted.created_after, wanted.created_before) == (-62_135_596_800_000_000, 253_402_300_799_999_999)
    assert list_jobs(jobs_pb.ListJobsRequest()).wanted.created_after is None


@pytest.mark.parametrize(
    "duration",
    [Duration(seconds=2**62), Duration(seconds=61), Duration(nanos=-1), Duration(seconds=60, nanos=1),
     Duration(seconds=-1, nanos=1_500_000_000), Duration(seconds=61, nanos=-999_999_999)],
    ids=repr,
)  # fmt: skip
def test_duration__out_of_range_is_refused(duration: Duration) -> None:
    waiting = jobs_pb.WaitJobRequest(job_id=JOB_ID, timeout=duration)
    assert refusal(wait_job, waiting) == {"timeout": "must be 0 to 60 seconds"}


def test_duration__default_and_fraction() -> None:
    assert wait_job(jobs_pb.WaitJobRequest(job_id=JOB_ID)).timeout_seconds == 30
    timeout = Duration(seconds=1, nanos=500_000_000)
    assert wait_job(jobs_pb.WaitJobRequest(job_id=JOB_ID, timeout=timeout)).timeout_seconds == 1.5
    assert wait_job(jobs_pb.WaitJobRequest(job_id=JOB_ID, timeout=Duration())).timeout_seconds == 0


@pytest.mark.parametrize("seconds", [0, 59, 366 * 86_400 + 1])
def test_interval__60_seconds_to_366_days(seconds: int) -> None:
    message = with_mask(DATA_SOURCE, "sync_interval")
    message.sync_interval.seconds = seconds
    assert refusal(update_data_source, message) == {"sync_interval": "must be 60 to 31,622,400 seconds"}
