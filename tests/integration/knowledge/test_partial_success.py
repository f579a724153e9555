"""Broken documents among good ones, and what a later sync with corrected files makes of them."""

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus, Step
from ingest_grpc.v1.job_pb2 import EventType, Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import GetJobRequest, ListTimelineEventsRequest
from tests import documents
from tests.integration.knowledge.library import Library

GOOD, BROKEN = 8, ("broken-1.pdf", "broken-2.pdf")


def fill(library: Library) -> None:
    for number in range(GOOD):
        library.write(f"good-{number}.md", f"# Page {number}\n\nText of page {number}.\n")
    for name in BROKEN:
        library.write(name, b"%PDF-1.7 this is no PDF")


async def review_reasons(library: Library, job: Job) -> list[str]:
    now = (await library.server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job
    return sorted(reason.filename for reason in now.review_reasons)


async def test_two_of_ten__are_broken(library: Library) -> None:
    fill(library)

    job = await library.add_source()

    assert job.status == JobStatus.JOB_STATUS_COMPLETED
    assert [reason.filename for reason in job.review_reasons] == list(BROKEN)
    counts = {count.status: count.count for count in job.record_counts}
    assert (counts[RecordStatus.RECORD_STATUS_COMPLETED], counts[RecordStatus.RECORD_STATUS_FAILED]) == (8, 2)
    for name in BROKEN:
        file_id = (await library.files())[name].file_id
        request = pb.GetFileStatusRequest(knowledge_base_id=library.id, file_id=file_id)
        status = (await library.server.knowledge.GetFileStatus(request)).status
        assert status.status == RecordStatus.RECORD_STATUS_FAILED
        assert [(each.error.step, each.job_id) for each in status.errors] == [(Step.STEP_PARSE, job.job_id)]


async def test_counts__are_right_at_every_event(library: Library) -> None:
    """What an event says of its ingestion job is what the records' events before it add up to."""
    fill(library)
    job = await library.add_source()
    request = ListTimelineEventsRequest(job_id=job.job_id, page_size=1_000)
    events = (await library.server.jobs.ListTimelineEvents(request)).events
    completed = failed = chunks = 0
    seen = 0
    for event in events:
        if event.type == EventType.EVENT_TYPE_RECORD_COMPLETED:
            completed, chunks = completed + 1, chunks + event.record_change.record.chunks_created
        if event.type == EventType.EVENT_TYPE_RECORD_FAILED:
            failed += 1
        if event.HasField("ingestion_job_change"):
            run = event.ingestion_job_change.ingestion_job
            seen += 1
            assert (run.documents_processed, run.documents_failed, run.chunks_created) == (completed, failed, chunks)
    assert (completed, failed, chunks) == (8, 2, 8)
    assert seen >= 3, "queued, running, and what came of it"


async def test_second_sync__does_not_try_what_failed_for_good(library: Library) -> None:
    fill(library)
    await library.add_source()

    assert not (await library.sync()).HasField("job")


async def test_corrected_files__clear_the_review_reasons(library: Library) -> None:
    """One is corrected, the other one goes: both resolve the older job's failures, with events on its timeline."""
    fill(library)
    older = await library.add_source()
    library.write(BROKEN[0], documents.pdf())
    library.delete(BROKEN[1])

    reply = await library.sync(BROKEN[0], BROKEN[1])

    assert reply.data_source.last_sync.deleted == 1
    assert await review_reasons(library, older) == []
    request = ListTimelineEventsRequest(job_id=older.job_id, types=[EventType.EVENT_TYPE_RECORD_SUPERSEDED])
    events = (await library.server.jobs.ListTimelineEvents(request)).events
    assert {event.record_change.record.filename for event in events} == set(BROKEN)
