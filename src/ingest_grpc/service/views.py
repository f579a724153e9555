"""How a job is shown: review reasons, the unified file list, the FULL view. Bounded, each in one snapshot."""

from collections.abc import Sequence

from ingest_grpc.errors import CATALOGUE, IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import FileRecord, IngestionJob, Job, JobDetail, JobFile, ReviewReason, ReviewReasonType
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import RecordRow, Rows

MAX_REVIEW_REASONS = 100
MAX_REVIEW_REASONS_IN_LISTS = 3
MAX_DETAIL_RECORDS = 2_000
MAX_DETAIL_FILES = 2_000
MAX_DETAIL_INGESTION_JOBS = 1_000
MAX_DETAIL_MILESTONES = 500
MAX_DETAIL_POSITIONS = 100
"""Queue positions of a FULL view: each costs a count over the queue before it."""

MARKDOWN = "text/markdown"

_SYSTEM_PROMPT_MISSING = ReviewReason(
    type=ReviewReasonType.SYSTEM_PROMPT_MISSING,
    message="The job has no system prompt, which its type needs.",
    suggested_fix="Create the job with a system_prompt.",
)
_NO_VIABLE_FILE = ReviewReason(
    type=ReviewReasonType.NO_VIABLE_FILE,
    message="The job has no viable file: none was converted, and no Markdown was added.",
    suggested_fix="Add at least one file that can be converted, or Markdown.",
)


def job_not_found(job_id: str) -> IngestError:
    """There is no such job of the caller's team."""
    return IngestError(Reason.JOB_NOT_FOUND, {"job_id": job_id}, resource=("Job", job_id))


async def find_job(rows: Rows, team: str, job_id: str) -> Job:
    """Raises JOB_NOT_FOUND, for another team's job as well."""
    job = await rows.job(team, job_id)
    if job is None:
        raise job_not_found(job_id)
    return job


async def with_reviews(rows: Rows, job: Job, limit: int = MAX_REVIEW_REASONS) -> Job:
    """The job with its review reasons, prerequisites first; none while something is in flight."""
    facts = job.facts
    if facts.tally.in_flight or not facts.reviews:
        return job
    reasons = []
    if facts.misses_viable_file:
        reasons.append(_NO_VIABLE_FILE)
    if facts.misses_system_prompt:
        reasons.append(_SYSTEM_PROMPT_MISSING)
    if facts.tally.unresolved:
        reasons += [_review(row.record) for row in await rows.unresolved_records(job.row_id, limit)]
    return job.model_copy(update={"review_reasons": tuple(reasons[:limit])})


def _review(record: FileRecord) -> ReviewReason:
    if record.status is RecordStatus.FAILED and record.error is not None:
        kind, message, fix = ReviewReasonType.RECORD_FAILED, record.error.message, record.error.suggested_fix
    else:
        kind, message = ReviewReasonType.RECORD_CANCELLED, "The file was cancelled before it was converted."
        fix = "Upload and add the file again, or remove it from the job."
    return ReviewReason(
        type=kind,
        message=message,
        suggested_fix=fix,
        record_id=record.record_id,
        file_id=record.file_id,
        filename=record.filename,
    )


def job_file(record: FileRecord) -> JobFile:
    """A record as a line of the unified file list."""
    return JobFile(
        file_id=record.output_file_id,
        source_file_id=record.file_id,
        record_id=record.record_id,
        name=record.output_filename,
        content_type=MARKDOWN,
        created_at=record.created_at,
        status=record.status,
        suggested_fix=CATALOGUE[record.error.reason].suggested_fix
        if record.error is not None and record.status is RecordStatus.FAILED
        else "",
    )


async def shown_records(rows: Rows, records: Sequence[RecordRow], board: ProgressBoard) -> list[FileRecord]:
    """Records as a reply shows them: with step and progress while running, and the first queue positions."""
    shown, positions = [], 0
    for row in records:
        record = board.overlay(row.record)
        if row.claimable and positions < MAX_DETAIL_POSITIONS:
            positions += 1
            record = record.model_copy(update={"queue_position": await rows.position(row)})
        shown.append(record)
    return shown


async def job_detail(rows: Rows, job: Job, board: ProgressBoard) -> JobDetail:
    """The FULL view: live records only; what is beyond the bounds is told by the flags."""
    records = await shown_records(rows, await rows.records(job_row=job.row_id, limit=MAX_DETAIL_RECORDS), board)
    markdown = [entry for _, entry in await rows.markdown_files(job.row_id, MAX_DETAIL_FILES)]
    ingestion_jobs = await rows.ingestion_jobs(
        team=job.team_id,
        job_row=job.row_id,
        statuses=(),
        after=None,
        oldest_first=True,
        limit=MAX_DETAIL_INGESTION_JOBS,
    )
    timeline = await rows.milestones_after(job.row_id, 0, MAX_DETAIL_MILESTONES + 1)
    files = sorted([job_file(record) for record in records] + markdown, key=lambda file: file.created_at)
    return JobDetail(
        job=await with_reviews(rows, job),
        files=files,
        ingestion_jobs=[_filled(one, records) for one in ingestion_jobs],
        timeline=timeline[:MAX_DETAIL_MILESTONES],
        records_total=job.tally.total,
        records_truncated=len(records) < job.tally.total or len(markdown) < job.markdown_files,
        timeline_truncated=len(timeline) > MAX_DETAIL_MILESTONES,
    )


def _filled(ingestion_job: IngestionJob, records: Sequence[FileRecord]) -> IngestionJob:
    own = [record for record in records if record.ingestion_job_id == ingestion_job.ingestion_job_id]
    return with_records(ingestion_job, own)


def with_records(ingestion_job: IngestionJob, records: Sequence[FileRecord]) -> IngestionJob:
    """The ingestion job with its records and the ids of their files."""
    completed = [record.output_file_id for record in records if record.status is RecordStatus.COMPLETED]
    return ingestion_job.model_copy(
        update={
            "records": tuple(records),
            "file_ids": tuple(record.file_id for record in records)[:1_000],
            "output_file_ids": tuple(completed)[:1_000],
        }
    )
