"""Replies with much in them: below the 4 MiB that a client accepts, and nothing is lost."""

from typing import Any

import pytest

from ingest_grpc.service import views
from ingest_grpc.service.keys import LOCAL
from ingest_grpc.v1 import file_service_pb2 as file_pb
from ingest_grpc.v1 import ingestion_pb2, job_pb2
from ingest_grpc.v1 import ingestion_service_pb2 as ingestion_pb
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.wire.bounded import MAX_REPLY_BYTES
from tests.integration.api.conftest import Api

PROMPT = "x" * 65_536


def new_job(name: str, *file_ids: str) -> pb.CreateJobRequest:
    return pb.CreateJobRequest(
        name=name,
        job_type=job_pb2.JOB_TYPE_PRINCIPLE_FILES,
        system_prompt=PROMPT,
        instructions=PROMPT,
        files=[pb.FileToAdd(file_id=file_id) for file_id in file_ids],
    )


async def test_list_jobs__pages_are_cut_by_bytes_and_lose_nothing(api: Api) -> None:
    for number in range(50):
        await api.jobs.CreateJob(new_job(str(number)))
    request = pb.ListJobsRequest(page_size=1_000)
    pages = [await api.jobs.ListJobs(request)]
    while pages[-1].next_page_token:
        request.page_token = pages[-1].next_page_token
        pages.append(await api.jobs.ListJobs(request))

    assert all(page.ByteSize() < MAX_REPLY_BYTES + 1_024 for page in pages)
    assert len(pages) == 3
    assert [job.name for page in pages for job in page.jobs] == [str(number) for number in reversed(range(50))]


async def test_list_jobs__the_cache_keeps_nothing_of_what_nobody_reads(api: Api) -> None:
    """A request may hold megabytes of fields that this server does not know."""
    for number in range(3):
        unknown = b"\xfa\x3e\x02" + f"{number:02}".encode()  # field 1,007, of two bytes
        await api.jobs.ListJobs(pb.ListJobsRequest.FromString(unknown))
    [key] = api.core.caches.pages._replies

    assert len(f"{key}") < 200
    await api.jobs.ListJobs(pb.ListJobsRequest(ascending=True))
    assert len(api.core.caches.pages) == 2


async def test_list_events__pages_follow_each_other(api: Api) -> None:
    file = await api.core.upload(caller=LOCAL)
    job_id = (await api.jobs.CreateJob(new_job("job", file.file_id))).job.job_id
    await api.jobs.CancelJob(pb.CancelJobRequest(job_id=job_id))
    request = pb.ListTimelineEventsRequest(job_id=job_id, page_size=2)
    pages = [await api.jobs.ListTimelineEvents(request)]
    while pages[-1].next_page_token:
        request.page_token = pages[-1].next_page_token
        pages.append(await api.jobs.ListTimelineEvents(request))

    sequences = [event.sequence for page in pages for event in page.events]
    assert len(pages) > 2
    assert sequences == list(range(1, pages[-1].head_sequence + 1))
    assert {page.earliest_sequence for page in pages} == {1}


async def test_get_job__views(api: Api) -> None:
    file = await api.core.upload(caller=LOCAL)
    created = await api.jobs.CreateJob(new_job("job", file.file_id))
    job_id = created.job.job_id
    basic = await api.jobs.GetJob(pb.GetJobRequest(job_id=job_id, view=job_pb2.JOB_VIEW_BASIC))
    full = await api.jobs.GetJob(pb.GetJobRequest(job_id=job_id))

    assert (len(basic.job.files), len(basic.job.ingestion_jobs), len(basic.job.timeline)) == (0, 0, 0)
    assert (basic.records_total, full.records_total) == (1, 1)
    assert [len(ingestion_job.records) for ingestion_job in full.job.ingestion_jobs] == [1]
    assert [line.source_file_id for line in full.job.files] == [file.file_id]
    assert [event.title for event in full.job.timeline] == ["Created"]
    assert not full.records_truncated
    assert created.job.files == full.job.files


async def test_full_view__says_in_every_reply_what_is_missing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("MAX_DETAIL_RECORDS", "MAX_DETAIL_FILES", "MAX_DETAIL_MILESTONES"):
        monkeypatch.setattr(views, bound, 0)
    one, two, three = [(await api.core.upload(f"{number}.pdf", caller=LOCAL)).file_id for number in range(3)]
    created = await api.jobs.CreateJob(new_job("job", one, two))
    job_id = created.job.job_id
    added = await api.jobs.AddFiles(pb.AddFilesRequest(job_id=job_id, files=[pb.FileToAdd(file_id=three)]))
    removed = await api.jobs.RemoveFiles(pb.RemoveFilesRequest(job_id=job_id, file_ids=[one]))
    await api.core.fail(await api.core.claim_one())
    await api.core.succeed(await api.core.claim_one())
    retried = await api.jobs.RetryFiles(pb.RetryFilesRequest(job_id=job_id, all_unresolved=pb.UnresolvedRecords()))
    await api.core.succeed(await api.core.claim_one())
    started = await api.jobs.StartJob(pb.StartJobRequest(job_id=job_id))
    cloned = await api.jobs.CloneJob(pb.CloneJobRequest(job_id=job_id))

    replies = (created, added, removed, retried, started, cloned)
    assert [reply.records_total for reply in replies] == [2, 3, 2, 2, 2, 0]
    assert all(reply.records_truncated and reply.timeline_truncated for reply in replies)


