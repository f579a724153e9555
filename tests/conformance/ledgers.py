"""What the tests of the store contract write: jobs, files and records, as few as a test needs."""

from collections.abc import Callable
from typing import TypeAlias

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, JobType, RecordStatus, Trigger
from ingest_grpc.model import (
    File,
    FileKind,
    FileRecord,
    IngestionJob,
    Job,
    Method,
)
from ingest_grpc.store.interface import Commit, NewRecord, RecordRow, Store, Tx

TEAM, OTHER = "team-a", "team-b"
Open: TypeAlias = Callable[[list[Commit]], Store]


def a_job(team: str = TEAM, status: JobStatus = JobStatus.NEEDS_REVIEW) -> Job:
    return Job(
        job_id=new_id(Prefix.JOB),
        name="name",
        description="description",
        job_type=JobType.PRINCIPLE_FILES,
        status=status,
        system_prompt="Be brief.",
        system_prompt_updated_at=5,
        method=Method.SPEED_OPTIMIZED,
        user_id="user",
        team_id=team,
        created_at=10,
        updated_at=10,
    )


def a_file(team: str = TEAM, sha256: str = "a" * 64, key: str = "", kind: FileKind = FileKind.UPLOAD) -> File:
    file_id = new_id(Prefix.FILE)
    return File(
        blob_key=key or file_id,
        file_id=file_id,
        kind=kind,
        filename="a.pdf",
        path="east/a.pdf",
        content_type="application/pdf",
        size_bytes=3,
        sha256=sha256,
        user_id="user",
        team_id=team,
        created_at=10,
    )


class Filled:
    """A job with one ingestion job, and records as they are asked for."""

    def __init__(self, store: Store, job: Job, run: IngestionJob) -> None:
        self.store = store
        self.job = job
        self.run = run

    async def record(self, tag: int = 1, *, priority: int = 0, filename: str = "a.pdf") -> RecordRow:
        async def unit(tx: Tx) -> RecordRow:
            file = await tx.insert_file(a_file(self.job.team_id), shareable=True)
            record = FileRecord(
                record_id=new_id(Prefix.RECORD),
                ingestion_job_id=self.run.ingestion_job_id,
                job_id=self.job.job_id,
                file_id=file.file_id,
                output_file_id=new_id(Prefix.OUTPUT_FILE),
                user_id="user",
                team_id=self.job.team_id,
                filename=filename,
                output_filename="a.md",
                method=Method.SPEED_OPTIMIZED,
                status=RecordStatus.QUEUED,
                created_at=11,
            )
            new = NewRecord(
                record, Trigger.ADDED, self.job.row_id, self.run.row_id, file.row_id, 3, priority, tag, None
            )
            return await tx.record_by_row(await tx.insert_record(new))

        return await self.store.write(unit)

    async def move(self, row: RecordRow, trigger: Trigger, *, claimable: bool = False, **changes: object) -> bool:
        after = row.record.model_copy(update=changes)
        return await self.store.write(lambda tx: tx.transition_record(row.record, after, trigger, claimable=claimable))

    async def claim(self, row: RecordRow) -> RecordRow:
        assert await self.move(
            row, Trigger.CLAIMED, status=RecordStatus.RUNNING, attempt=1, worker_id="w", processing_at=12
        )
        return await self.store.read(lambda rows: rows.record_by_row(row.record.row_id))


async def fill(store: Store, team: str = TEAM) -> Filled:
    async def unit(tx: Tx) -> Filled:
        job = a_job(team)
        job = job.model_copy(update={"row_id": await tx.insert_job(job)})
        run = IngestionJob(
            ingestion_job_id=new_id(Prefix.INGESTION_JOB),
            job_id=job.job_id,
            status=IngestionJobStatus.QUEUED,
            created_at=11,
        )
        run = run.model_copy(update={"row_id": await tx.insert_ingestion_job(run, job.row_id, team)})
        return Filled(store, job, run)

    return await store.write(unit)
