"""Counts one job anew from its rows: what `admin check --repair` does to tallies and statuses."""

from dataclasses import dataclass

from ingest_grpc.lifecycle import NOTHING, Tally, contribution
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import RecordRow, Tx

PAGE = 1_000
ALL = 2**62


@dataclass(slots=True)
class _Count:
    """What the live records of one ingestion job add up to."""

    tally: Tally = NOTHING
    pages: int = 0
    bytes_in: int = 0
    chunks: int = 0
    expired: int = 0
    archives: int = 0

    def add(self, row: RecordRow) -> None:
        record = row.record
        one = contribution(record.status, deleted=record.deleted, superseded=record.superseded_by is not None)
        self.tally = self.tally.plus(one)
        self.pages += record.pages or 0
        self.bytes_in += row.bytes_in
        self.chunks += record.chunks_created or 0
        self.expired += record.output_expired_at is not None
        self.archives += record.is_archive and record.output_expired_at is None


async def recount(tx: Tx, job_row: int, now: int, actor: str) -> str:
    """Corrects the counts and the statuses of a job and its ingestion jobs; returns the job's id.

    A unit of the store. A status that changes is an event like any other, so that no watcher misses it.
    """
    ledger = JobLedger(tx, await tx.job_by_row(job_row), now, actor)
    job = ledger.job
    ingestion_jobs = await tx.ingestion_jobs(
        team=job.team_id, job_row=job_row, statuses=(), after=None, oldest_first=True, limit=ALL
    )
    counts = {each.row_id: _Count() for each in ingestion_jobs}
    after = 0
    while page := await tx.records(job_row=job_row, after=after, limit=PAGE):
        for row in page:
            counts[row.ingestion_row].add(row)
        after = page[-1].record.row_id
    total = NOTHING
    for row_id, count in counts.items():
        sums = {"pages": count.pages, "bytes_in": count.bytes_in, "chunks_created": count.chunks}
        await ledger.correct_ingestion_job(row_id, count.tally, **sums)
        total = total.plus(count.tally)
    expired_outputs = sum(count.expired for count in counts.values())
    ledger.correct_job(
        total,
        markdown_files=len(await tx.markdown_files(job_row, ALL)),
        expired_outputs=expired_outputs,
        archives=sum(count.archives for count in counts.values()),
        chunks_created=sum(count.chunks for count in counts.values()),
    )
    aligned = await tx.current_alignment(job_row)
    ledger.correct_alignment(None if aligned is None else aligned.alignment)
    await ledger.close()
    return job.job_id
