from datetime import UTC, datetime

import pytest

from ingest_grpc.client.messages import (
    AddFilesRequest,
    CreateJobRequest,
    EventType,
    File,
    FileRecord,
    FileToAdd,
    GetFileRecordRequest,
    GetFileRecordResponse,
    GetJobRequest,
    IngestionJob,
    IngestionJobStatus,
    Job,
    JobFile,
    JobStatus,
    JobType,
    JobView,
    ListFileRecordsRequest,
    ListFileRecordsResponse,
    ListIngestionJobsRequest,
    ListIngestionJobsResponse,
    ListJobFilesRequest,
    ListJobFilesResponse,
    ListJobsOrder,
    ListJobsRequest,
    ListJobsResponse,
    ListTimelineEventsRequest,
    ListTimelineEventsResponse,
    Method,
    RecordStatus,
    RemoveFilesRequest,
    TimelineEvent,
)
from ingest_grpc.client.operations import ingestion, jobs
from ingest_grpc.client.operations.common import enum_number, timestamp
from tests.unit.client.world import World, script


def test_create_job__takes_files_in_every_form() -> None:
    world = World(CreateJob=script(None))
    detailed = FileToAdd(file_id="file-3", replaces_record_id="ijf-1")
    world.run(
        jobs.create_job(
            world.session, "Reports", job_type="PRINCIPLE_FILES", files=["file-1", File(file_id="file-2"), detailed]
        )
    )
    assert world.requests == [
        CreateJobRequest(
            name="Reports",
            job_type=JobType.JOB_TYPE_PRINCIPLE_FILES,
            files=[FileToAdd(file_id="file-1"), FileToAdd(file_id="file-2"), detailed],
            request_id="request-1",
        )
    ]


def test_get_job__asks_for_everything_unless_told() -> None:
    world = World(GetJob=script(None, None))
    world.run(jobs.get_job(world.session, "dj-1"))
    world.run(jobs.get_job(world.session, "dj-1", view="BASIC"))
    assert world.requests == [
        GetJobRequest(job_id="dj-1", view=JobView.JOB_VIEW_FULL),
        GetJobRequest(job_id="dj-1", view=JobView.JOB_VIEW_BASIC),
    ]


def test_add_and_remove_files() -> None:
    world = World(AddFiles=script(None), RemoveFiles=script(None))
    world.run(jobs.add_files(world.session, "dj-1", ["file-1"], method="SPEED_OPTIMIZED", allow_partial=True))
    world.run(jobs.remove_files(world.session, "dj-1", record_ids=["ijf-1"], file_ids=["file-2"], view="BASIC"))
    assert world.requests == [
        AddFilesRequest(
            job_id="dj-1",
            files=[FileToAdd(file_id="file-1")],
            method=Method.METHOD_SPEED_OPTIMIZED,
            allow_partial=True,
            request_id="request-1",
            view=JobView.JOB_VIEW_FULL,
        ),
        RemoveFilesRequest(
            job_id="dj-1",
            record_ids=["ijf-1"],
            file_ids=["file-2"],
            request_id="request-2",
            view=JobView.JOB_VIEW_BASIC,
        ),
    ]


def test_lists__ask_with_their_filters_and_give_their_items() -> None:
    job, event = Job(job_id="dj-1"), TimelineEvent(sequence=3)
    run, record = IngestionJob(ingestion_job_id="ij-1"), FileRecord(record_id="ijf-1")
    world = World(
        ListJobs=script(ListJobsResponse(jobs=[job])),
        ListTimelineEvents=script(ListTimelineEventsResponse(events=[event])),
        ListIngestionJobs=script(ListIngestionJobsResponse(ingestion_jobs=[run])),
        ListFileRecords=script(ListFileRecordsResponse(records=[record])),
    )
    session = world.session
    assert list(world.iterate(jobs.list_jobs(session, statuses=["NEEDS_REVIEW"]))) == [job]
    assert list(world.iterate(jobs.list_events(session, "dj-1", after_sequence=2, types=["RECORD_FAILED"]))) == [event]
    assert list(world.iterate(ingestion.list_ingestion_jobs(session, statuses=["FAILED"], oldest_first=True))) == [run]
    assert list(world.iterate(ingestion.list_file_records(session, job_id="dj-1", statuses=["FAILED"]))) == [record]
    assert world.requests == [
        ListJobsRequest(
            statuses=[JobStatus.JOB_STATUS_NEEDS_REVIEW], order_by=ListJobsOrder.LIST_JOBS_ORDER_CREATED_AT
        ),
        ListTimelineEventsRequest(job_id="dj-1", after_sequence=2, types=[EventType.EVENT_TYPE_RECORD_FAILED]),
        ListIngestionJobsRequest(statuses=[IngestionJobStatus.INGESTION_JOB_STATUS_FAILED], oldest_first=True),
        ListFileRecordsRequest(job_id="dj-1", statuses=[RecordStatus.RECORD_STATUS_FAILED]),
    ]


