"""What callers set on a job after it was created: update, delete, undelete, clone."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError, Reason, invalid
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import JobFacts, JobType, RecordStatus, job_status
from ingest_grpc.model import MAX_CHANGED_FILES, Caller, Job, JobDetail, JobUpdate, Mutation, Request
from ingest_grpc.service import views
from ingest_grpc.service.idempotency import once, recall
from ingest_grpc.service.job_files import markdown_entry
from ingest_grpc.service.jobs import CANCEL_SLICE, JobService, check_external_id
from ingest_grpc.service.knowledge_bases.documents import give_up_reindex
from ingest_grpc.service.knowledge_bases.finding import find_knowledge_base, refuse_knowledge_base_job
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import Store, Tx

DAY = 86_400 * MICROSECONDS
CLONE_PAGE = MAX_CHANGED_FILES
"""Files copied at once: each page is one event."""


class JobEffect(BaseModel):
    """Which job a call made or changed; kept for its request id."""

    job_id: str


class SettingsService:
    """Changes jobs as a whole."""

    def __init__(
        self, store: Store, clock: Clock, board: ProgressBoard, jobs: JobService, *, purge_after_days: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._jobs = jobs
        self._purge_after = round(purge_after_days * DAY)

    async def update(
        self, caller: Caller, job_id: str, update: JobUpdate, etag: str, request: Request | None
    ) -> Mutation[Job]:
        """Changes what is given. Raises JOB_NOT_FOUND, JOB_DELETED and ETAG_MISMATCH."""

        async def unit(tx: Tx) -> Mutation[JobEffect]:
            async def effect() -> JobEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                check_etag(ledger.job, etag)
                ledger.update(await _changes(tx, ledger.job, update))
                await ledger.close()
                return JobEffect(job_id=job_id)

            return await once(tx, caller, request, self._clock.now(), JobEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self._jobs.get(caller, job_id), done.replayed)

    async def delete(self, caller: Caller, job_id: str, etag: str, request: Request | None) -> Mutation[Job]:
        """Cancels what is in flight and hides the job. Deleting it again changes nothing.

        Raises JOB_NOT_FOUND and ETAG_MISMATCH.
        """
        await self._cancel_before_deletion(caller, job_id, etag, request)

        async def unit(tx: Tx) -> Mutation[JobEffect]:
            async def effect() -> JobEffect:
                ledger = await JobLedger.open(
                    tx, caller.team_id, job_id, self._clock.now(), caller.user_id, deleted_too=True
                )
                if ledger.job.deleted_at is None:
                    check_etag(ledger.job, etag)
                    await self._jobs.cancel_in_flight(ledger, await tx.newest_record(ledger.job.row_id), CANCEL_SLICE)
                    ledger.delete(self._clock.now() + self._purge_after)
                await give_up_reindex(tx, await ledger.close(), ledger.now)
                return JobEffect(job_id=job_id)

            return await once(tx, caller, request, self._clock.now(), JobEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self._jobs.get(caller, job_id), done.replayed)

    async def _cancel_before_deletion(self, caller: Caller, job_id: str, etag: str, request: Request | None) -> None:
        """A large job is cancelled in slices first, so that the deletion itself is one short transaction."""

        async def is_due(tx: Tx) -> bool:
            if await recall(tx, caller, request, JobEffect) is not None:
                return False
            job = await views.find_job(tx, caller.team_id, job_id)
            check_etag(job, etag)
            # To a job that is being filled the next slice adds more than what is in flight now.
            return job.deleted_at is None and (job.facts.filling or job.tally.in_flight > CANCEL_SLICE)

        if await self._store.write(is_due):
            await self._jobs.cancel(caller, job_id, None)

    async def undelete(self, caller: Caller, job_id: str, request: Request | None) -> Mutation[Job]:
        """Takes a deletion back; what it cancelled stays cancelled. Raises JOB_NOT_FOUND."""

        async def unit(tx: Tx) -> Mutation[JobEffect]:
            async def effect() -> JobEffect:
                ledger = await JobLedger.open(
                    tx, caller.team_id, job_id, self._clock.now(), caller.user_id, deleted_too=True
                )
                if ledger.job.deleted_at is not None:
                    ledger.undelete()
                await ledger.close()
                return JobEffect(job_id=job_id)

            return await once(tx, caller, request, self._clock.now(), JobEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self._jobs.get(caller, job_id), done.replayed)

    async def clone(
        self, caller: Caller, job_id: str, name: str, external_id: str | None, request: Request | None
    ) -> Mutation[JobDetail]:
        """A new job with the same settings; the original's viable files are its Markdown, ready at once.

        Raises JOB_NOT_FOUND and EXTERNAL_ID_TAKEN.
        """

        async def unit(tx: Tx) -> Mutation[JobEffect]:
            async def effect() -> JobEffect:
                origin = await views.find_job(tx, caller.team_id, job_id)
                refuse_knowledge_base_job(origin)
                await check_external_id(tx, caller.team_id, external_id)
                copy = self._copy(caller, origin, name, external_id)
                ledger = await JobLedger.create(tx, copy, caller.user_id)
                await self._copy_files(ledger, origin)
                job = await ledger.close()
                return JobEffect(job_id=job.job_id)

            return await once(tx, caller, request, self._clock.now(), JobEffect, effect)

        done = await self._store.write(unit)
        find = partial(views.find_detail, team=caller.team_id, job_id=done.value.job_id, board=self._board)
        return Mutation(await self._store.read(find), done.replayed)

    def _copy(self, caller: Caller, origin: Job, name: str, external_id: str | None) -> Job:
        now = self._clock.now()
        facts = JobFacts(
            origin.job_type,
            has_system_prompt=bool(origin.system_prompt),
            has_knowledge_base=origin.knowledge_base_id is not None,
        )
        return Job(
            job_id=new_id(Prefix.JOB),
            name=name or origin.name,
            description=origin.description,
            job_type=origin.job_type,
            status=job_status(facts),
            system_prompt=origin.system_prompt,
            system_prompt_updated_at=now if origin.system_prompt else None,
            instructions=origin.instructions,
            instructions_updated_at=now if origin.instructions else None,
            method=origin.method,
            user_id=caller.user_id,
            team_id=caller.team_id,
            external_id=external_id,
            labels=origin.labels,
            knowledge_base_id=origin.knowledge_base_id,
            origin_job_id=origin.job_id,
            priority=min(origin.priority, caller.max_priority),
            created_at=now,
            updated_at=now,
        )

    async def _copy_files(self, ledger: JobLedger, origin: Job) -> None:
        tx, after = ledger.tx, 0
        while page := await tx.markdown_files(origin.row_id, CLONE_PAGE, after):
            await _list_markdown(ledger, [entry.file_id for _, entry in page])
            after = page[-1][0]
        after = 0
        completed = (RecordStatus.COMPLETED,)
        while rows := await tx.records(job_row=origin.row_id, statuses=completed, after=after, limit=CLONE_PAGE):
            await _list_markdown(ledger, [row.record.output_file_id for row in rows if not row.record.is_archive])
            after = rows[-1].record.row_id


async def _list_markdown(ledger: JobLedger, file_ids: Sequence[str]) -> None:
    """Puts those of the files that are still there on the job's file list, with one event."""
    entries = []
    for file_id in file_ids:
        file = await ledger.tx.file(ledger.job.team_id, file_id)
        if file is not None and file.deleted_at is None:
            await ledger.tx.add_markdown_file(ledger.job.row_id, file.row_id, ledger.now)
            entries.append(markdown_entry(file, ledger.now))
    ledger.files_changed(added=entries)


async def _changes(tx: Tx, job: Job, update: JobUpdate) -> dict[str, object]:
    """What of the update is set; a knowledge base must be there, and the job of the type that has one."""
    changes = update.model_dump(exclude_none=True)
    if (knowledge_base_id := update.knowledge_base_id) is not None:
        if job.job_type is not JobType.CONTEXT_GROUNDED_VECTOR_DB:
            raise invalid("knowledge_base_id", "is for jobs of type CONTEXT_GROUNDED_VECTOR_DB")
        if knowledge_base_id:
            await find_knowledge_base(tx, job.team_id, knowledge_base_id)
        changes["knowledge_base_id"] = knowledge_base_id or None
    return changes


def check_etag(job: Job, etag: str) -> None:
    """Raises ETAG_MISMATCH unless the caller saw the job as it is, or does not care."""
    if etag and etag != job.etag:
        raise IngestError(
            Reason.ETAG_MISMATCH,
            {"expected_etag": etag, "actual_etag": job.etag},
            resource=("Job", job.job_id),
        )
