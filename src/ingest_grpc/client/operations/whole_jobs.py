"""Jobs in the FULL view, however large they are."""

from collections import defaultdict

from ingest_grpc.client.effects import Operation, drain
from ingest_grpc.client.messages import EventType, FileRecord, Job, RecordStatus
from ingest_grpc.client.operations.ingestion import list_file_records, list_ingestion_jobs
from ingest_grpc.client.operations.jobs import get_job, list_events, list_job_files
from ingest_grpc.client.retry import Session

PAGE = 1_000

MILESTONES = (
    EventType.EVENT_TYPE_CREATED,
    EventType.EVENT_TYPE_FILE_PROCESSING_STARTED,
    EventType.EVENT_TYPE_FILE_PROCESSING_COMPLETED,
)
"""The types of events that the FULL view has."""


def whole_job(session: Session, job_id: str) -> Operation[Job]:
    """A job in the FULL view with all its files, ingestion jobs, records and milestones.

    What exceeds one reply is read from the lists: it may then be newer than the job itself.
    """
    response = yield from get_job(session, job_id)
    if response.records_truncated:
        yield from _read_files(session, response.job)
    if response.timeline_truncated:
        yield from _read_timeline(session, response.job)
    return response.job


def _read_files(session: Session, job: Job) -> Operation[None]:
    del job.files[:], job.ingestion_jobs[:]
    records: dict[str, list[FileRecord]] = defaultdict(list)
    listed = list_file_records(session, job_id=job.job_id, page_size=PAGE)
    yield from drain(listed, lambda record: records[record.ingestion_job_id].append(record))
    runs = list_ingestion_jobs(session, job_id=job.job_id, oldest_first=True, page_size=PAGE)
    yield from drain(runs, job.ingestion_jobs.append)
    for each in job.ingestion_jobs:
        own = records[each.ingestion_job_id]
        completed = [record for record in own if record.status == RecordStatus.RECORD_STATUS_COMPLETED]
        each.records.extend(own)
        each.file_ids.extend(record.file_id for record in own)
        each.output_file_ids.extend(record.output_file_id for record in completed)
    yield from drain(list_job_files(session, job.job_id, page_size=PAGE), job.files.append)
    job.files.sort(key=lambda file: file.created_at.ToMicroseconds())


def _read_timeline(session: Session, job: Job) -> Operation[None]:
    # A reply is cut at its end: what it has is the beginning.
    after = job.timeline[-1].sequence if job.timeline else 0
    events = list_events(session, job.job_id, after_sequence=after, types=MILESTONES, page_size=PAGE)
    yield from drain(events, job.timeline.append)