def test_create_job__labels_key_priority_and_rehearsal() -> None:
    world = World(CreateJob=script(None))
    world.run(
        jobs.create_job(
            world.session, "Reports", priority=3, external_id="mine", labels={"team": "a"}, validate_only=True
        )
    )
    (request,) = world.requests
    assert (request.priority, request.external_id, dict(request.labels)) == (3, "mine", {"team": "a"})
    assert request.validate_only


def test_list_jobs__every_filter_and_the_order() -> None:
    world = World(ListJobs=script(ListJobsResponse()))
    moment = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
    feed = jobs.list_jobs(
        world.session,
        job_types=["PRINCIPLE_FILES"],
        external_id="mine",
        name_contains="port",
        labels={"team": "a"},
        created_after=moment,
        created_before=moment,
        show_deleted=True,
        order_by="NAME",
        ascending=True,
        page_size=5,
    )
    assert list(world.iterate(feed)) == []
    stamp = timestamp(moment)
    assert stamp is not None
    assert stamp.ToJsonString() == "2026-01-15T14:30:00Z"
    assert world.requests == [
        ListJobsRequest(
            job_types=[JobType.JOB_TYPE_PRINCIPLE_FILES],
            external_id="mine",
            name_contains="port",
            labels={"team": "a"},
            created_after=stamp,
            created_before=stamp,
            show_deleted=True,
            order_by=ListJobsOrder.LIST_JOBS_ORDER_NAME,
            ascending=True,
            page_size=5,
        )
    ]


def test_list_jobs__a_time_that_nobody_can_place_is_refused() -> None:
    world = World()
    with pytest.raises(ValueError, match="has no time zone"):
        list(world.iterate(jobs.list_jobs(world.session, created_after=datetime(2026, 1, 15))))  # noqa: DTZ001


def test_count_jobs__asks_for_the_total_and_no_more_than_it_must() -> None:
    world = World(ListJobs=script(ListJobsResponse(jobs=[Job()], next_page_token="more", total=17)))
    assert world.run(jobs.count_jobs(world.session, statuses=["FAILED"])) == 17
    assert world.requests == [ListJobsRequest(statuses=[JobStatus.JOB_STATUS_FAILED], include_total=True, page_size=1)]


def test_list_job_files_and_get_file_record() -> None:
    file, record = JobFile(file_id="file-1"), FileRecord(record_id="ijf-1")
    world = World(
        ListJobFiles=script(ListJobFilesResponse(files=[file])),
        GetFileRecord=script(GetFileRecordResponse(record=record)),
    )
    assert list(world.iterate(jobs.list_job_files(world.session, "dj-1", page_size=2))) == [file]
    assert world.run(ingestion.get_file_record(world.session, "ijf-1")) == record
    assert world.requests == [
        ListJobFilesRequest(job_id="dj-1", page_size=2),
        GetFileRecordRequest(record_id="ijf-1"),
    ]


@pytest.mark.parametrize("value", ["BASIC", "JOB_VIEW_BASIC", 1, JobView.JOB_VIEW_BASIC])
def test_enum_number__takes_every_form(value: str | int) -> None:
    assert enum_number(JobView, value) == JobView.JOB_VIEW_BASIC


@pytest.mark.parametrize("value", ["basic", "", 99, "JOB_VIEW"])
def test_enum_number__names_the_choices(value: str | int) -> None:
    with pytest.raises(ValueError, match="is none of BASIC, FULL"):
        enum_number(JobView, value)
