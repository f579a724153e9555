"""Requests of JobService: what is read, and what is refused with which field."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from ingest_grpc import model
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobStatus, JobType
from ingest_grpc.model import EventKind, EventType, WatchUntil
from ingest_grpc.v1 import ingestion_pb2, job_pb2
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.wire.requests import fields as shared
from ingest_grpc.wire.requests import jobs
from tests.unit.wire.values import FILE_ID, JOB_ID, OUTPUT_ID, RECORD_ID


def struct(values: dict[str, Any]) -> Struct:
    message = Struct()
    message.update(values)
    return message


def fields(error: IngestError) -> list[str]:
    return [violation.field for violation in error.violations]


def test_create_job__all_fields() -> None:
    asked = jobs.create_job(
        pb.CreateJobRequest(
            name="Handbook",
            description="All of it",
            job_type=job_pb2.JOB_TYPE_PRINCIPLE_FILES,
            system_prompt="Be kind.",
            instructions="Ask.",
            method=ingestion_pb2.METHOD_SPEED_OPTIMIZED,
            files=[pb.FileToAdd(file_id=FILE_ID, replaces_record_id=RECORD_ID, metadata=struct({"year": 1843}))],
            request_id="abc",
        )
    )

    assert asked.new == model.NewJob(
        name="Handbook",
        description="All of it",
        job_type=JobType.PRINCIPLE_FILES,
        system_prompt="Be kind.",
        instructions="Ask.",
        method=model.Method.SPEED_OPTIMIZED,
        files=(model.FileToAdd(file_id=FILE_ID, replaces_record_id=RECORD_ID, metadata={"year": 1843}),),
    )
    assert asked.request is not None
    assert (asked.request.method, asked.request.request_id) == ("/ingest_grpc.v1.JobService/CreateJob", "abc")


def test_create_job__everything_wrong_is_told_at_once() -> None:
    message = pb.CreateJobRequest(
        name=" ",
        description="d" * 4_097,
        system_prompt="é" * 32_769,
        instructions="a\0b",
        method=99,  # type: ignore[arg-type]  # an unknown number, as from a newer client
        files=[
            pb.FileToAdd(file_id=FILE_ID, metadata=struct({"tags": ["a"]})),
            pb.FileToAdd(file_id="nonsense", method=7, replaces_record_id=JOB_ID),  # type: ignore[arg-type]
        ],
        request_id="é",
    )
    with pytest.raises(IngestError) as raised:
        jobs.create_job(message)

    assert raised.value.reason is Reason.INVALID_FIELD
    assert fields(raised.value) == [
        "name",
        "description",
        "job_type",
        "system_prompt",
        "instructions",
        "method",
        "files[0].metadata[tags]",
        "files[1].file_id",
        "files[1].method",
        "files[1].replaces_record_id",
        "request_id",
    ]


def test_create_job__limits_are_allowed() -> None:
    message = pb.CreateJobRequest(
        name="n" * 255,
        description="é" * 4_096,
        job_type=job_pb2.JOB_TYPE_CONTEXT_GROUNDED_FILES,
        system_prompt="é" * 32_768,
        files=[pb.FileToAdd(file_id=FILE_ID)] * 1_000,
        request_id="~ " * 32,
    )

    assert len(jobs.create_job(message).new.files) == 1_000


@pytest.mark.parametrize("request_id", ["x" * 65, "line\n", "\x7f"])
def test_request_id__64_printable_ascii_characters(request_id: str) -> None:
    with pytest.raises(IngestError) as raised:
        jobs.cancel_job(pb.CancelJobRequest(job_id=JOB_ID, request_id=request_id))

    assert fields(raised.value) == ["request_id"]


def test_request__hash_depends_on_the_payload_alone() -> None:
    def payload_hash(**request: object) -> bytes:
        asked = jobs.cancel_job(pb.CancelJobRequest(**request))  # type: ignore[arg-type]
        assert asked.request is not None
        return asked.request.payload_hash

    other = JOB_ID.replace("1", "2")
    assert payload_hash(job_id=JOB_ID, request_id="a") == payload_hash(job_id=JOB_ID, request_id="b")
    assert payload_hash(job_id=JOB_ID, request_id="a") != payload_hash(job_id=other, request_id="a")


def test_request__of_a_call_that_is_refused_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold megabytes of what was just found to be too much."""
    monkeypatch.delattr(shared, "payload_hash")
    with pytest.raises(IngestError) as raised:
        jobs.cancel_job(pb.CancelJobRequest(job_id="x", request_id="abc"))

    assert fields(raised.value) == ["job_id"]


