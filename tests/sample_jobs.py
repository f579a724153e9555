"""Jobs in the FULL view as a server would return them, for tests of what is made of them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.client.messages import (
    AlignmentJob,
    AlignmentStep,
    EventKind,
    EventType,
    FileRecord,
    IngestionJob,
    IngestionJobStatus,
    Job,
    JobFile,
    JobStatus,
    JobType,
    Method,
    MilestoneDetail,
    RecordError,
    RecordStatus,
    Step,
    TimelineEvent,
)

START = datetime(2025, 11, 14, 7, 35, 21, 700_005, tzinfo=UTC)
UUID = "1b75f4d5-5c9e-4d33-b164-{:012x}"
RUN_ID = "ij-" + UUID.format(1)
LATER_RUN_ID = "ij-" + UUID.format(2)

COMPLETED = RecordStatus.RECORD_STATUS_COMPLETED
FAILED = RecordStatus.RECORD_STATUS_FAILED
CANCELLED = RecordStatus.RECORD_STATUS_CANCELLED
RUNNING = RecordStatus.RECORD_STATUS_RUNNING
QUEUED = RecordStatus.RECORD_STATUS_QUEUED


def at(seconds: int) -> Timestamp:
    """So many seconds after the job was created."""
    stamp = Timestamp()
    stamp.FromMicroseconds(int(START.timestamp()) * 1_000_000 + START.microsecond + seconds * 1_000_000)
    return stamp


def record(number: int, name: str, status: RecordStatus.ValueType, run: str = RUN_ID) -> FileRecord:
    """The record of a PDF, with the fields that every status brings; `number` makes its ids."""
    found = FileRecord(
        record_id="ijf-" + UUID.format(number),
        ingestion_job_id=run,
        job_id="dj-" + UUID.format(0),
        file_id="file-" + UUID.format(number),
        output_file_id="md-file-" + UUID.format(number),
        user_id="user-1",
        team_id="team-1",
        filename=name,
        output_filename=f"{name}.md",
        method=Method.METHOD_SPEED_OPTIMIZED,
        status=status,
        attempt=0 if status == QUEUED else 1,
        created_at=at(1),
    )
    if status != QUEUED:
        found.processing_at.CopyFrom(at(2))
    if status == RUNNING:
        found.worker_id = "worker-1"
    if status == COMPLETED:
        found.completed_at.CopyFrom(at(10))
    if status == CANCELLED:
        found.cancelled_at.CopyFrom(at(11))
    if status == FAILED:
        found.failed_at.CopyFrom(at(12))
        found.error.CopyFrom(
            RecordError(
                message="The file appears to be empty.",
                suggested_fix="Upload a file with content.",
                step=Step.STEP_PARSE,
            )
        )
    return found


def run(run_id: str, status: IngestionJobStatus.ValueType, records: Iterable[FileRecord]) -> IngestionJob:
    """An ingestion job that was claimed."""
    records = list(records)
    return IngestionJob(
        ingestion_job_id=run_id,
        job_id="dj-" + UUID.format(0),
        status=status,
        records=records,
        file_ids=[each.file_id for each in records],
        output_file_ids=[each.output_file_id for each in records if each.status == COMPLETED],
        documents_total=len(records),
        created_at=at(1),
        started_at=at(2),
    )


def job_file(of: FileRecord) -> JobFile:
    """The line of the file list for a record."""
    return JobFile(
        file_id=of.output_file_id,
        source_file_id=of.file_id,
        record_id=of.record_id,
        name=of.output_filename,
        content_type="text/markdown",
        created_at=of.created_at,
        status=of.status,
        suggested_fix=of.error.suggested_fix,
    )


def markdown_file() -> JobFile:
    """The line of the file list for Markdown that was uploaded."""
    return JobFile(
        file_id="file-" + UUID.format(99),
        name="notes.md",
        content_type="text/markdown",
        created_at=at(1),
        status=COMPLETED,
    )


def milestone(type_: EventType.ValueType, title: str, seconds: int, detail: MilestoneDetail | None) -> TimelineEvent:
    """A milestone; all but "Created" say something of an ingestion job."""
    event = TimelineEvent(
        sequence=seconds + 1,
        timestamp=at(seconds),
        type=type_,
        kind=EventKind.EVENT_KIND_MILESTONE,
        title=title,
        message=f"{title}.",
        milestone=detail,
    )
    event.metadata.SetInParent()
    if detail is not None:
        word = IngestionJobStatus.Name(detail.status).removeprefix("INGESTION_JOB_STATUS_").lower()
        event.metadata["ingestion_job_id"] = detail.ingestion_job_id
        event.metadata["status"] = word
        event.metadata["record_count"] = detail.record_count
    return event


def busy_job() -> Job:
    """A job that has seen it all: two runs, a record of every status, uploaded Markdown, three milestones."""
    lossy = record(11, "scan.pdf", COMPLETED)
    lossy.losses.append("Page 3 has no text.")
    lossy.loss_steps.append(Step.STEP_PARSE)
    waiting = record(15, "later.pdf", QUEUED, LATER_RUN_ID)
    waiting.queue_position = 4
    first = [lossy, record(12, "empty.pdf", FAILED), record(13, "stopped.pdf", CANCELLED)]
    second = [record(14, "busy.pdf", RUNNING, LATER_RUN_ID), waiting]
    partial = IngestionJobStatus.INGESTION_JOB_STATUS_PARTIALLY_COMPLETED
    finished = MilestoneDetail(ingestion_job_id=RUN_ID, status=partial, record_count=3)
    started = MilestoneDetail(
        ingestion_job_id=RUN_ID, status=IngestionJobStatus.INGESTION_JOB_STATUS_RUNNING, record_count=3
    )
    return Job(
        job_id="dj-" + UUID.format(0),
        name="Customer support refresh",
        description="PDFs and Markdown for the next tuning",
        job_type=JobType.JOB_TYPE_PRINCIPLE_FILES,
        status=JobStatus.JOB_STATUS_FILE_PROCESSING,
        status_message="1 file(s) wait and 1 are being converted; 1 are done.",
        user_id="user-1",
        team_id="team-1",
        created_at=at(0),
        updated_at=at(13),
        ingestion_jobs=[
            run(RUN_ID, partial, first),
            run(LATER_RUN_ID, IngestionJobStatus.INGESTION_JOB_STATUS_RUNNING, second),
        ],
        files=[markdown_file(), *map(job_file, first + second)],
        timeline=[
            milestone(EventType.EVENT_TYPE_CREATED, "Created", 0, None),
            milestone(EventType.EVENT_TYPE_FILE_PROCESSING_STARTED, "File Processing Started", 2, started),
            milestone(EventType.EVENT_TYPE_FILE_PROCESSING_COMPLETED, "File Processing Completed", 12, finished),
        ],
    )


def started_job(status: RecordStatus.ValueType) -> Job:
    """A job whose alignment has this status; running, it has come half way."""
    job = busy_job()
    alignment = AlignmentJob(
        alignment_job_id="al-" + UUID.format(50),
        job_id=job.job_id,
        status=status,
        status_message="The dataset is made.",
        created_at=at(20),
    )
    if status != QUEUED:
        alignment.started_at.CopyFrom(at(21))
    match status:
        case RecordStatus.RECORD_STATUS_RUNNING:
            alignment.current_step = AlignmentStep.ALIGNMENT_STEP_GENERATE
            alignment.progress, alignment.step_progress = 50.0, 12.5
            alignment.eta.CopyFrom(at(80))
        case RecordStatus.RECORD_STATUS_COMPLETED:
            alignment.completed_at.CopyFrom(at(30))
            alignment.output_file_ids.append("file-" + UUID.format(51))
        case RecordStatus.RECORD_STATUS_FAILED:
            alignment.failed_at.CopyFrom(at(31))
        case RecordStatus.RECORD_STATUS_CANCELLED:
            alignment.cancelled_at.CopyFrom(at(32))
    job.alignment_job_id = alignment.alignment_job_id
    job.alignment_job.CopyFrom(alignment)
    return job
