"""How a job is shown: review reasons, the unified file list, the FULL view. Bounded, each in one snapshot."""

from collections.abc import Sequence

from ingest_grpc.errors import CATALOGUE, IngestError, Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import (
    AlignmentJob,
    FileRecord,
    IngestionJob,
    Job,
    JobDetail,
    JobFile,
    ReviewReason,
    ReviewReasonType,
)
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import JobCursor, RecordRow, Rows

MAX_REVIEW_REASONS = 100
MAX_REVIEW_REASONS_IN_LISTS = 3
MAX_DETAIL_RECORDS = 2_000
MAX_DETAIL_FILES = 2_000
MAX_DETAIL_INGESTION_JOBS = 1_000
MAX_DETAIL_MILESTONES = 500

MARKDOWN = "text/markdown"

_MARKDOWN_PART = 0
_RECORDS_PART = 1

_SYSTEM_PROMPT_MISSING = ReviewReason(
    type=ReviewReasonType.SYSTEM_PROMPT_MISSING,
    message="The job has no system prompt, which its type needs.",
    suggested_fix="Update the job with a system_prompt.",
)
_KNOWLEDGE_BASE_MISSING = ReviewReason(
    type=ReviewReasonType.KNOWLEDGE_BASE_MISSING,
    message="The job has no knowledge base, which its type needs.",
    suggested_fix="Update the job with a knowledge_base_id.",
)
_NO_VIABLE_FILE = ReviewReason(
    type=ReviewReasonType.NO_VIABLE_FILE,
    message="The job has no viable file: none was converted, and no Markdown was added.",
    suggested_fix="Add at least one file that can be converted, or Markdown.",
)
_OUTPUTS_EXPIRED = _NO_VIABLE_FILE.model_copy(
    update={
        "message": "The job has no viable file: the outputs of its files were deleted, their retention time is over.",
        "suggested_fix": "Add the files again to have them converted anew.",
    }
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


async def find_detail(rows: Rows, *, team: str, job_id: str, board: ProgressBoard, full: bool = True) -> JobDetail:
    """The FULL view of a job, or the BASIC one, which has none of the details. Raises JOB_NOT_FOUND."""
    job = await find_job(rows, team, job_id)
    if full:
        return await job_detail(rows, job, board)
    job = await with_reviews(rows, job)
    return JobDetail(job, files=(), ingestion_jobs=(), timeline=(), records_total=job.tally.total)


async def file_list(
    rows: Rows, job: Job, after: JobCursor | None, limit: int
) -> tuple[list[JobFile], JobCursor | None]:
    """One page of the unified file list, Markdown first, and where to go on."""
    part, row = (_MARKDOWN_PART, 0) if after is None else after
    files: list[JobFile] = []
    if part == _MARKDOWN_PART:
        markdown = await rows.markdown_files(job.row_id, limit + 1, row)
        files = [entry for _, entry in markdown[:limit]]
        if len(markdown) > limit:
            return files, (_MARKDOWN_PART, markdown[limit - 1][0])
        row = 0
    records = await rows.records(job_row=job.row_id, after=row, limit=limit - len(files) + 1)
    room = limit - len(files)
    files += [job_file(one.record) for one in records[:room]]
    if len(records) > room:
        return files, (_RECORDS_PART, records[room - 1].record.row_id if room else 0)
    return files, None


async def with_reviews(rows: Rows, job: Job, limit: int = MAX_REVIEW_REASONS) -> Job:
    """The job with its review reasons, prerequisites first; none while something is in flight."""
    if not reviews_records(job):
        return with_prerequisites(job)
    records = [_review(row.record) for row in await rows.unresolved_records(job.row_id, limit)]
    reasons = [*with_prerequisites(job).review_reasons, *records]
    return job.model_copy(update={"review_reasons": tuple(reasons[:limit])})


def reviews_records(job: Job) -> bool:
    """Whether records are among the job's review reasons: those have to be read."""
    return bool(job.tally.unresolved) and not job.facts.in_flight and bool(job.facts.reviews)


def with_prerequisites(job: Job) -> Job:
    """The job with those review reasons that its own row tells."""
    facts = job.facts
    if facts.in_flight or not facts.reviews:
        return job
    reasons = []
    if facts.misses_viable_file:
        reasons.append(_OUTPUTS_EXPIRED if job.expired_outputs else _NO_VIABLE_FILE)
    if facts.misses_system_prompt:
        reasons.append(_SYSTEM_PROMPT_MISSING)
    if facts.misses_knowledge_base:
        reasons.append(_KNOWLEDGE_BASE_MISSING)
    return job.model_copy(update={"review_reasons": tuple(reasons)})


def _review(record: FileRecord) -> ReviewReason:
    if record.status is RecordStatus.FAILED and record.error is not None:
        kind, message, fix = ReviewReasonType.RECORD_FAILED, record.error.message, record.error.suggested_fix
    else:
        kind, message = ReviewReasonType.RECORD_CANCELLED, "The file was cancelled before it was converted."
        fix = "Retry the file, or remove it from the job."
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
        expired_at=record.output_expired_at,
    )


async def shown_records(rows: Rows, records: Sequence[RecordRow], board: ProgressBoard) -> list[FileRecord]:
    """Records as a reply shows them: with step and progress while running, and with their queue positions."""
    shown, ranks = [], await rows.ranks(records)
    for row in records:
        record = board.overlay(row.record)
        if (rank := ranks.get(record.row_id)) is not None:
            estimate = board.pace.estimated_start_at(rank)
            record = record.model_copy(update={"queue_position": rank, "estimated_start_at": estimate})
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
        ingestion_jobs=_filled(ingestion_jobs, records),
        timeline=timeline[:MAX_DETAIL_MILESTONES],
        records_total=job.tally.total,
        records_truncated=len(records) < job.tally.total or len(markdown) < job.markdown_files,
        timeline_truncated=len(timeline) > MAX_DETAIL_MILESTONES,
        alignment=await shown_alignment(rows, job, board),
    )


async def shown_alignment(rows: Rows, job: Job, board: ProgressBoard) -> AlignmentJob | None:
    """The job's current alignment: with its progress while running, and its queue position while it waits."""
    row = await rows.current_alignment(job.row_id)
    if row is None:
        return None
    alignment = row.alignment
    if alignment.status is RecordStatus.COMPLETED:
        return alignment.model_copy(update={"progress": 100.0, "step_progress": 100.0})
    if (at := board.alignments.of(job.row_id, alignment)) is not None:
        names = ("current_step", "progress", "step_progress", "eta")
        return alignment.model_copy(update={name: getattr(at, name) for name in names})
    return alignment.model_copy(update={"queue_position": await rows.alignment_position(row)})


def _filled(ingestion_jobs: Sequence[IngestionJob], records: Sequence[FileRecord]) -> list[IngestionJob]:
    """Each with its own of the records. Both lists may be long: nobody goes through one for each of the other."""
    own: dict[str, list[FileRecord]] = {one.ingestion_job_id: [] for one in ingestion_jobs}
    for record in records:
        if record.ingestion_job_id in own:
            own[record.ingestion_job_id].append(record)
    return [with_records(one, own[one.ingestion_job_id]) for one in ingestion_jobs]


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