def test_request__none_without_request_id() -> None:
    assert jobs.cancel_job(pb.CancelJobRequest(job_id=JOB_ID)).request is None


@pytest.mark.parametrize(
    "job_id", ["", "dj-1", JOB_ID.upper(), FILE_ID, f"{JOB_ID} ", f"dj-{JOB_ID}", JOB_ID.replace("dj", "ij")]
)
def test_get_job__malformed_id_is_invalid_id(job_id: str) -> None:
    with pytest.raises(IngestError) as raised:
        jobs.get_job(pb.GetJobRequest(job_id=job_id))

    assert raised.value.reason is Reason.INVALID_ID
    assert fields(raised.value) == ["job_id"]


@pytest.mark.parametrize(
    ("view", "full"),
    [(job_pb2.JOB_VIEW_UNSPECIFIED, True), (job_pb2.JOB_VIEW_FULL, True), (job_pb2.JOB_VIEW_BASIC, False)],
)
def test_view__full_unless_basic(view: job_pb2.JobView.ValueType, full: bool) -> None:
    assert jobs.get_job(pb.GetJobRequest(job_id=JOB_ID, view=view)).full is full
    assert jobs.add_files(pb.AddFilesRequest(job_id=JOB_ID, files=[{"file_id": FILE_ID}], view=view)).full is full  # type: ignore[list-item]
    assert jobs.remove_files(pb.RemoveFilesRequest(job_id=JOB_ID, file_ids=[FILE_ID], view=view)).full is full


@pytest.mark.parametrize(("given", "used"), [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (2**31 - 1, 1_000)])
def test_page_size__default_and_maximum(given: int, used: int) -> None:
    assert jobs.list_jobs(pb.ListJobsRequest(page_size=given)).page_size == used


def test_page_size__negative_is_refused() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.list_jobs(pb.ListJobsRequest(page_size=-1))

    assert fields(raised.value) == ["page_size"]


def test_list_jobs__statuses_each_once() -> None:
    message = pb.ListJobsRequest(
        statuses=[job_pb2.JOB_STATUS_RUNNING, job_pb2.JOB_STATUS_FAILED, job_pb2.JOB_STATUS_RUNNING]
    )

    assert jobs.list_jobs(message).wanted.statuses == (JobStatus.RUNNING, JobStatus.FAILED)


def test_list_jobs__unspecified_status_is_refused() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.list_jobs(pb.ListJobsRequest(statuses=[job_pb2.JOB_STATUS_RUNNING, job_pb2.JOB_STATUS_UNSPECIFIED]))

    assert fields(raised.value) == ["statuses[1]"]


def test_list_jobs__thousands_of_statuses_are_not_read() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.list_jobs(pb.ListJobsRequest(statuses=[job_pb2.JOB_STATUS_UNSPECIFIED] * 10_000))

    assert fields(raised.value) == ["statuses"]


@pytest.mark.parametrize("count", [0, 1_001])
def test_add_files__1_to_1000(count: int) -> None:
    with pytest.raises(IngestError) as raised:
        jobs.add_files(pb.AddFilesRequest(job_id=JOB_ID, files=[pb.FileToAdd(file_id=FILE_ID)] * count))

    assert fields(raised.value) == ["files"]


def test_add_files__the_same_in_another_view_is_the_same_request() -> None:
    """What is shown of the job has no part in what is done: a repeated call may ask for more or less of it."""
    message = pb.AddFilesRequest(job_id=JOB_ID, files=[pb.FileToAdd(file_id=FILE_ID)], request_id="once")
    first = jobs.add_files(message).request
    message.view = job_pb2.JOB_VIEW_BASIC
    assert jobs.add_files(message).request == first
    message.allow_partial = True
    assert jobs.add_files(message).request != first