async def test_list_file_records__of_an_ingestion_job(api: Api) -> None:
    files = [await api.core.upload(f"{number}.pdf", caller=LOCAL) for number in range(5)]
    added = await api.core.create(*files, caller=LOCAL)
    assert added.ingestion_job_id is not None
    request = ingestion_pb.ListFileRecordsRequest(ingestion_job_id=added.ingestion_job_id, page_size=3)
    first = await api.ingestion.ListFileRecords(request)
    request.page_token = first.next_page_token
    second = await api.ingestion.ListFileRecords(request)
    one = await api.ingestion.GetIngestionJob(
        ingestion_pb.GetIngestionJobRequest(ingestion_job_id=added.ingestion_job_id)
    )
    listed = await api.ingestion.ListIngestionJobs(ingestion_pb.ListIngestionJobsRequest())

    names = [record.filename for record in [*first.records, *second.records]]
    assert names == ["0.pdf", "1.pdf", "2.pdf", "3.pdf", "4.pdf"]
    assert [record.filename for record in one.ingestion_job.records] == names
    assert (one.records_total, one.records_truncated) == (5, False)
    assert [ingestion_job.documents_total for ingestion_job in listed.ingestion_jobs] == [5]


async def test_totals__count_what_passes_the_filter_on_every_page(api: Api) -> None:
    files = [await api.core.upload(f"{number}.pdf", caller=LOCAL) for number in range(3)]
    job_id = (await api.core.create(*files, caller=LOCAL)).job.job.job_id
    await api.core.add(job_id, await api.core.upload("more.txt", caller=LOCAL), caller=LOCAL)
    failed = await api.core.claim_one()
    await api.core.fail(failed)
    fields: dict[str, Any] = {"page_size": 1, "include_total": True}

    listed = await api.files.ListFiles(file_pb.ListFilesRequest(filename_contains=".pdf", **fields))
    assert (len(listed.files), listed.total) == (1, 3)
    runs = ingestion_pb.ListIngestionJobsRequest(job_id=job_id, oldest_first=True, **fields)
    first = await api.ingestion.ListIngestionJobs(runs)
    runs.page_token = first.next_page_token
    second = await api.ingestion.ListIngestionJobs(runs)
    assert [len(first.ingestion_jobs), first.total, len(second.ingestion_jobs), second.total] == [1, 2, 1, 2]

    async def records(**more: Any) -> int | None:
        request = ingestion_pb.ListFileRecordsRequest(job_id=job_id, **fields, **more)
        return (await api.ingestion.ListFileRecords(request)).total

    assert await records() == 4
    assert await records(statuses=[ingestion_pb2.RecordStatus.RECORD_STATUS_QUEUED]) == 3
    assert await records(steps=[ingestion_pb2.Step.STEP_PARSE]) == 1
    assert await records(steps=[ingestion_pb2.Step.STEP_STORE]) == 0
    run = {"ingestion_job_id": first.ingestion_jobs[0].ingestion_job_id}
    assert [await records(**run), await records(statuses=[ingestion_pb2.RecordStatus.RECORD_STATUS_FAILED], **run)] == [
        3,
        1,
    ]
    await api.core.remove(job_id, records=[failed.record.record_id], caller=LOCAL)
    assert [await records(), await records(**run), await records(show_deleted=True)] == [3, 2, 4]
    silent = await api.ingestion.ListFileRecords(ingestion_pb.ListFileRecordsRequest(job_id=job_id))
    assert not silent.HasField("total"), "only where it is asked for"


async def test_totals__of_a_jobs_files_and_events(api: Api) -> None:
    kept, removed = [await api.core.upload(f"{number}.md", caller=LOCAL) for number in range(2)]
    pdfs = [await api.core.upload(f"{number}.pdf", caller=LOCAL) for number in range(3)]
    job_id = (await api.core.create(kept, removed, *pdfs, caller=LOCAL)).job.job.job_id
    await api.jobs.RemoveFiles(pb.RemoveFilesRequest(job_id=job_id, file_ids=[removed.file_id, pdfs[0].file_id]))
    fields: dict[str, Any] = {"job_id": job_id, "page_size": 1, "include_total": True}

    files = pb.ListJobFilesRequest(**fields)
    first = await api.jobs.ListJobFiles(files)
    files.page_token = first.next_page_token
    second = await api.jobs.ListJobFiles(files)
    assert [len(first.files), first.total, len(second.files), second.total] == [1, 3, 1, 3]
    assert len((await api.jobs.ListJobFiles(pb.ListJobFilesRequest(job_id=job_id))).files) == first.total

    async def events(**more: Any) -> pb.ListTimelineEventsResponse:
        return await api.jobs.ListTimelineEvents(pb.ListTimelineEventsRequest(**fields, **more))

    everything = await api.jobs.ListTimelineEvents(pb.ListTimelineEventsRequest(job_id=job_id))
    first_events = await events()
    assert (len(first_events.events), first_events.total) == (1, len(everything.events))
    assert (await events(page_token=first_events.next_page_token)).total == len(everything.events)
    assert (await events(after_sequence=2)).total == len(everything.events) - 2
    assert (await events(types=[job_pb2.EventType.EVENT_TYPE_FILES_REMOVED])).total == sum(
        event.type == job_pb2.EventType.EVENT_TYPE_FILES_REMOVED for event in everything.events
    )
    assert not everything.HasField("total"), "only where it is asked for"
