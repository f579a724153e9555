from ingest_grpc.client.messages import (
    EventType,
    FileRecord,
    GetJobResponse,
    IngestionJob,
    Job,
    JobFile,
    ListFileRecordsResponse,
    ListIngestionJobsResponse,
    ListJobFilesResponse,
    ListTimelineEventsRequest,
    ListTimelineEventsResponse,
    RecordStatus,
    TimelineEvent,
)
from ingest_grpc.client.operations.whole_jobs import MILESTONES, whole_job
from ingest_grpc.model import EVENT_TYPES, EventKind
from tests.sample_jobs import at
from tests.unit.client.world import World, script

COMPLETED, QUEUED = RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_QUEUED


def record(name: str, run: str, status: RecordStatus.ValueType) -> FileRecord:
    return FileRecord(
        record_id=f"ijf-{name}",
        ingestion_job_id=run,
        file_id=f"file-{name}",
        output_file_id=f"md-{name}",
        status=status,
    )


def test_whole_job__one_call_when_one_reply_holds_it() -> None:
    job = Job(job_id="dj-1", files=[JobFile(file_id="file-1")])
    world = World(GetJob=script(GetJobResponse(job=job)))
    assert world.run(whole_job(world.session, "dj-1")) == job


def test_whole_job__what_was_cut_comes_from_the_lists() -> None:
    cut = Job(job_id="dj-1", name="big", files=[JobFile(file_id="file-a")], ingestion_jobs=[IngestionJob()])
    records = [record("a", "ij-1", COMPLETED), record("b", "ij-2", QUEUED), record("c", "ij-1", QUEUED)]
    late, early = JobFile(file_id="file-late", created_at=at(2)), JobFile(file_id="file-early", created_at=at(1))
    runs = [IngestionJob(ingestion_job_id="ij-1"), IngestionJob(ingestion_job_id="ij-2")]
    world = World(
        GetJob=script(GetJobResponse(job=cut, records_truncated=True)),
        ListFileRecords=script(
            ListFileRecordsResponse(records=records[:2], next_page_token="next"),
            ListFileRecordsResponse(records=records[2:]),
        ),
        ListIngestionJobs=script(ListIngestionJobsResponse(ingestion_jobs=runs)),
        ListJobFiles=script(ListJobFilesResponse(files=[late, early])),
    )
    job = world.run(whole_job(world.session, "dj-1"))
    assert job.name == "big"
    assert [file.file_id for file in job.files] == ["file-early", "file-late"]
    first, second = job.ingestion_jobs
    assert list(first.records) == [records[0], records[2]]
    assert (list(first.file_ids), list(first.output_file_ids)) == (["file-a", "file-c"], ["md-a"])
    assert list(second.records) == [records[1]]


def test_whole_job__the_timeline_goes_on_where_it_was_cut() -> None:
    first, second = TimelineEvent(sequence=4), TimelineEvent(sequence=9)
    world = World(
        GetJob=script(GetJobResponse(job=Job(job_id="dj-1", timeline=[first]), timeline_truncated=True)),
        ListTimelineEvents=script(ListTimelineEventsResponse(events=[second])),
    )
    assert list(world.run(whole_job(world.session, "dj-1")).timeline) == [first, second]
    assert world.requests[-1] == ListTimelineEventsRequest(
        job_id="dj-1", after_sequence=4, types=MILESTONES, page_size=1_000
    )


def test_milestones__are_those_of_the_server() -> None:
    milestones = {name for name, one in EVENT_TYPES.items() if one.kind is EventKind.MILESTONE}
    assert {EventType.Name(number).removeprefix("EVENT_TYPE_") for number in MILESTONES} == milestones