def test_add_files__300_bad_ids_are_all_found() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.add_files(pb.AddFilesRequest(job_id=JOB_ID, files=[pb.FileToAdd(file_id="bad")] * 300))

    assert raised.value.reason is Reason.INVALID_ID
    assert fields(raised.value) == [f"files[{index}].file_id" for index in range(20)]
    assert raised.value.violations_total == 300


def test_add_files__outputs_cannot_be_added() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.add_files(pb.AddFilesRequest(job_id=JOB_ID, files=[pb.FileToAdd(file_id=OUTPUT_ID)]))

    assert raised.value.reason is Reason.INVALID_ID


def test_remove_files__records_and_both_kinds_of_files() -> None:
    asked = jobs.remove_files(
        pb.RemoveFilesRequest(job_id=JOB_ID, record_ids=[RECORD_ID], file_ids=[FILE_ID, OUTPUT_ID])
    )

    assert (asked.record_ids, asked.file_ids) == ((RECORD_ID,), (FILE_ID, OUTPUT_ID))


@pytest.mark.parametrize(("records", "files"), [(0, 0), (501, 500)])
def test_remove_files__1_to_1000_in_all(records: int, files: int) -> None:
    message = pb.RemoveFilesRequest(job_id=JOB_ID, record_ids=[RECORD_ID] * records, file_ids=[FILE_ID] * files)
    with pytest.raises(IngestError) as raised:
        jobs.remove_files(message)

    assert fields(raised.value) == ["record_ids"]


def test_list_timeline_events__types_and_cursor() -> None:
    asked = jobs.list_timeline_events(
        pb.ListTimelineEventsRequest(job_id=JOB_ID, after_sequence=3, types=[job_pb2.EVENT_TYPE_CREATED])
    )

    assert (asked.after_sequence, asked.types) == (3, (EventType.CREATED,))


def test_list_timeline_events__negative_cursor_is_refused() -> None:
    with pytest.raises(IngestError) as raised:
        jobs.list_timeline_events(pb.ListTimelineEventsRequest(job_id=JOB_ID, after_sequence=-1))

    assert fields(raised.value) == ["after_sequence"]


def test_watch_job__defaults() -> None:
    assert jobs.watch_job(pb.WatchJobRequest(job_id=JOB_ID)) == model.WatchRequest(job_id=JOB_ID)


def test_watch_job__everything() -> None:
    asked = jobs.watch_job(
        pb.WatchJobRequest(
            job_id=JOB_ID,
            after_sequence=0,
            until=pb.WATCH_UNTIL_NEVER,
            kinds=[pb.WATCH_KIND_RECORD, pb.WATCH_KIND_PROGRESS],
            heartbeat_interval_seconds=60,
            ledger_id="ledger",
        )
    )

    assert asked == model.WatchRequest(
        job_id=JOB_ID,
        after_sequence=0,
        until=WatchUntil.NEVER,
        kinds=frozenset({EventKind.RECORD}),
        progress=True,
        heartbeat_interval_seconds=60,
        ledger_id="ledger",
    )


def test_watch_job__progress_alone_is_no_event() -> None:
    asked = jobs.watch_job(pb.WatchJobRequest(job_id=JOB_ID, kinds=[pb.WATCH_KIND_PROGRESS]))

    assert asked.kinds == frozenset()


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.WatchJobRequest(job_id=JOB_ID, after_sequence=-1), "after_sequence"),
        (pb.WatchJobRequest(job_id=JOB_ID, heartbeat_interval_seconds=4), "heartbeat_interval_seconds"),
        (pb.WatchJobRequest(job_id=JOB_ID, heartbeat_interval_seconds=61), "heartbeat_interval_seconds"),
        (pb.WatchJobRequest(job_id=JOB_ID, heartbeat_interval_seconds=-1), "heartbeat_interval_seconds"),
        (pb.WatchJobRequest(job_id=JOB_ID, kinds=[pb.WATCH_KIND_UNSPECIFIED]), "kinds[0]"),
        (pb.WatchJobRequest(job_id="dj"), "job_id"),
    ],
)
def test_watch_job__refusals(request_: pb.WatchJobRequest, field: str) -> None:
    with pytest.raises(IngestError) as raised:
        jobs.watch_job(request_)

    assert fields(raised.value) == [field]
