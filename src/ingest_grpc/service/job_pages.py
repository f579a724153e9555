"""Pages of the list of jobs: which way each filter is read, and what was shown before."""

from ingest_grpc.model import Job, JobFilter, JobOrder
from ingest_grpc.service import views
from ingest_grpc.service.job_cache import ListedJobs, head_of
from ingest_grpc.service.paging import MAX_TOTAL
from ingest_grpc.store.interface import JobCursor, JobHead, Rows


def in_order(wanted: JobFilter) -> JobFilter:
    """The same filter whatever the order of its values: a token is bound to it."""
    return wanted.model_copy(
        update={"statuses": tuple(sorted(wanted.statuses)), "job_types": tuple(sorted(wanted.job_types))}
    )


async def jobs_page(
    rows: Rows, listed: ListedJobs, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
) -> tuple[list[Job], JobCursor | None]:
    """The default list and its status filter are ranges of an index; any other filter reads row by row."""
    if wanted.model_copy(update={"statuses": ()}) != JobFilter():
        found, cursor = await rows.jobs_where(team, wanted, after, limit)
        return [await _as_listed(rows, listed, head_of(job), job) for job in found], cursor
    before = None if after is None else after[1]
    heads = await rows.jobs_newest(team, wanted.statuses, before, limit + 1)
    last = heads[limit - 1] if len(heads) > limit else None
    jobs = [await _as_listed(rows, listed, head) for head in heads[:limit]]
    return jobs, None if last is None else (last.created_at, last.row_id)


async def _as_listed(rows: Rows, listed: ListedJobs, head: JobHead, job: Job | None = None) -> Job:
    """The job at a place of a list, as it was shown before if it has not changed since."""
    if (known := listed.get(head)) is not None:
        return known
    job = job or await rows.job_by_row(head.row_id)
    return await views.with_reviews(rows, job, views.MAX_REVIEW_REASONS_IN_LISTS)


async def count_jobs(rows: Rows, team: str, wanted: JobFilter) -> int:
    """How many jobs pass the filter, at most MAX_TOTAL; by more than a status among as many as a page may look at."""
    if wanted.model_copy(update={"statuses": (), "order_by": JobOrder.CREATED_AT, "ascending": False}) == JobFilter():
        return len(await rows.jobs_newest(team, wanted.statuses, None, MAX_TOTAL))
    jobs, _ = await rows.jobs_where(team, wanted, None, MAX_TOTAL)
    return len(jobs)
