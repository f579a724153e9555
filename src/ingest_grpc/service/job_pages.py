"""Pages of the list of jobs: which way each filter is read, and what was shown before."""

from collections.abc import Sequence

from ingest_grpc.model import Job, JobFilter, JobOrder
from ingest_grpc.service import views
from ingest_grpc.service.job_cache import ListedJobs
from ingest_grpc.service.paging import MAX_TOTAL
from ingest_grpc.store.interface import FoundJob, JobCursor, JobHead, Rows

PAGE_CHARACTERS = 3 * 1024 * 1024
"""Most characters of prompts and instructions that one page reads: a character is a byte at least, and so many bytes
fill a reply. A thousand jobs may have forty times as many."""


def in_order(wanted: JobFilter) -> JobFilter:
    """The same filter whatever the order of its values: a token is bound to it."""
    return wanted.model_copy(
        update={"statuses": tuple(sorted(wanted.statuses)), "job_types": tuple(sorted(wanted.job_types))}
    )


async def jobs_page(
    rows: Rows, listed: ListedJobs, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
) -> tuple[list[Job], JobCursor | None]:
    """Up to `limit` jobs, fewer where their texts fill a reply, and where to go on."""
    found, cursor = await _found(rows, team, wanted, after, limit)
    jobs, left = list[Job](), PAGE_CHARACTERS
    for head, behind in found:
        job = await _as_listed(rows, listed, head)
        jobs.append(job)
        left -= job.prompt_characters
        if left < 0 and len(jobs) < len(found):
            return jobs, behind
    return jobs, cursor


async def _found(
    rows: Rows, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
) -> tuple[Sequence[FoundJob], JobCursor | None]:
    """The default list and its status filter are ranges of an index; any other filter reads row by row."""
    if wanted.model_copy(update={"statuses": ()}) != JobFilter():
        return await rows.jobs_where(team, wanted, after, limit)
    before = None if after is None else after[1]
    heads = await rows.jobs_newest(team, wanted.statuses, before, limit + 1)
    found = [(head, (head.created_at, head.row_id)) for head in heads[:limit]]
    return found, found[-1][1] if len(heads) > limit else None


async def _as_listed(rows: Rows, listed: ListedJobs, head: JobHead) -> Job:
    """The job at a place of a list, as it was shown before if it has not changed since."""
    if (known := listed.get(head)) is not None:
        return known
    return await views.with_reviews(rows, await rows.job_by_row(head.row_id), views.MAX_REVIEW_REASONS_IN_LISTS)


async def count_jobs(rows: Rows, team: str, wanted: JobFilter) -> int:
    """How many jobs pass the filter, at most MAX_TOTAL; by more than a status among as many as a page may look at."""
    if wanted.model_copy(update={"statuses": (), "order_by": JobOrder.CREATED_AT, "ascending": False}) == JobFilter():
        return len(await rows.jobs_newest(team, wanted.statuses, None, MAX_TOTAL))
    return await rows.count_jobs_where(team, wanted, MAX_TOTAL)
