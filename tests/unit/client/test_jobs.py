import pytest

from ingest_grpc.client.messages import (
    AddFilesRequest,
    CreateJobRequest,
    EventType,
    File,
    FileRecord,
    FileToAdd,
    GetJobRequest,
    IngestionJob,
    IngestionJobStatus,
    Job,
    JobStatus,
    JobType,
    JobView,
    ListFileRecordsRequest,
    ListFileRecordsResponse,
    ListIngestionJobsRequest,
    ListIngestionJobsResponse,
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
from ingest_grpc.client.operations.common import enum_number
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
    world.run(jobs.remove_files(world.session, "dj-1", record_ids=["ijf-1"], file_ids=["file-2"]))
    assert world.requests == [
        AddFilesRequest(
            job_id="dj-1",
            files=[FileToAdd(file_id="file-1")],
            method=Method.METHOD_SPEED_OPTIMIZED,
            allow_partial=True,
            request_id="request-1",
        ),
        RemoveFilesRequest(job_id="dj-1", record_ids=["ijf-1"], file_ids=["file-2"], request_id="request-2"),
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
        ListJobsRequest(statuses=[JobStatus.JOB_STATUS_NEEDS_REVIEW]),
        ListTimelineEventsRequest(job_id="dj-1", after_sequence=2, types=[EventType.EVENT_TYPE_RECORD_FAILED]),
        ListIngestionJobsRequest(statuses=[IngestionJobStatus.INGESTION_JOB_STATUS_FAILED], oldest_first=True),
        ListFileRecordsRequest(job_id="dj-1", statuses=[RecordStatus.RECORD_STATUS_FAILED]),
    ]


@pytest.mark.parametrize("value", ["BASIC", "JOB_VIEW_BASIC", 1, JobView.JOB_VIEW_BASIC])
def test_enum_number__takes_every_form(value: str | int) -> None:
    assert enum_number(JobView, value) == JobView.JOB_VIEW_BASIC


@pytest.mark.parametrize("value", ["basic", "", 99, "JOB_VIEW"])
def test_enum_number__names_the_choices(value: str | int) -> None:
    with pytest.raises(ValueError, match="is none of BASIC, FULL"):
        enum_number(JobView, value)
